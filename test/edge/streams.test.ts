import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import { edgeAddresses, NETWORK } from "../../contracts/edge.ts";
import { docker } from "../support/clone.ts";
import { type Rig, startRig } from "../support/edge.ts";
import { ProxyRig } from "../support/proxyRig.ts";
import { ask, openSocket } from "../support/visitor.ts";

const NAME = "shop.example.com";

/** The whole way: the edge, a stack's real proxy, PHP-FPM and a server of websockets behind it. */
describe("through the edge and a stack's proxy", function () {
  this.timeout(300_000);
  const stack = new ProxyRig(undefined, 1);
  let rig: Rig;
  const release = (number: number) => {
    const server = stack.node(`ws-${number}`, "test/support/socketServer.ts", "6001", `release-${number}`);
    stack.servers = [{ worker: "ws", names: [server], http: { port: 6001, paths: ["/app"], healthPath: undefined } }];
    const trustedProxies = edgeAddresses(["10.213.77.0/24", "fd64:7279:646f:636b::/64"]);
    const { code, stderr } = stack.switch(
      { proxy: { image: "nginx:1.30", timeout: 2, drainTimeout: 4, hosts: [NAME], trustedProxies } },
      `00000000000${number}`,
    );
    assert.equal(code, 0, stderr);
  };
  before(async () => {
    rig = await startRig({ edge: { http3: true } });
    stack.start();
    for (const number of [1, 2, 3]) stack.inVolume("public", `mkdir -p releases/00000000000${number} hashed`);
    docker("network", "connect", NETWORK, stack.proxy);
    release(1);
    const { code, said } = await rig.join("shop-1", "prod", stack.proxy, [{ name: NAME }]);
    assert.equal(code, 0, said);
    await rig.issued(NAME);
  });
  after(() => {
    stack.remove();
    rig?.down();
  });
  /** In the edge's network, by curl. */
  const curl = (...words: string[]) =>
    docker("exec", rig.pebble, "curl", "-sS", "--resolve", `${NAME}:8443:10.213.77.2`, "-k", ...words);

  it("a stream and a silent websocket last longer than a page may take", async () => {
    const socket = await openSocket(rig, NAME, "/app/key");
    const began = Date.now();
    const { status, body } = await ask(rig, NAME, "/stream?parts=5");
    assert.deepEqual([status, body.match(/part/g)?.length], [200, 5]);
    await sleep(Math.max(0, 5_000 - (Date.now() - began)));
    socket.say("still there");
    await sleep(500);
    assert.match(socket.said[0]!, /^release-1 \S+ https$/);
    assert.deepEqual(socket.said.slice(1), ["release-1: still there"]);
    socket.end();
  });

  it("a websocket lives on when a stack comes, and ends when its own stack's release has drained", async () => {
    const socket = await openSocket(rig, NAME, "/app/key");
    assert.equal((await rig.join("more-1", "more", rig.proxy("more"), [{ name: "more.example.com" }])).code, 0);
    await sleep(3_000);
    assert.ok(socket.isOpen(), "a reload of the edge leaves it open");
    release(2);
    await sleep(2_000);
    assert.ok(socket.isOpen(), "as long as was set");
    await sleep(5_000);
    assert.ok(!socket.isOpen(), "then it is closed");
    const again = await openSocket(rig, NAME, "/app/key");
    await sleep(300);
    assert.match(again.said[0]!, /^release-2 /);
    again.end();
  });

  it("visitors come by HTTP/3, and a release breaks none of their requests", async () => {
    assert.match(String((await ask(rig, NAME, "/up")).headers["alt-svc"]), /^h3=":443"; ma=\d+$/);
    const loop =
      "for i in $(seq 150); do curl -sk --http3-only -m 10 -o /dev/null -w '%{http_version} %{http_code}\\n' " +
      `--resolve ${NAME}:8443:10.213.77.2 https://${NAME}:8443/up || echo failed; done`;
    // The edge was reloaded when a stack came: nginx takes new connections again when the old workers are gone.
    docker("restart", rig.edge);
    await sleep(2_000);
    const asked = promisify(execFile)("docker", ["exec", rig.pebble, "sh", "-c", loop]);
    await sleep(500);
    release(3);
    const answers = (await asked).stdout.trim().split("\n");
    assert.deepEqual([answers.length, [...new Set(answers)]], [150, ["3 200"]]);
  });

  it("a visitor's address is his own, IPv6 too", async () => {
    const own = docker("exec", rig.pebble, "sh", "-c", "hostname -I").split(" ");
    const six = own.find((address) => address.includes(":"))!;
    const resolve = `${NAME}:8443:[fd64:7279:646f:636b::2]`;
    const seen = JSON.parse(
      docker("exec", rig.pebble, "curl", "-sSk", "--resolve", resolve, `https://${NAME}:8443/who`),
    ) as Record<string, string>;
    assert.equal(seen.REMOTE_ADDR, six);
    assert.equal(seen.HTTP_X_FORWARDED_FOR, six);
    const four = JSON.parse(curl(`https://${NAME}:8443/who`)) as Record<string, string>;
    assert.ok(own.includes(four.REMOTE_ADDR!), four.REMOTE_ADDR);
  });
});
