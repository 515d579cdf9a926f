import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { LastLook } from "../../../../agent/schedule/lastLook.ts";

const MINUTE = 60_000;

describe("the last look at the backups", () => {
  it("is none before the first has succeeded", () => {
    const last = new LastLook(0);
    last.failed("EIO");
    assert.equal(last.isRecent(MINUTE), false);
    assert.equal(last.problem(10 * MINUTE), undefined);
    assert.match(last.problem(11 * MINUTE)!, /for 11 minutes: EIO$/);
  });

  it("is recent for ten minutes, whatever fails meanwhile", () => {
    const last = new LastLook(0);
    last.succeeded(100 * MINUTE);
    last.failed("EIO");
    assert.equal(last.isRecent(110 * MINUTE), true);
    assert.equal(last.problem(110 * MINUTE), undefined);
    assert.equal(last.isRecent(110 * MINUTE + 1), false);
    assert.match(last.problem(125 * MINUTE)!, /for 25 minutes: EIO$/);
  });

  it("is well again with the next that succeeds", () => {
    const last = new LastLook(0);
    last.failed("EIO");
    last.succeeded(60 * MINUTE);
    assert.deepEqual([last.isRecent(61 * MINUTE), last.problem(61 * MINUTE)], [true, undefined]);
  });
});
