import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import type { State } from "../../cli/dashboard/page/state.ts";
import { MeasuredStack } from "../support/alerts/measured.ts";
import { haveChromium, openBrowser, type Visit } from "../support/chromium.ts";
import { docker } from "../support/clone.ts";
import { closeColours, Dashboard, inPage, nameless, rowsOf, rowsOfStatus } from "../support/dashboard/looked.ts";
import { Load } from "../support/load.ts";

const CONTAINERS = "Containers of the stack";
/** Pictures for the documents are made where that is asked for: DRYDOCK_PICTURES=docs/pictures. */
const { DRYDOCK_PICTURES: PICTURES } = process.env;

/** What people see of a real stack, in Chromium. */
describe("the dashboard", function () {
  this.timeout(1_800_000);
  const stack = new MeasuredStack();
  let dashboard: Dashboard;
  let visit: Visit;
  let page: Page;
  const requests: string[] = [];
  const complaints: string[] = [];

  before(async function () {
    if (!(await haveChromium())) return this.skip();
    await stack.up();
    await stack.clone.drydock(["backup", "run"]);
    dashboard = await Dashboard.start(stack.clone);
    visit = await openBrowser(undefined);
    page = await visit.context.newPage();
    await page.setViewportSize({ width: 1100, height: 900 });
    page.on("request", (request) => requests.push(request.url()));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(dashboard.url);
  });
  after(async () => {
    await visit?.close();
    await dashboard?.end();
    await stack.remove();
  });

  const until = async (what: string, holds: () => Promise<boolean>, most = 60) => {
    for (const began = Date.now(); !(await holds()); await sleep(250))
      if (Date.now() - began > most * 1000) assert.fail(`not within ${most} s: ${what}`);
  };
  const textOf = (id: string) =>
    page
      .locator(`#${id}`)
      .textContent()
      .then((text) => text ?? "");
  const has = (id: string, text: RegExp, most = 60) =>
    until(`${id}: ${text}`, async () => text.test(await textOf(id)), most);
  const picture = async (name: string, target: Page = page) => {
    if (PICTURES !== undefined) await target.screenshot({ path: join(PICTURES, `${name}.png`) });
  };

  it("is left without the token in its address, and kept by a cookie that no script reads", async () => {
    assert.match(page.url(), /^http:\/\/127\.0\.0\.1:\d+\/[\w-]{12}\/$/);
    assert.equal(await inPage(page, "document.cookie"), "");
    const [cookie] = await visit.context.cookies();
    assert.deepEqual(
      [cookie!.httpOnly, cookie!.sameSite, cookie!.path],
      [true, "Strict", new URL(page.url()).pathname],
    );
    const [without, post] = await Promise.all([fetch(page.url()), fetch(dashboard.url, { method: "POST" })]);
    assert.deepEqual([without.status, post.status], [403, 405]);
  });

  it("lets another page of this machine neither have its cookie nor ask it, and is reached by a link", async () => {
    const cookies: (string | undefined)[] = [];
    const other = createServer(({ headers }, response) => {
      cookies.push(headers.cookie);
      response.setHeader("content-type", "text/html").end(`<a href="${dashboard.url}">look</a>`);
    }).listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    // The same site to a browser, which ignores ports; and another one.
    for (const host of ["127.0.0.1", "localhost"]) {
      const stranger = await visit.context.newPage();
      await stranger.goto(`http://${host}:${port}/`);
      const asked: number[] = [];
      stranger.on("response", (answer) => asked.push(answer.status()));
      const said = await inPage<string>(
        stranger,
        `fetch(${JSON.stringify(`${page.url()}findings/drift`)}, { credentials: "include", mode: "no-cors" })
          .then(({ type }) => type, ({ message }) => message)`,
      );
      assert.match(said, /^opaque$|Failed to fetch/, host);
      assert.deepEqual(
        asked.filter((status) => status !== 403),
        [],
        host,
      );
      await stranger.getByRole("link").click();
      await stranger.locator("main").waitFor();
      assert.equal(stranger.url(), page.url(), host);
      await stranger.close();
    }
    assert.deepEqual(new Set(cookies), new Set([undefined]));
    other.close();
  });

  it("shows what status --json says", async () => {
    await until("containers", async () => (await rowsOf(page, CONTAINERS)).length > 0);
    assert.deepEqual(await rowsOf(page, CONTAINERS), rowsOfStatus(await stack.clone.status()));
    assert.match((await page.locator(".verdict").textContent()) ?? "", /all \d+ containers healthy/);
  });

  it("shows releases, requests, queues, backups and alerts as their commands say them", async () => {
    for (let index = 0; index < 60; index++) await fetch(`${stack.status.url}/api/health`);
    const released = JSON.parse((await stack.clone.drydock(["releases", "--json"])).stdout);
    await until("releases", async () => (await rowsOf(page, "Releases, the newest first")).length > 0);
    const rows = await rowsOf(page, "Releases, the newest first");
    assert.deepEqual(
      rows.map(([sequence, release]) => [sequence, release!.split(" ")[0]]),
      released.map((one: { sequence: number; release: string }) => [String(one.sequence), one.release]),
    );
    const backups = JSON.parse((await stack.clone.drydock(["backup", "list", "--json"])).stdout).backups;
    await has("backups", /1 verified/);
    assert.deepEqual(
      (await rowsOf(page, "Backups, the newest first")).map(([id, , , , , , proof]) => [id, proof]),
      backups.map(({ id, verified }: { id: string; verified: boolean }) => [
        id,
        verified ? "verified" : "not verified",
      ]),
    );
    await has("backups", /RPO[\d.]+ (ms|s|min)/);
    await has("alerts", /no alert is raised/);
    await has("queues", /default/);
    await has("requests", /Requests in the last hour: requests [\d.]+\/s/, 120);
    await until("charts", async () => (await page.locator(".plot canvas").count()) >= 3);
    await has("certificates", /no edge of this Docker host serves a name of this stack|Until/);
    await has("release", /none: nothing changes the stack/);
    await picture("dashboard");
  });

  it("is painted in less than 300 ms, the quickest time of twelve", async () => {
    const empty = createServer((_, response) => response.setHeader("content-type", "text/html").end("<p>empty</p>"));
    await once(empty.listen(0, "127.0.0.1"), "listening");
    const nothing = `http://127.0.0.1:${(empty.address() as AddressInfo).port}/`;
    const painted = async (url: string): Promise<number> => {
      const other = await visit.context.newPage();
      await other.goto(url);
      const [paint] = await inPage<number[]>(
        other,
        `new Promise((resolve) => new PerformanceObserver((list) =>
          resolve(list.getEntriesByName("first-contentful-paint").map(({ startTime }) => startTime)))
          .observe({ type: "paint", buffered: true }))`,
      );
      if (url !== nothing) assert.ok((await rowsOf(other, CONTAINERS)).length > 0, "there at once");
      await other.close();
      return Math.round(paint!);
    };
    const times: [number, number][] = [];
    for (let index = 0; index < 12; index++) times.push([await painted(page.url()), await painted(nothing)]);
    empty.close();
    const sorted = ([0, 1] as const).map((which) => times.map((pair) => pair[which]).toSorted((a, b) => a - b));
    const said = sorted.map((all) => `${all[0]} to ${all.at(-1)} ms, half of them within ${all[5]}`);
    console.log(`      first paint: ${said[0]}; an empty page: ${said[1]}`);
    // A machine that does other things as well makes some of them slow, but none quick.
    assert.ok(sorted[0]![0]! < 300, JSON.stringify(times));
  });

  it("is used by keyboard, and shows where one is", async () => {
    await page.reload();
    await page.keyboard.press("Tab");
    assert.equal(await inPage(page, "document.activeElement.textContent"), "To the content");
    await page.keyboard.press("Enter");
    assert.equal(await inPage(page, "document.activeElement.id || location.hash"), "main");
    const reached = new Set<string>();
    for (let index = 0; index < 200; index++) {
      await page.keyboard.press("Tab");
      const [name, outline, over] = await inPage<[string, string, boolean]>(
        page,
        `(() => {
          const at = document.activeElement;
          const name = at.dataset.range ?? at.dataset.ask ?? at.tagName;
          return [name, getComputedStyle(at).outlineStyle, at === document.body];
        })()`,
      );
      if (over) break;
      assert.notEqual(outline, "none", name);
      reached.add(name);
    }
    for (const name of ["hour", "day", "week", "drift", "doctor", "policies", "SUMMARY"])
      assert.ok(reached.has(name), name);

    await page.locator('button[data-range="day"]').focus();
    await page.keyboard.press("Enter");
    await has("requests", /Requests in the last day/);
    assert.equal(await page.locator('button[data-range="day"]').getAttribute("aria-pressed"), "true");
    assert.equal(await inPage(page, "document.activeElement.dataset.range"), "day", "focus stays");
    await page.locator('button[data-range="hour"]').press("Space");
    await has("requests", /Requests in the last hour/);
  });

  it("has landmarks, headings and names for who doesn't see it, and colours that differ in both schemes", async () => {
    for (const role of ["banner", "navigation", "main"] as const)
      assert.equal(await page.getByRole(role).count(), 1, role);
    for (const name of ["Containers", "Releases", "Requests and times", "Queues", "Backups", "Alerts", "Checks"])
      assert.equal(await page.getByRole("region", { name, exact: true }).count(), 1, name);
    assert.equal(await page.getByRole("heading", { level: 1 }).textContent(), "local");
    assert.equal(await page.getByRole("status").count(), 1);
    assert.deepEqual(await nameless(page), []);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await sleep(300);
      assert.deepEqual(await closeColours(page), [], colorScheme);
      if (colorScheme === "dark") await picture("dashboard-dark");
    }
    await page.emulateMedia({ colorScheme: "light" });
  });

  it("fits a narrow screen, where only tables scroll", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await sleep(300);
    const [wide, seen] = await inPage<[number, number]>(
      page,
      "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
    );
    assert.ok(wide <= seen, `${wide} in ${seen}`);
    await picture("dashboard-narrow");
    await page.setViewportSize({ width: 1100, height: 900 });
  });

  it("looks for drift when it is asked, and finds what was changed by hand", async () => {
    await page.getByRole("button", { name: "Look for drift" }).click();
    // Who is told of alerts is in the stack's networks, and none of its own.
    await has("checks", /1 finding.*foreign drydock-sink-/);
    docker("update", "--memory", "300m", "--memory-swap", "600m", stack.of("scheduler").container);
    await page.getByRole("button", { name: "Look for drift" }).click();
    await has("checks", /scheduler: memory is 300 MiB instead of \d+/);
    const { code } = await stack.clone.drydock(["drift"]);
    assert.equal(code, 4);
    const found = () => stack.query('drydock_drift_findings{kind="changed"}')[0]?.value === 1;
    await until("drift as a number", async () => found(), 60);
    const remedy = (await page.locator("#checks pre").first().textContent()) ?? "";
    docker(...remedy.replace(/^docker /, "").split(" "));
    await page.getByRole("button", { name: "Ask the doctor" }).click();
    await has("checks", /nothing was found|finding/, 90);
  });

  it("asks the rules, and shows what ./drydock check says", async () => {
    const strict = "policies/config/local.json";
    const before = stack.clone.read(strict);
    const [rules, ask] = [page.locator("#checks .check").nth(2), page.getByRole("button", { name: "Ask the rules" })];
    await ask.click();
    await has("checks", /Policies.*nothing was found/s, 90);
    // A rule that has become stricter since.
    stack.clone.write(strict, JSON.stringify({ "core-env-complete": { required: ["APP_ENV", "SHOP_LICENCE"] } }));
    try {
      const { stdout } = await stack.clone.drydock(["check", "--json"]);
      const found = JSON.parse(stdout) as { rule: string; level: string; message: string }[];
      assert.ok(found.length > 0);
      await ask.click();
      await has("checks", new RegExp(`Policies.*${found.length} finding`, "s"), 90);
      const shown = (await rules.textContent()) ?? "";
      for (const { rule, level, message } of found)
        assert.ok(shown.includes(`${level} ${rule}: ${message.split("\n")[0]}`), `${message}: ${shown}`);
    } finally {
      stack.clone.write(strict, before);
    }
  });

  it("draws a release while it goes on, and shows what status --json says meanwhile", async () => {
    const load = new Load(stack.status.url, { clients: 2, slowSeconds: 1 });
    await page.locator("#release").scrollIntoViewIfNeeded();
    await stack.set("env.APP_NAME", "Another");
    let ended = false;
    const up = stack.again().finally(() => {
      ended = true;
    });
    const seen = new Map<string, Set<string>>();
    let [equal, drawn, pictured] = [0, 0, false];
    const watching = (async () => {
      while (!ended) {
        for (const [step, state] of await rowsOf(page, "Steps of the release, in their order"))
          seen.set(step!, (seen.get(step!) ?? new Set()).add(state!));
        drawn = Math.max(drawn, await page.locator("svg.graph .step.done").count());
        const [runs] = [...seen].filter(([step]) => step === "replicas").map(([, states]) => states.has("runs"));
        if (runs && !pictured && (await page.locator("svg.graph .step.running").count()) > 0) {
          await picture("dashboard-release");
          pictured = true;
        }
        await sleep(150);
      }
    })();
    const comparing = (async () => {
      while (!ended) {
        const status = await stack.clone.status();
        await sleep(2_500);
        if (JSON.stringify(await rowsOf(page, CONTAINERS)) === JSON.stringify(rowsOfStatus(status))) equal++;
      }
    })();
    await up;
    await Promise.all([watching, comparing]);
    assert.deepEqual((await load.stop()).reasons, {});
    console.log(`      ${[...seen].map(([step, states]) => `${step}: ${[...states].join(" → ")}`).join("\n      ")}`);
    for (const step of ["replicas", "switch", "Horizon, workers", "verify", "old replicas go"])
      assert.ok(seen.get(step)?.has("runs") || seen.get(step)?.has("done"), step);
    assert.ok(
      seen.get("replicas")!.has("waits") && seen.get("replicas")!.has("runs") && seen.get("replicas")!.has("done"),
    );
    assert.ok(drawn >= 3 && equal > 0, `${drawn} drawn as done, ${equal} times as status says`);

    await has("release", /the last change was over at/);
    await until(
      "containers",
      async () => JSON.stringify(await rowsOf(page, CONTAINERS)) === JSON.stringify(rowsOfStatus(stack.status)),
    );
    const [newest] = await rowsOf(page, "Releases, the newest first");
    assert.match(newest!.join(" | "), /^2 \| \w{12} serves \| variables/);
    await has("requests", /1 release|2 releases/);
  });

  it("says what can't be told when Docker's answer is missing, and goes on by itself", async () => {
    docker("pause", stack.of("prometheus").container);
    docker("stop", "--time", "1", stack.of("scheduler").container);
    await has("requests", /can't be told.*Prometheus does not answer/);
    await has("containers", /schedulerscheduler✗exited/);
    assert.match((await page.locator(".verdict").textContent()) ?? "", /not healthy: .*scheduler/);
    docker("unpause", stack.of("prometheus").container);
    docker("start", stack.of("scheduler").container);
    await has("containers", /schedulerscheduler✓running✓healthy/, 120);
  });

  it("asks nobody but the server that it came from, and its policy has nothing to say", () => {
    const { origin } = new URL(dashboard.url);
    assert.deepEqual(
      requests.filter((url) => !url.startsWith(origin) && !url.startsWith("data:")),
      [],
    );
    assert.deepEqual(complaints, []);
  });

  it("is one file with --export, that shows the same, asks nobody, and has no secret in it", async () => {
    const file = join(stack.clone.dir, "export.html");
    const { code, stdout } = await stack.clone.drydock(["dashboard", "--export", file]);
    assert.deepEqual([code, stdout], [0, `${file}\n`]);
    const text = readFileSync(file, "utf8");
    const other = await visit.context.newPage();
    const asked: string[] = [];
    const said: string[] = [];
    other.on("request", (request) => asked.push(request.url()));
    other.on("console", (message) => said.push(message.text()));
    other.on("pageerror", (error) => said.push(error.message));
    await other.goto(`file://${file}`);
    await other.locator(".plot canvas").first().waitFor();
    assert.deepEqual(await rowsOf(other, CONTAINERS), rowsOfStatus(await stack.clone.status()));
    await other.getByRole("button", { name: "week" }).click();
    await other.getByText("Requests in the last week", { exact: false }).first().waitFor();
    assert.deepEqual([asked.filter((url) => !url.startsWith("data:")), said], [[`file://${file}`], []]);
    await other.close();

    const config = JSON.parse((await stack.clone.pulumi(["config", "--json", "--show-secrets"])).stdout);
    const secrets = secretsIn(config).filter((secret) => secret.length >= 8);
    assert.ok(secrets.length >= 5, `${secrets.length} secrets are known`);
    const state = (await (await visit.context.request.get(new URL("state.json", page.url()).href)).json()) as State;
    assert.equal(state.stack, "local");
    for (const secret of secrets)
      assert.ok(!text.includes(secret) && !JSON.stringify(state).includes(secret), "a secret is in it");
    assert.ok(!text.includes(new URL(dashboard.url).searchParams.get("token")!));
  });

  it("ends with Ctrl-C, and says so to who still looks", async () => {
    assert.equal(await dashboard.end(), 130);
    await until("not connected", async () =>
      /not connected: this is how it was/.test((await page.locator("header").textContent()) ?? ""),
    );
    assert.ok((await rowsOf(page, CONTAINERS)).length > 0);
    assert.ok(!existsSync(join(stack.clone.dir, ".drydock", "local.running.json")));
  });
});

/** The texts of a configuration that are marked as secret. */
function secretsIn(config: Record<string, { value?: string; secret?: boolean; objectValue?: unknown }>): string[] {
  const texts = (value: unknown): string[] =>
    typeof value === "string"
      ? [value]
      : typeof value === "object" && value !== null
        ? Object.values(value).flatMap(texts)
        : [];
  const named = (value: unknown, name = ""): string[] =>
    typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([key, one]) => named(one, key))
      : /key|password|token|secret|heartbeat|webhook/i.test(name)
        ? texts(value)
        : [];
  return Object.values(config).flatMap(({ value, objectValue, secret }) =>
    objectValue === undefined ? (secret ? texts(value) : []) : named(objectValue),
  );
}
