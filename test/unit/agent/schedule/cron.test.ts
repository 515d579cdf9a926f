import assert from "node:assert/strict";
import { daysWith, isDue, longestPause, nextTime, notInFuture } from "../../../../agent/schedule/cron.ts";
import { day } from "../../../support/agent/entries.ts";

describe("the schedule", () => {
  it("is in UTC, and means nothing where it is empty", () => {
    assert.equal(nextTime("0 2 * * *", new Date("2026-11-22T02:00:00Z"))?.toISOString(), "2026-11-23T02:00:00.000Z");
    assert.equal(nextTime("", new Date()), null);
  });
  it("makes up for what was missed, once", () => {
    const now = new Date("2026-11-22T09:00:00Z");
    assert.equal(isDue("0 2 * * *", new Date("2026-11-19T02:00:05Z"), now), true);
    assert.equal(isDue("0 2 * * *", now, now), false);
    assert.equal(isDue("0 2 * * *", new Date("2026-11-22T02:00:05Z"), now), false);
  });
  it("is counted by days", () => {
    assert.deepEqual(
      ["0 2 * * *", "0 * * * *", "0 2 * * 0", "", "0 2 30 2 *"].map((pattern) => daysWith(pattern, 14)),
      [14, 14, 2, 0, 0],
    );
    assert.deepEqual(["0 2 * * *", "*/5 * * * *", "0 3 1 * *", ""].map(longestPause), [1, 1, 31, 366]);
  });
  it("takes a time in the future for now, and says so where it is more than a trifle", () => {
    const now = new Date(day(20));
    const last = { backup: day(21), cleanup: day(1), health: new Date(now.getTime() + 1_000).toISOString() };
    const expected = { backup: day(20), cleanup: day(1), health: day(20) };
    assert.deepEqual(notInFuture(last, now), { last: expected, ahead: ["backup"] });
    assert.equal(notInFuture(expected, now).last, expected);
  });
});
