import assert from "node:assert/strict";
import { containerSchema } from "../../../offline/docker/spec.ts";
import {
  bool,
  changes,
  check,
  computed,
  int,
  list,
  object,
  required,
  set,
  str,
} from "../../../offline/plugin/schema.ts";
import { UNKNOWN } from "../../../offline/plugin/values.ts";

describe("offline/plugin/schema", () => {
  const schema = {
    name: required(str),
    count: int,
    tags: set(str),
    args: list(str),
    port: object({ internal: required(int), protocol: { ...str, default: "tcp" } }),
  };

  it("fills in defaults, nested ones too", () => {
    assert.deepEqual(check(schema, { name: "a", port: { internal: 80 } }), {
      values: { name: "a", port: { internal: 80, protocol: "tcp" } },
      failures: [],
    });
  });

  it("names every input that is unknown, missing or of another type, at once and with its path", () => {
    const { failures } = check(schema, { colour: "red", count: "three", port: { internal: 80, speed: 1 } });
    assert.deepEqual(
      failures.map(({ property }) => property),
      ["colour", "name", "count", "port.speed"],
    );
    assert.match(failures[0]!.reason, /does not implement the input "colour"/);
  });

  it("accepts what a preview can't know yet", () => {
    assert.deepEqual(check(schema, { name: UNKNOWN, count: UNKNOWN, tags: [UNKNOWN] }).failures, []);
  });

  it("ignores the order of a set, but not of a list", () => {
    assert.deepEqual(changes(schema, { tags: ["a", "b"] }, { tags: ["b", "a"] }), []);
    assert.deepEqual(changes(schema, { args: ["a", "b"] }, { args: ["b", "a"] }), [
      { key: "args", kind: "update", replace: true },
    ]);
  });

  it("takes empty for absent", () => {
    assert.deepEqual(changes(schema, { tags: [], name: "" }, {}), []);
  });

  it("takes an unknown for a change", () => {
    assert.deepEqual(changes(schema, { name: "a" }, { name: UNKNOWN }), [
      { key: "name", kind: "update", replace: true },
    ]);
  });

  it("takes what was read for given where nothing is, and nothing, zero and false for the same", () => {
    const fields = { read: computed(int), other: int, set: computed(set(str)) };
    assert.deepEqual(changes(fields, { read: 5, other: 5, set: ["a"] }, {}), [
      { key: "other", kind: "delete", replace: true },
    ]);
    assert.deepEqual(
      changes(
        { flag: computed(bool), set: computed(set(str)) },
        { flag: true, set: ["a"] },
        { flag: false, set: [] },
      ).map(({ key }) => key),
      ["flag"],
    );
    assert.deepEqual(changes({ number: int, flag: bool }, { number: 0, flag: false }, {}), []);
  });

  it("changes of a container replace it, but for these", () => {
    const inPlace = Object.entries(containerSchema)
      .filter(([, field]) => field.inPlace)
      .map(([key]) => key);
    assert.deepEqual(inPlace, [
      "attach",
      "containerReadRefreshTimeoutMilliseconds",
      "cpuSet",
      "cpuShares",
      "destroyGraceSeconds",
      "healthcheck",
      "init",
      "logs",
      "maxRetryCount",
      "memory",
      "memorySwap",
      "mounts",
      "mustRun",
      "removeVolumes",
      "restart",
      "rm",
      "start",
      "tmpfs",
      "wait",
      "waitTimeout",
    ]);
    const mounts = (...targets: string[]) => ({ mounts: targets.map((target) => ({ type: "volume", target })) });
    const replaces = (before: object, after: object) =>
      changes(containerSchema, before as any, after as any).map(({ replace }) => replace);
    assert.deepEqual(
      [replaces(mounts("/a"), mounts("/b")), replaces(mounts("/a"), mounts("/a", "/b"))],
      [[false], [true]],
    );
  });
});
