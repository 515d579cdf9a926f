import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { request as plainRequest } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { Agent } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { after, before, describe, it } from "mocha";
import { docker } from "../support/clone.ts";
import { nginxImage } from "../support/debian.ts";
import { BLOCKED, type Rig, startRig, VALIDITY } from "../support/edge.ts";
import { type Question, ask as visit } from "../support/visitor.ts";

describe("the edge, with a real authority", function () {
  this.timeout(600_000);
  let rig: Rig;
  let https: number;
  before(async () => {
    rig = await startRig();
    https = rig.https;
  });
  after(() => rig?.down());

  const ask = (name: string, path?: string, more?: Question) => visit({ https, root: rig.root }, name, path, more);

  const plain = (host: string, path: string): Promise<{ status: number; location: string | undefined }> =>
    new Promise((resolve, reject) => {
      const question = plainRequest({ host: "127.0.0.1", port: rig.http, path, headers: { host } }, (answer) => {
        answer.resume();
        resolve({ status: answer.statusCode!, location: answer.headers.location });
      });
      question.on("error", reject).end();
    });

  /** Asks all the while: half on new connections, a quarter POST. */
  function load(name: string) {
    const agent = new Agent({ keepAlive: true });
    const found = { asked: 0, failed: [] as string[], certificates: new Set<string>() };
    let over = false;
    const client = async (first: number): Promise<void> => {
      for (let i = first; !over; i++) {
        const more = { ...(i % 2 === 0 ? { agent } : {}), method: i % 4 < 1 ? "POST" : "GET" };
        await ask(name, `/${i}`, more).then(
          ({ status, certificate }) => {
            if (status !== 200) found.failed.push(String(status));
            if (certificate !== "") found.certificates.add(certificate);
          },
          (error: Error) => found.failed.push(error.message),
        );
        found.asked++;
        await sleep(20);
      }
    };
    const clients = Array.from({ length: 6 }, (_, index) => client(index));
    return async () => {
      over = true;
      await Promise.all(clients);
      agent.destroy();
      return found;
    };
  }

  const issued = (name: string) => rig.issued(name);

  it("gets certificates for a stack's names; one that fails stops no other", async () => {
    const proxy = rig.proxy("a");
    const { code, said } = await rig.join("shop-1", "prod", proxy, [
      { name: BLOCKED },
      { name: "shop.example.com", redirectFrom: ["www.shop.example.com"] },
    ]);
    assert.equal(code, 0, said);
    const begin = Date.now();
    for (const name of ["shop.example.com", "www.shop.example.com"]) await issued(name);
    process.stdout.write(`      issued within ${Math.round((Date.now() - begin) / 1000)} s\n`);
    const { status, body } = await ask("shop.example.com", "/x?y=1", {
      headers: { "x-forwarded-for": "1.2.3.4", "x-forwarded-host": "evil" },
    });
    assert.equal(status, 200);
    const [by, host, address, scheme, forwardedHost, uri] = body.split("|");
    assert.deepEqual([by, host, scheme, forwardedHost, uri], ["a", "shop.example.com", "https", "", "/x?y=1"]);
    assert.notEqual(address, "1.2.3.4");
    const blocked = rig.status().names.find(({ name }) => name === BLOCKED)!;
    assert.equal(blocked.kind, "placeholder");
    assert.match(blocked.problem!, /rejectedIdentifier|blocklist|refus|forbid|policy/i);
  });

  it(
    "leads http to https and further names to the first, " + "speaks HTTP/2, and refuses names that nobody has",
    async () => {
      assert.deepEqual(await plain("shop.example.com", "/a?b=c"), {
        status: 308,
        location: "https://shop.example.com/a?b=c",
      });
      assert.deepEqual(await plain("www.shop.example.com", "/a"), {
        status: 308,
        location: "https://shop.example.com/a",
      });
      assert.equal((await plain("other.example.com", "/")).status, 421);
      assert.equal((await ask("www.shop.example.com", "/a")).headers["location"], "https://shop.example.com/a");
      await assert.rejects(ask("other.example.com"), /unrecognized name|alert/i);
      const session = connectHttp2("https://shop.example.com", {
        createConnection: () =>
          connect({
            host: "127.0.0.1",
            port: https,
            servername: "shop.example.com",
            ca: rig.root,
            ALPNProtocols: ["h2"],
          }),
      });
      const status = await new Promise((resolve, reject) => {
        session.on("error", reject);
        session
          .request({ ":path": "/" })
          .on("response", (headers) => resolve(headers[":status"]))
          .end();
      });
      session.close();
      assert.equal(status, 200);
      assert.match(String((await ask("shop.example.com")).headers["strict-transport-security"]), /max-age=31536000/);
    },
  );

  it("gives way to no edge that nginx refuses, or that can't have its ports", async () => {
    const { code, said } = await rig.check({ ports: `127.0.0.1:${rig.https}:8443/tcp` });
    assert.deepEqual([code, said], [0, ""], "its own ports are no obstacle");

    const old = await rig.check({ image: await nginxImage("bookworm") });
    assert.equal(old.code, 1, old.said);
    assert.match(old.said, /unknown directive[^]*nothing was changed[^]*nginx 1\.27\.4 or newer/);

    const busy = createServer();
    await new Promise<void>((done) => void busy.listen(0, "127.0.0.1", done));
    const { port } = busy.address() as AddressInfo;
    const taken = await rig.check({ ports: `127.0.0.1:${port}:8443/tcp` });
    busy.close();
    assert.equal(taken.code, 1, taken.said);
    assert.match(taken.said, new RegExp(`${port}[^]*a port that something else has[^]*nothing was changed`));

    const route = "/var/lib/drydock/routes/other.conf";
    docker("exec", rig.edge, "sh", "-c", `echo 'server { quick; }' > ${route}`);
    const refused = await rig.check();
    docker("exec", rig.edge, "rm", route);
    assert.equal(refused.code, 1, refused.said);
    assert.match(refused.said, /routes\/other\.conf[^]*nothing was changed/);
    assert.equal((await ask("shop.example.com")).status, 200);
  });

  it("refuses a name that another stack has, and changes nothing", async () => {
    const { code, said } = await rig.join("other-1", "staging", rig.proxy("b"), [{ name: "shop.example.com" }]);
    assert.equal(code, 1);
    assert.match(said, /shop\.example\.com belongs to stack prod/);
    assert.match((await ask("shop.example.com")).body, /^a\|/);
  });

  it("asks for a password where the stack says so, but not on open paths", async () => {
    const domain = {
      name: "staging.example.com",
      noindex: true,
      access: { users: { team: "a long password" }, open: ["/hooks"] },
      paths: { "/hooks/ops": { users: { ops: "another long one" } }, "/inside": { allow: ["192.0.2.0/24"] } },
      limits: { "/hooks/login": { rate: 1, burst: 1 } },
      redirects: { "/old": { to: "/hooks/new", status: 301 } },
    };
    assert.equal((await rig.join("staging-1", "staging", rig.proxy("c"), [domain])).code, 0);
    await issued("staging.example.com");
    const authorization = (password: string, user = "team") => ({
      authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
    });
    const statuses = await Promise.all([
      ask("staging.example.com"),
      ask("staging.example.com", "/", { headers: authorization("a long password") }),
      ask("staging.example.com", "/", { headers: authorization("another one") }),
      ask("staging.example.com", "/hooks/stripe"),
      ask("staging.example.com", "/hooks-other"),
      ask("staging.example.com", "/admin/..%2fhooks/x"),
      ask("staging.example.com", "/admin/../hooks/x"),
      ask("staging.example.com", "//hooks/x"),
    ]);
    assert.deepEqual(
      statuses.map(({ status }) => status),
      [401, 200, 401, 200, 401, 400, 400, 400],
    );
    assert.equal(statuses[1]!.headers["x-robots-tag"], "noindex");
    const ops = authorization("another long one", "ops");
    const closed = await Promise.all([
      ask("staging.example.com", "/hooks/ops"),
      ask("staging.example.com", "/hooks/ops/x", { headers: authorization("a long password") }),
      ask("staging.example.com", "/hooks/ops/x", { headers: ops }),
      ask("staging.example.com", "/index.php/hooks/ops/x", { headers: authorization("a long password") }),
      ask("staging.example.com", "/index.php/hooks/ops/x", { headers: ops }),
      ask("staging.example.com", "/inside/x", { headers: authorization("a long password") }),
      ask("staging.example.com", "/inside/../x", { headers: authorization("a long password") }),
      ask("staging.example.com", "/old?a=b"),
    ]);
    assert.deepEqual(
      closed.map(({ status }) => status),
      [401, 401, 200, 401, 200, 403, 400, 301],
    );
    assert.equal(closed[7]!.headers["location"], "/hooks/new?a=b");
    const often = [];
    for (const path of ["/hooks/login", "/hooks/login/x", "/hooks/login?again", "/hooks/login"])
      often.push((await ask("staging.example.com", path)).status);
    assert.deepEqual(often, [200, 200, 429, 429]);
    assert.match(statuses[1]!.body, /^c\|/);
  });

  it("adds, changes and removes stacks without a failed request of another one", async () => {
    const stop = load("shop.example.com");
    for (let i = 0; i < 4; i++) {
      assert.equal(
        (await rig.join(`more-${i}`, "more", rig.proxy(`more-${i}`), [{ name: `more-${i}.example.com` }])).code,
        0,
      );
      await sleep(500);
    }
    // The stack's own proxy gives way to another one.
    assert.equal((await rig.join("shop-1", "prod", rig.proxy("a2"), [{ name: "shop.example.com" }])).code, 0);
    for (let i = 0; i < 4; i++) await rig.leave(`more-${i}`, "more");
    const { asked, failed } = await stop();
    process.stdout.write(`      ${failed.length} of ${asked} requests failed in 9 reloads\n`);
    assert.deepEqual(failed, []);
    assert.match((await ask("shop.example.com")).body, /^a2\|/);
    await assert.rejects(ask("more-1.example.com"), /unrecognized name|alert/i);
  });

  it("renews under load without a reload or a failed request", async () => {
    const reloads = () => docker("logs", rig.edge).split("reconfiguring").length;
    const before = reloads();
    const stop = load("shop.example.com");
    await sleep(VALIDITY * 3_000);
    const { asked, failed, certificates } = await stop();
    process.stdout.write(
      `      ${failed.length} of ${asked} requests failed; ${certificates.size} certificates were seen\n`,
    );
    assert.deepEqual(failed, []);
    assert.ok(certificates.size >= 3, `${certificates.size} certificates`);
    assert.equal(reloads(), before);
  });

  it(
    "serves the last certificate with its keeper killed, " + "and with the whole file it has another one afterwards",
    async () => {
      docker("kill", rig.keeper);
      assert.equal((await ask("shop.example.com")).status, 200);
      const pem = docker("exec", rig.edge, "cat", "/certs/live/shop.example.com.pem");
      assert.ok(new X509Certificate(pem).checkHost("shop.example.com"));
      docker("start", rig.keeper);
      await issued("shop.example.com");
      assert.equal((await ask("shop.example.com")).status, 200);
    },
  );
});
