import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import type { Response } from "playwright-core";
import { edgeAddresses, NETWORK } from "../../contracts/edge.ts";
import { haveChromium, openBrowser, type Visit } from "../support/chromium.ts";
import { docker } from "../support/clone.ts";
import { type Rig, startRig } from "../support/edge.ts";
import { ProxyRig } from "../support/proxyRig.ts";

const NAME = "shop.example.com";
/** A name that leads here, and is no stack's. */
const STRANGER = "other.example.com";

/** What visitors have: Chromium, which trusts the authority and excuses nothing. */
describe("a browser at the edge", function () {
  this.timeout(300_000);
  const stack = new ProxyRig(undefined, 1);
  let rig: Rig | undefined;
  let visit: Visit;

  before(async function () {
    if (!(await haveChromium())) return this.skip();
    rig = await startRig({ edge: { hstsAfter: 0 }, validity: 3_600 });
    stack.start();
    const server = stack.node("ws", "test/support/socketServer.ts", "6001", "release-1");
    stack.servers = [{ worker: "ws", names: [server], http: { port: 6001, paths: ["/app"], healthPath: undefined } }];
    stack.inVolume("public", "mkdir -p releases/000000000001 hashed");
    docker("network", "connect", NETWORK, stack.proxy);
    const trustedProxies = edgeAddresses(["10.213.77.0/24", "fd64:7279:646f:636b::/64"]);
    const { code, stderr } = stack.switch({ proxy: { hosts: [NAME], trustedProxies } }, "000000000001");
    assert.equal(code, 0, stderr);
    assert.equal((await rig.join("shop-1", "prod", stack.proxy, [{ name: NAME }])).code, 0);
    await rig.issued(NAME);
    visit = await openBrowser(rig.root, {
      [`${NAME}:80`]: `127.0.0.1:${rig.http}`,
      [`${NAME}:443`]: `127.0.0.1:${rig.https}`,
      [`${STRANGER}:443`]: `127.0.0.1:${rig.https}`,
    });
  });
  after(async () => {
    await visit?.close();
    stack.remove();
    rig?.down();
  });

  const open = async (url: string) => {
    const page = await visit.context.newPage();
    const answer = (await page.goto(url)) as Response;
    return { page, answer };
  };

  it("is led from http to https, and speaks HTTP/2 and TLS 1.3 there", async () => {
    const { page, answer } = await open(`http://${NAME}/up`);
    assert.deepEqual([page.url(), answer.status(), await answer.text()], [`https://${NAME}/up`, 200, "up"]);
    const first = await answer.request().redirectedFrom()?.response();
    assert.equal(first?.status(), 308);
    // As text: the types of browsers are not those of this project.
    const spoken = await page.evaluate<string>("performance.getEntriesByType('navigation')[0].nextHopProtocol");
    const security = await answer.securityDetails();
    assert.deepEqual([spoken, security?.protocol], ["h2", "TLS 1.3"]);
    assert.match(security?.issuer ?? "", /Pebble/);
    await page.close();
  });

  it("asks no more by http once it has heard of HSTS", async () => {
    await (await open(`https://${NAME}/up`)).page.close();
    const { page, answer } = await open(`http://${NAME}/up`);
    const first = await answer.request().redirectedFrom()?.response();
    assert.equal(first?.status(), 307);
    assert.equal(await first?.headerValue("non-authoritative-reason"), "HSTS");
    await page.close();
  });

  it("tells the application that it came by https", async () => {
    const { page, answer } = await open(`https://${NAME}/who`);
    const { HTTPS, HTTP_HOST } = (await answer.json()) as Record<string, string>;
    assert.deepEqual([HTTPS, HTTP_HOST], ["on", NAME]);
    await page.close();
  });

  it("opens a websocket from its page", async () => {
    const { page } = await open(`https://${NAME}/up`);
    const said = await page.evaluate<string>(
      `new Promise((resolve, reject) => {
        const socket = new WebSocket("wss://${NAME}/app/key");
        socket.onmessage = ({ data }) => resolve(String(data));
        socket.onerror = () => reject(new Error("no websocket"));
      })`,
    );
    assert.match(said, /^release-1 \S+ https$/);
    await page.close();
  });

  it("is not let in under a name that nobody has", async () => {
    await assert.rejects(open(`https://${STRANGER}/`), /ERR_SSL_UNRECOGNIZED_NAME_ALERT/);
  });
});
