import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { docker } from "../support/clone.ts";
import { type Rig, startRig } from "../support/edge.ts";
import { ask } from "../support/visitor.ts";

const NAME = "shop.example.com";
const DAY = 86_400_000;
/** Seconds: lego asks an authority that is away for half a minute, and an alarm comes with a fifth left. */
const VALIDITY = 180;

/** What breaks beside the edge, or in it: it answers with the last good certificate, says so, and recovers. */
describe("faults of the edge", function () {
  this.timeout(300_000);
  let rig: Rig;
  before(async () => {
    rig = await startRig({ space: 2, validity: VALIDITY });
    assert.equal((await rig.join("shop-1", "prod", rig.proxy("a"), [{ name: NAME }])).code, 0);
    await rig.issued(NAME);
  });
  after(() => rig?.down());

  const answers = async () => assert.match((await ask(rig, NAME)).body, /^a\|/);
  const inKeeper = (line: string) => docker("exec", rig.keeper, "sh", "-c", line);
  const alarms = () => rig.status().alarms.map(({ name, message }) => `${name}: ${message}`);
  const until = async (what: string, is: () => boolean, seconds = 60) => {
    for (const end = Date.now() + seconds * 1000; !is(); await sleep(500))
      if (Date.now() > end) assert.fail(`${what}: ${JSON.stringify(rig.status())}`);
  };

  it("rubbish in the place of a certificate: the last one is back within seconds", async () => {
    for (const rubbish of ["rubbish", "", "-----BEGIN CERTIFICATE-----"]) {
      const began = Date.now();
      inKeeper(`printf %s '${rubbish}' > /certs/live/${NAME}.pem`);
      let failed = 0;
      for (;;) {
        const ok = await answers().then(
          () => true,
          () => false,
        );
        if (!ok) failed++;
        if (ok && Date.now() - began > 4_000) break;
        if (Date.now() - began > 20_000) assert.fail(docker("logs", "--tail", "5", rig.keeper));
        await sleep(100);
      }
      process.stdout.write(`      ${JSON.stringify(rubbish)}: ${failed} handshakes failed meanwhile\n`);
    }
  });

  it("the keeper killed again and again, whatever it writes: what is served is always whole", async () => {
    inKeeper(`printf half > /certs/live/${NAME}.pem.1.part`);
    let asked = 0;
    for (let i = 0; i < 8; i++) {
      docker("kill", rig.keeper);
      for (let j = 0; j < 5; j++, asked++) await answers();
      docker("start", rig.keeper);
      for (const end = Date.now() + 500 + 400 * i; Date.now() < end; asked++) await answers();
    }
    process.stdout.write(`      0 of ${asked} requests failed\n`);
    await rig.issued(NAME);
  });

  it("the edge killed: it has its routes and certificates when it is back", async () => {
    docker("kill", rig.edge);
    await assert.rejects(ask(rig, NAME));
    docker("start", rig.edge);
    await sleep(2_000);
    await answers();
  });

  it("a full volume: the last certificate answers, the log says why, and all goes on when there is room", async () => {
    docker("exec", rig.keeper, "sh", "-c", "dd if=/dev/zero of=/certs/full bs=64k 2>/dev/null || true");
    const fails = () => docker("logs", rig.keeper).match(/ENOSPC|no space left/gi)?.length ?? 0;
    await until("nothing is said of it", () => fails() > 0, 40);
    await answers();
    inKeeper("rm /certs/full");
    await until("it goes on", () => alarms().length === 0);
    await rig.issued(NAME);
    await answers();
  });

  it("the authority away: the last certificate answers, with an alarm; then all is as before", async () => {
    const before = (await ask(rig, NAME)).certificate;
    docker("stop", "--time", "1", rig.pebble);
    const began = Date.now();
    await until(
      "no alarm comes",
      () => alarms().some((one) => /ends on .* could not be renewed/.test(one)),
      VALIDITY + 60,
    );
    await answers();
    const tries = docker("logs", rig.keeper)
      .split("\n")
      .filter((line) => line.includes("tried again at")).length;
    process.stdout.write(`      alarm after ${Math.round((Date.now() - began) / 1000)} s, ${tries} failures so far\n`);
    assert.match((await rig.status()).names[0]!.problem!, /pebble|directory|connect|no such host|refused/i);
    docker("start", rig.pebble);
    await until("it does not recover", () => alarms().length === 0);
    await rig.renewRoot();
    await sleep(3_000);
    await answers();
    assert.notEqual((await ask(rig, NAME)).certificate, before);
  });

  for (const [what, by] of [
    ["two days fast", 2 * DAY],
    ["two days slow", -2 * DAY],
  ] as const)
    it(`the keeper's clock ${what}: the last certificate answers`, async () => {
      const wrong = `const now=Date.now;Date.now=()=>now()+(${by});`;
      rig.anotherKeeper(`NODE_OPTIONS=--import=data:text/javascript,${encodeURIComponent(wrong)}`);
      await sleep(6_000);
      assert.ok(Math.abs(new Date(rig.status().at).getTime() - Date.now() - by) < 60_000, rig.status().at);
      await answers();
      assert.equal(rig.status().names[0]!.kind, "authority");
      if (by > 0) assert.ok(alarms().length > 0, "nobody is told");
      rig.anotherKeeper();
      await until("it does not recover", () => Date.now() - new Date(rig.status().at).getTime() < 10_000);
      await until("the alarm stays", () => alarms().length === 0);
      await rig.issued(NAME);
      await answers();
    });
});
