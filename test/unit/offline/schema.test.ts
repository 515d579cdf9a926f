import assert from "node:assert/strict";
import { changes, check, int, list, object, required, set, str } from "../../../offline/plugin/schema.ts";
import { UNKNOWN } from "../../../offline/plugin/values.ts";
import { containerSchema } from "../../../offline/docker/spec.ts";

describe("offline/plugin/schema", () => {
  const schema = { name: required(str), count: int, tags: set(str), args: list(str), port: object({ internal: required(int), protocol: { ...str, default: "tcp" } }) };

  it("fills in defaults, nested ones too", () => {
    assert.deepEqual(check(schema, { name: "a", port: { internal: 80 } }), { values: { name: "a", port: { internal: 80, protocol: "tcp" } }, failures: [] });
  });

  it("names every input that is unknown, missing or of another type, at once and with its path", () => {
    const { failures } = check(schema, { colour: "red", count: "three", port: { internal: 80, speed: 1 } });
    assert.deepEqual(failures.map(({ property }) => property), ["colour", "name", "count", "port.speed"]);
    assert.match(failures[0]!.reason, /does not implement the input "colour"/);
  });

  it("accepts what a preview can't know yet", () => {
    assert.deepEqual(check(schema, { name: UNKNOWN, count: UNKNOWN, tags: [UNKNOWN] }).failures, []);
  });

  it("ignores the order of a set, but not of a list", () => {
    assert.deepEqual(changes(schema, { tags: ["a", "b"] }, { tags: ["b", "a"] }), []);
    assert.deepEqual(changes(schema, { args: ["a", "b"] }, { args: ["b", "a"] }), [{ key: "args", kind: "update", replace: true }]);
  });

  it("takes empty for absent", () => {
    assert.deepEqual(changes(schema, { tags: [], name: "" }, {}), []);
  });

  it("takes an unknown for a change", () => {
    assert.deepEqual(changes(schema, { name: "a" }, { name: UNKNOWN }), [{ key: "name", kind: "update", replace: true }]);
  });

  it("changes of a container replace it, but for these", () => {
    const inPlace = Object.entries(containerSchema).filter(([, field]) => field.inPlace).map(([key]) => key);
    assert.deepEqual(inPlace, [
      "attach", "containerReadRefreshTimeoutMilliseconds", "cpuSet", "cpuShares", "destroyGraceSeconds", "logs", "maxRetryCount", "memory", "memorySwap",
      "mustRun", "removeVolumes", "restart", "rm", "start", "wait", "waitTimeout",
    ]);
  });
});
