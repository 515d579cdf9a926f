import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { canHaveEngine, Engine } from "../support/faults/engine.ts";
import { Subject } from "../support/faults/subject.ts";

/** On an engine of the test's own: the machine's is never stopped. */
describe("a release while Docker itself is restarted", function () {
  this.timeout(600_000);
  const machines = process.env.DOCKER_HOST;
  let engine: Engine;
  let subject: Subject;

  before(async function () {
    if (!canHaveEngine) this.skip();
    engine = new Engine();
    await engine.start();
    subject = new Subject();
    // The machine's engine has the images, or builds them.
    assert.equal((await subject.clone.drydock(["preview"])).code, 0);
    const images = subject.clone.read("Pulumi.local.yaml").match(/drydock\/\w+:[\w.-]+/g) ?? [];
    assert.ok(images.length >= 4, `images are ${images.join(", ")}`);
    engine.load([...new Set(images)], machines);
    process.env.DOCKER_HOST = engine.host;
    await subject.begin();
    subject.reachedBy(await engine.reach(Number(new URL(subject.status.url).port)));
  });
  after(async () => {
    await subject?.remove();
    if (machines === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = machines;
    await engine?.remove();
  });

  it("says that Docker does not answer, and the next one comes back to all of it", () =>
    subject.fault(
      "dockerd restarted",
      async () => {
        subject.change();
        const result = await subject.upWhile(
          (found) => found.some((one) => one.role === "app" && subject.isNew(one)),
          () => engine.stop(),
        );
        assert.equal(result.code, 1, subject.said(result));
        assert.match(subject.said(result), /Docker does not answer/);
        await engine.start();
      },
      { mayFail: { match: /./, why: "all, while no container runs" } },
    ));
});
