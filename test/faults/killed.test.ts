import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { before, describe, it } from "mocha";
import { killSession, killTree, PlainUp, type Step } from "../support/faults/steps.ts";
import { shared } from "../support/faults/subject.ts";

/** A step is killed in its midst, but no later than this, in ms. */
const MIDST = 2_000;

describe("a release that is killed", function () {
  this.timeout(1_800_000);
  const subject = shared();
  let steps: readonly Step[] = [];

  before(async () => {
    // A release with a new image and a pending migration. Its steps are those that are killed below.
    subject.change();
    subject.migration();
    steps = await new PlainUp(subject.clone).steps();
    await subject.up();
    assert.ok(steps.length > 8, `a release has steps; the engine named ${steps.map(({ name }) => name).join(", ")}`);
  });

  it("is gone on with by the next one, whichever step it was killed in", async () => {
    const wrong: string[] = [];
    // Migrations are over before anything is started: what comes later is the same without one.
    const firstStart = steps.findIndex(({ type }) => type === "docker:index/container:Container");
    for (const [index, { name, took }] of steps.entries()) {
      subject.change();
      if (index < firstStart) subject.migration();
      await subject
        .fault(`Pulumi killed: ${name}`, async () => {
          const release = new PlainUp(subject.clone);
          assert.ok(await release.begins(name), `the release is over, without ${name}: ${release.output}`);
          await sleep(Math.min(took / 2, MIDST));
          await release.kill();
        })
        .catch((error: Error) => wrong.push(`${name}: ${error.message}`));
    }
    assert.deepEqual(wrong, []);
  });

  it("is waited for, where its Pulumi has survived `./drydock`", () =>
    subject.fault("`./drydock` killed, its Pulumi not", async () => {
      subject.change();
      await subject.upWhile((found) => found.some((one) => one.role === "app" && subject.isNew(one)), killSession);
    }));

  it("is gone on with, where both were killed while a migration runs", () =>
    subject.fault("`./drydock` and Pulumi killed while a migration runs", async () => {
      subject.migration("DB::statement('do sleep(5)');");
      await subject.upWhile(
        (found) => found.some(({ name, state }) => name.endsWith("-migrate") && state === "running"),
        killTree,
      );
    }));
});
