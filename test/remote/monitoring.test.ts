import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import type { State } from "../../cli/dashboard/page/state.ts";
import { imageTags, OF_A_STACK } from "../../cli/setup/images-tags.ts";
import { MeasuredStack } from "../support/alerts/measured.ts";
import { docker, type Status } from "../support/clone.ts";
import { Dashboard } from "../support/dashboard/looked.ts";
import { canHaveMachine, HOST, Machine } from "../support/remote/rig.ts";

(canHaveMachine ? describe : describe.skip)("monitoring of a stack on a Docker host over ssh", function () {
  this.timeout(1_200_000);
  const own = {
    PATH: process.env.PATH,
    DOCKER_HOST: process.env.DOCKER_HOST,
    SSH_AUTH_SOCK: process.env.SSH_AUTH_SOCK,
  };
  let ship: Machine;
  let stack: MeasuredStack;
  /** Runs `./drydock`, which logs in at most once. */
  const drydock = async (...args: string[]): Promise<{ readonly code: number; readonly stdout: string }> => {
    ship.link.connections = 0;
    const result = await stack.clone.drydock(args);
    assert.ok(ship.link.connections <= 1, `./drydock ${args.join(" ")}: ${ship.link.connections} logins`);
    return { ...result, stdout: result.stdout || result.stderr };
  };
  /** What a page that is open shows, as its script gets it. */
  const openPage = async ({ url }: Dashboard) => {
    const { headers } = await fetch(url, { redirect: "manual" });
    const cookie = headers.get("set-cookie")!.split(";")[0]!;
    const ask = (path: string) => fetch(new URL(path, url), { headers: { cookie } });
    const { body } = await ask("events");
    const parts = async () => ((await (await ask("state.json")).json()) as State).parts;
    return { parts, close: () => body!.cancel() };
  };
  const until = async (holds: () => Promise<boolean>, what: string): Promise<void> => {
    for (const end = Date.now() + 90_000; !(await holds()); await sleep(500)) assert.ok(Date.now() < end, what);
  };
  const shown = ({ services }: Pick<Status, "services">): string[][] =>
    services.map(({ name, container, image, state, health }) => [name, container, image, state, health]);

  before(async () => {
    ship = await new Machine().start();
    ship.load([...OF_A_STACK, "monitoring" as const].map((name) => imageTags()[name]));
    // The tests look at the engine beside the connection; the stack's own settings name the host.
    Object.assign(process.env, ship.env(), { DOCKER_HOST: ship.socket });
    stack = new MeasuredStack();
    await stack.up({ "docker.host": HOST });
  });
  after(async () => {
    await stack?.remove();
    await ship?.remove();
    for (const [name, value] of Object.entries(own)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  it("is told by the commands, with one login each, and not changed by another `up`", async () => {
    assert.match((await drydock("up")).stdout, /Nothing to change/);
    assert.deepEqual(await drydock("alerts"), { code: 0, stdout: "no alert is raised\n", stderr: "" });
    const { metrics } = JSON.parse((await drydock("metrics", "--json")).stdout) as { metrics: { name: string }[] };
    const names = metrics.map(({ name }) => name);
    for (const name of ["requests", "jobs that wait", "disk free"]) assert.ok(names.includes(name), String(names));
  });

  it("is shown by the page, which says when the connection breaks and goes on after it", async () => {
    ship.link.connections = 0;
    const dashboard = await Dashboard.start(stack.clone);
    const page = await openPage(dashboard);
    try {
      assert.deepEqual(shown((await page.parts()).containers.value!), shown(await stack.clone.status()));
      await until(async () => (await page.parts()).alerts.value !== undefined, "no alerts");
      const broken = until(async () => (await page.parts()).containers.problem !== undefined, "nothing is said");
      await ship.link.cutUntil(broken);
      await until(async () => (await page.parts()).containers.problem === undefined, "it does not go on");
      assert.deepEqual(shown((await page.parts()).containers.value!), shown(await stack.clone.status()));
    } finally {
      await page.close();
      await dashboard.end();
    }
  });

  it("is shown by the page as one file", async () => {
    const file = join(stack.clone.dir, "far.html");
    assert.equal((await drydock("dashboard", "--export", file)).code, 0);
    const text = readFileSync(file, "utf8");
    const state = JSON.parse(/<script type="application\/json" id="state">(.*)<\/script>/.exec(text)![1]!) as State;
    assert.deepEqual(shown(state.parts.containers.value!), shown(await stack.clone.status()));
    for (const [name, part] of Object.entries(state.parts)) assert.equal(part.problem, undefined, name);
  });

  it("tells somebody there of a fault, and the commands here", async () => {
    docker("stop", stack.of("exporter", "monitoring-redis").container);
    await stack.told("ScrapeDown", "alarm");
    const { code, stdout } = await drydock("alerts");
    assert.equal(code, 1);
    assert.match(stdout, /ScrapeDown/);
  });
});
