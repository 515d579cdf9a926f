import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { ensureImages } from "../../cli/setup/images.ts";
import { docker } from "../support/clone.ts";
import { ProxyRig } from "../support/proxyRig.ts";
import { Sockets } from "../support/sockets.ts";

const CLIENTS = 20;

/** Open websockets at a release: real nginx, a server of websockets, clients that connect again. */
describe("websockets behind the proxy", function () {
  this.timeout(180_000);
  const rig = new ProxyRig(undefined, 1);
  let sockets: Sockets | undefined;
  const release = (number: number, proxy: object = {}) => {
    const server = rig.node(`ws-${number}`, "test/support/socketServer.ts", "6001", `release-${number}`);
    rig.servers = [{ worker: "ws", names: [server], http: { port: 6001, paths: ["/app"], healthPath: undefined } }];
    const { code, stderr } = rig.switch(
      { proxy: { image: "nginx:1.30", timeout: 3, ...proxy } },
      `00000000000${number}`,
    );
    assert.equal(code, 0, stderr);
    return server;
  };
  const drained = (TIMEOUT: number) => rig.step("drain", { PROXY: rig.proxy, TIMEOUT: String(TIMEOUT), SITE: "" });

  before(async () => {
    const host = process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock";
    await ensureImages({ log: () => undefined, host, only: ["base", "certificates"] });
    rig.start();
    for (const number of [1, 2, 3]) rig.inVolume("public", `mkdir -p releases/00000000000${number} hashed`);
    release(1, { drainTimeout: 6 });
  });
  after(() => {
    sockets?.end();
    rig.remove();
  });

  it("may be silent for longer than a page may take", async () => {
    sockets = new Sockets(`ws://127.0.0.1:${rig.port}/app/key`, CLIENTS);
    await sockets.greeted(/^release-1 /);
    await sleep(5_000);
    assert.deepEqual(new Set(await sockets.say("still there")), new Set(["release-1: still there"]));
    assert.deepEqual(sockets.closed, []);
  });

  it("last as long as was set after a release; then clients connect again, and find the new one", async () => {
    release(2, { drainTimeout: 6 });
    const switched = Date.now();
    await sleep(2_000);
    assert.deepEqual(sockets!.closed, [], "those that are open live on");
    assert.match((await sockets!.say("x"))[0]!, /^release-1: x$/);
    assert.equal(drained(11).code, 0);
    const waited = (Date.now() - switched) / 1000;
    await sockets!.greeted(/^release-2 /);
    assert.equal(sockets!.closed.length, CLIENTS);
    const [first, last] = [Math.min(...sockets!.closed) - switched, Math.max(...sockets!.closed) - switched];
    process.stdout.write(
      `      closed ${first} to ${last} ms after the switch; the release waited ${waited.toFixed(1)} s\n`,
    );
    assert.ok(first >= 4_000 && last <= 9_000, `${first} ${last}`);
    assert.ok(waited <= 9, `${waited}`);
  });

  it("end with the old server where nothing was set, and are open again at once", async () => {
    const old = `${rig.id}-ws-2`;
    // What was set for the release before counts for its own connections.
    release(3);
    sockets!.closed.length = 0;
    docker("stop", old);
    await sockets!.greeted(/^release-3 /);
    assert.equal(sockets!.closed.length, CLIENTS);
  });
});
