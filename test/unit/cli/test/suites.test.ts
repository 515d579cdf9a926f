import assert from "node:assert/strict";
import { add, chosen, countsOf, isSuccess, NONE, total } from "../../../../cli/test/suites.ts";

describe("counting tests", () => {
  it("sums over the suites", () => {
    const sum = [
      { passed: 3, failed: 0, skipped: 1 },
      { passed: 2, failed: 1, skipped: 0 },
    ].reduce(add, NONE);
    assert.equal(total(sum), "5 passed, 1 failed, 1 skipped");
  });
  it("leaves out skipped ones where there are none", () =>
    assert.equal(total({ passed: 1, failed: 0, skipped: 0 }), "1 passed, 0 failed"));
  it("counts a suite that crashed as a failure, with what had passed before", () => {
    assert.deepEqual(countsOf(undefined, 1), { passed: 0, failed: 1, skipped: 0 });
    assert.deepEqual(countsOf({ passed: 4, failed: 0, skipped: 0 }, 139), { passed: 4, failed: 1, skipped: 0 });
  });
  it("does not count a named failure twice", () => {
    assert.deepEqual(countsOf({ passed: 4, failed: 2, skipped: 0 }, 2), { passed: 4, failed: 2, skipped: 0 });
  });
  it("succeeds only when something ran and nothing failed", () => {
    assert.equal(isSuccess(NONE), false);
    assert.equal(isSuccess({ passed: 0, failed: 0, skipped: 3 }), false);
    assert.equal(isSuccess({ passed: 1, failed: 1, skipped: 0 }), false);
    assert.equal(isSuccess({ passed: 1, failed: 0, skipped: 3 }), true);
  });
});

describe("choosing suites", () => {
  it("runs all but the long ones, the quick ones first", () =>
    assert.deepEqual(chosen({}), ["types", "style", "unit", "policies", "conformance", "engine", "e2e"]));
  it("runs the long ones with --all", () =>
    assert.deepEqual(chosen({ all: true }).slice(7), [
      "component",
      "supply",
      "releases",
      "remote",
      "dockerVersions",
      "backup",
      "edge",
      "monitoring",
      "hostile",
      "images",
      "faults",
    ]));
  it("runs one with --only, a long one too", () => assert.deepEqual(chosen({ only: "releases" }), ["releases"]));
  it("checks no types where names are searched", () => assert.equal(chosen({ grep: "x" }).includes("types"), false));
});
