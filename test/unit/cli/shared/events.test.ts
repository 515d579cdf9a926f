import assert from "node:assert/strict";
import {
  changes,
  changesAnything,
  containersBefore,
  type EngineEvent,
  readEvents,
  type StepState,
} from "../../../../cli/shared/events.ts";

const summary = (resourceChanges: Record<string, number>): EngineEvent => ({ summaryEvent: { resourceChanges } });
const step = (type: string, old: StepState, next: StepState) => ({
  metadata: { op: "same", urn: `urn::${type}`, type, old, new: next },
});
const stack = (old: object, next: object): EngineEvent => ({
  resOutputsEvent: step("pulumi:pulumi:Stack", { outputs: { ...old } }, { outputs: { ...next } }),
});

describe("what a preview says will change", () => {
  it("is nothing when all stays the same", () => assert.equal(changesAnything([summary({ same: 43 })]), false));
  it("is something when a resource does not", () => {
    const events = [summary({ same: 42, update: 1, delete: 0 })];
    assert.equal(changesAnything(events), true);
    assert.deepEqual(changes(events), { update: 1 });
  });
  it("is taken for something when the preview did not come to its end", () => assert.equal(changesAnything([]), true));
  it("is an output that has another value", () => {
    assert.equal(changesAnything([summary({ same: 1 }), stack({ url: "a" }, { url: "b" })]), true);
  });
  it("is not an output whose keys come in another order", () => {
    assert.equal(
      changesAnything([
        summary({ same: 1 }),
        stack({ url: "a", list: [{ x: 1, y: 2 }] }, { list: [{ y: 2, x: 1 }], url: "a" }),
      ]),
      false,
    );
  });
  it("is read from the last event of the stack: before it, outputs are not there yet", () => {
    const early: EngineEvent = {
      resourcePreEvent: step("pulumi:pulumi:Stack", { outputs: { url: "a" } }, { outputs: {} }),
    };
    assert.equal(
      changesAnything([early, stack({ url: "a" }, {}), stack({ url: "a" }, { url: "a" }), summary({ same: 1 })]),
      false,
    );
  });
  it("is a protection that was added or taken away", () => {
    assert.equal(
      changesAnything([
        summary({ same: 1 }),
        { resourcePreEvent: step("docker:index/volume:Volume", {}, { protect: true }) },
      ]),
      true,
    );
    assert.equal(
      changesAnything([
        summary({ same: 1 }),
        { resourcePreEvent: step("docker:index/volume:Volume", { protect: false }, {}) },
      ]),
      false,
    );
  });
});

describe("the containers that the state has before an update", () => {
  const of = (op: string, name: string, old: StepState | null): EngineEvent => ({
    resourcePreEvent: {
      metadata: {
        op,
        urn: `urn:pulumi:local::drydock::drydock:index:App$docker:index/container:Container::${name}`,
        type: "docker:index/container:Container",
        old,
        new: {},
      },
    },
  });
  it("are those that stay and those that are replaced, without those that only wait for their end", () => {
    const events = [
      of("same", "redis", { outputs: { name: "redis-1" } }),
      of("create-replacement", "app-1", { outputs: { name: "app-1-2" } }),
      of("delete-replaced", "app-1", { outputs: { name: "app-1-1" } }),
    ];
    assert.deepEqual(containersBefore([...events, summary({ same: 1 })]), [
      { name: "redis", container: "redis-1" },
      { name: "app-1", container: "app-1-2" },
    ]);
  });
  it("are none before the first deployment", () =>
    assert.deepEqual(containersBefore([of("create", "redis", null), stack({}, { url: "b" })]), []));
});

describe("the engine's event log", () => {
  it("is read up to where it was cut off", () => {
    assert.deepEqual(
      readEvents("log", () => '{"summaryEvent":{}}\n{"cut'),
      [{ summaryEvent: {} }],
    );
  });
  it("is empty where there is none", () =>
    assert.deepEqual(
      readEvents("/nowhere", () => {
        throw new Error("ENOENT");
      }),
      [],
    ));
});
