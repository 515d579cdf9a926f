import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type TrafficLine, trafficOf } from "../../../records/traffic.ts";

const line = (release: string, began: string, ended: string, failed = 0): TrafficLine => ({
  release,
  began: `2026-01-31T${began}.500Z`,
  ended: `2026-01-31T${ended}.500Z`,
  total: 100,
  failed,
});

describe("the traffic of a release", () => {
  const lines = [
    line("a", "10:00:00", "10:01:00", 1),
    line("b", "11:00:00", "11:01:00", 2),
    line("a", "12:00:00", "12:01:00", 3),
  ];

  it("is what was counted while it was recorded", () => {
    assert.equal(trafficOf(lines, { release: "a", at: "2026-01-31T10:00:30Z" })?.failed, 1);
    assert.equal(trafficOf(lines, { release: "a", at: "2026-01-31T12:00:30Z" })?.failed, 3);
    assert.equal(
      trafficOf(lines, { release: "a", at: "2026-01-31T12:00:00Z" })?.failed,
      3,
      "the record's clock has whole seconds",
    );
  });
  it("counts two seconds on either side, and takes the later of two that overlap", () => {
    const at = (time: string) => trafficOf(lines, { release: "b", at: `2026-01-31T${time}Z` })?.failed;
    assert.deepEqual(
      [at("10:59:58.499"), at("10:59:58.500"), at("11:01:02.500"), at("11:01:02.501")],
      [undefined, 2, 2, undefined],
    );
    assert.equal(
      trafficOf([...lines, line("a", "10:00:10", "10:02:00", 9)], { release: "a", at: "2026-01-31T10:00:30Z" })?.failed,
      9,
    );
  });
  it("is none where nobody watched", () => {
    assert.equal(trafficOf(lines, { release: "a", at: "2026-01-31T11:30:00Z" }), undefined);
    assert.equal(trafficOf(lines, { release: "c", at: "2026-01-31T11:00:30Z" }), undefined);
    assert.equal(trafficOf([], { release: "a", at: "2026-01-31T10:00:30Z" }), undefined);
  });
});
