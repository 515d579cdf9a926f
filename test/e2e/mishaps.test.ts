import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { after, describe, it } from "mocha";
import { Clone, docker, type Result, type Status } from "../support/clone.ts";
import { Load } from "../support/load.ts";

/** What goes wrong around a deployment: each gets a clear answer, and the next plain `up` fixes what is left. */
describe("mishaps of a deployment", function () {
  this.timeout(600_000);
  const clone = new Clone();
  let status: Status;
  const said = ({ stdout, stderr }: Result) => stdout + stderr;
  const set = (path: string, value: string) => clone.set(path, value);
  const ok = async () => {
    const result = await clone.drydock(["up"]);
    assert.equal(result.code, 0, said(result));
    status = await clone.status();
  };
  /** Every container that this clone made: all are on one of its networks or were made for it. */
  const left = () =>
    docker("ps", "--all", "--format", "{{.Names}}", "--filter", `network=${network()}`).split("\n").sort();
  const network = () =>
    Object.keys(
      JSON.parse(docker("inspect", status.services.find(({ role }) => role === "redis")!.container))[0].NetworkSettings
        .Networks,
    )[0]!;
  const expected = () =>
    status.services
      .filter(({ role }) => role !== "proxy")
      .map(({ container }) => container)
      .sort();

  after(() => clone.remove());

  it("says who has the port, when it is taken, and deploys once it is free", async () => {
    const squatter = createServer();
    squatter.listen(0, "127.0.0.1");
    await once(squatter, "listening");
    const { port } = squatter.address() as { port: number };
    assert.equal((await clone.drydock(["preview"])).code, 0);
    await set("app.replicas", "2");
    await set("proxy.port", String(port));
    await set("env.APP_URL", `http://127.0.0.1:${port}`);
    const result = await clone.drydock(["up"]);
    squatter.close();
    assert.notEqual(result.code, 0);
    assert.match(said(result), new RegExp(`port ${port}.*(taken|in use|allocated)`));
    await ok();
    assert.ok(status.services.every(({ health }) => health === "healthy"));
    assert.deepEqual(left(), expected());
  });

  it("names the image that doesn't exist, and leaves everything as it was", async () => {
    const file = clone.read("Pulumi.local.yaml");
    clone.edit("Pulumi.local.yaml", (text) =>
      text.replace(/image: drydock\/redis:\S+/, "image: drydock/redis:no-such-tag"),
    );
    const load = new Load(status.url, { clients: 2, slowSeconds: 1 });
    const result = await clone.drydock(["up"]);
    clone.edit("Pulumi.local.yaml", () => file);
    const { reasons } = await load.stop();
    // `up` may put its own image right instead: then nothing failed at all.
    if (result.code !== 0) assert.match(said(result), /drydock\/redis:no-such-tag/);
    assert.deepEqual(reasons, {});
    assert.deepEqual(left(), expected());
  });

  it("lets only one of two deployments at once change the stack", async () => {
    clone.edit("examples/laravel/resources/views/home.blade.php", (text) => text.replace("<h1", '<h1 lang="en"'));
    const results = await Promise.all([clone.drydock(["up"]), clone.drydock(["up"])]);
    const codes = results.map(({ code }) => code).sort();
    assert.ok(
      codes[0] === 0 && (codes[1] === 3 || codes[1] === 0),
      `exit codes ${codes}: ${results.map(said).join("\n")}`,
    );
    const refused = results.find(({ code }) => code === 3);
    if (refused !== undefined) assert.match(said(refused), /pid|wait/);
    await ok();
    assert.deepEqual(left(), expected());
  });

  for (const signal of ["SIGINT", "SIGKILL"] as const) {
    it(`comes back from ${signal} within a release without a failed request, and leaves nothing behind`, async () => {
      await set("env.APP_NAME", `after ${signal}`);
      const load = new Load(status.url, { clients: 3, slowSeconds: 2 });
      const child = clone.start(["up"]);
      let printed = "";
      const seen = new Promise<void>((resolve) => {
        const listen = (chunk: Buffer) => {
          printed += String(chunk);
          if (
            /app-1 creat\w+ replacement|Container app-\d+ (creating|replacing)/.test(
              printed.slice(printed.indexOf("Updating")),
            )
          )
            resolve();
        };
        child.stdout!.on("data", listen);
        child.stderr!.on("data", listen);
        child.on("exit", () => resolve());
      });
      await seen;
      if (signal === "SIGINT") child.kill("SIGINT");
      else for (const pid of descendants(child.pid!)) process.kill(pid, "SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      if (signal === "SIGINT") assert.equal(child.exitCode, 130, printed.slice(-2000));
      const old = status.release;
      await ok();
      assert.deepEqual((await load.stop()).reasons, {});
      assert.notEqual(status.release, old);
      assert.ok(status.services.every(({ health }) => health === "healthy"));
      assert.deepEqual(left(), expected());
      assert.equal(status.services.filter(({ role }) => role === "scheduler").length, 1);
    });
  }
});

/** A process and everything below it, the deepest last, as a power failure would end them. */
function descendants(pid: number): number[] {
  const children = childrenOf(pid);
  return [pid, ...children.flatMap(descendants)];
}

function childrenOf(parent: number): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, "utf8"))?.[1]) === parent;
      } catch {
        return false; // it has ended meanwhile
      }
    })
    .map(Number);
}
