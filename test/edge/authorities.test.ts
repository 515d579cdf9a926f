import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { docker } from "../support/clone.ts";
import { type Rig, startRig } from "../support/edge.ts";
import { ask } from "../support/visitor.ts";

const ACCOUNT = { kid: "kid-1", hmac: "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W" };
/** A name that the authority for trials refuses, and the other one would sign. */
const TRIED = "tried.example.com";

describe("the edge's authorities", function () {
  this.timeout(300_000);
  let rig: Rig;
  before(async () => {
    rig = await startRig({
      ...{ account: ACCOUNT, trials: TRIED, dns: true, validity: 3600 },
      edge: { dns: { provider: "httpreq", variables: { HTTPREQ_ENDPOINT: "http://dns-api:9000" }, wait: 1 } },
    });
  });
  after(() => rig?.down());
  const status = (name: string) => rig.status().names.find((one) => one.name === name)!;

  it("prove a wildcard by the zone's provider, with an account that the authority knows", async () => {
    const { code, said } = await rig.join("shop-1", "prod", rig.proxy("a"), [
      { name: "*.preview.example.com" },
      { name: "shop.example.com" },
    ]);
    assert.equal(code, 0, said);
    const begin = Date.now();
    await rig.issued("*.preview.example.com");
    await rig.issued("shop.example.com");
    process.stdout.write(`      issued within ${Math.round((Date.now() - begin) / 1000)} s\n`);
    const { https, root } = rig;
    for (const name of ["pr-1.preview.example.com", "pr-2.preview.example.com", "shop.example.com"])
      assert.match((await ask({ https, root }, name)).body, /^a\|/, name);
    const deeper = ask({ https, root }, "x.pr-1.preview.example.com");
    await assert.rejects(deeper, /unrecognized name|alert/i);
    assert.match(docker("logs", rig.dns!), /\/present _acme-challenge\.preview\.example\.com\.\n[^]*\/cleanup /);
    assert.doesNotMatch(docker("logs", rig.dns!), /shop\.example/);
  });

  it("are asked only when the one for trials has said yes", async () => {
    assert.equal((await rig.join("tried-1", "tried", rig.proxy("b"), [{ name: TRIED }])).code, 0);
    for (let tries = 0; status(TRIED)?.problem === undefined && tries < 100; tries++) await sleep(500);
    assert.equal(status(TRIED).kind, "placeholder");
    assert.match(status(TRIED).problem!, /rejectedIdentifier|refus|policy|blocklist/i);
    const asked = (container: string, name: string) => docker("logs", container).includes(name);
    assert.ok(!asked(rig.pebble, TRIED), "the other one was asked");
    assert.ok(asked(rig.trials!, "shop.example.com") && asked(rig.pebble, "shop.example.com"));
  });

  it("have no say in a certificate of the user's own, which another one follows at once", async () => {
    const folder = mkdtempSync(join(tmpdir(), "drydock-own-"));
    const made = (serial: string) => {
      const [key, chain] = [join(folder, "key"), join(folder, "pem")];
      execFileSync(
        "openssl",
        [
          ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"],
          ...["-subj", "/CN=own.example.com", "-addext", "subjectAltName=DNS:own.example.com"],
          ...["-set_serial", serial, "-keyout", key, "-out", chain],
        ],
        { stdio: "ignore" },
      );
      return { key: readFileSync(key, "utf8"), chain: readFileSync(chain, "utf8") };
    };
    try {
      const proxy = rig.proxy("c");
      for (const serial of ["0x1234567", "0x89ABCDE"]) {
        const certificate = made(serial);
        assert.equal((await rig.join("own-1", "own", proxy, [{ name: "own.example.com", certificate }])).code, 0);
        let seen = "";
        for (let tries = 0; tries < 30; tries++, await sleep(500)) {
          seen = (await ask({ https: rig.https, root: certificate.chain }, "own.example.com", "/", { strict: false }))
            .certificate;
          if (seen.endsWith(serial.slice(2))) break;
        }
        assert.ok(seen.endsWith(serial.slice(2)), `${seen} ${serial}`);
      }
      assert.equal(status("own.example.com").kind, "own");
      assert.ok(!docker("logs", rig.pebble).includes("own.example.com"));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("may forget who we are: then there is another account, and the next certificate", async () => {
    docker("restart", "--time", "1", rig.trials!);
    docker("restart", "--time", "1", rig.pebble);
    await rig.renewRoot();
    assert.equal((await rig.join("later-1", "later", rig.proxy("d"), [{ name: "later.example.com" }])).code, 0);
    await rig.issued("later.example.com");
    assert.match((await ask(rig, "later.example.com")).body, /^d\|/);
    const kept = docker("exec", rig.keeper, "sh", "-c", "ls -d /accounts/*/accounts*");
    assert.equal(kept.match(/forgotten/g)?.length, 2, kept);
  });
});
