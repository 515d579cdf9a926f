import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { Usage } from "../../../../agent/companion/usage.ts";
import { steadyNow } from "../../../../agent/shared/clock.ts";

const DAY = 86_400_000;

describe("a restore that nobody asks about", () => {
  it("is forgotten after a while, and never while anything that was asked of it goes on", async () => {
    const usage = new Usage();
    const later = steadyNow() + DAY;
    assert.ok(usage.idle(later) > DAY - 60_000);
    const ends: (() => void)[] = [];
    const asked = [0, 1].map(() => usage.during(() => new Promise<void>((resolve) => ends.push(resolve))));
    assert.equal(usage.idle(later), 0);
    ends[0]!();
    await asked[0];
    assert.equal(usage.idle(later), 0);
    ends[1]!();
    await asked[1];
    assert.ok(usage.idle(later) > 0 && usage.idle() < 60_000);
    await assert.rejects(
      usage.during(() => Promise.reject(new Error("no"))),
      /no/,
    );
    assert.ok(usage.idle(later) > 0, "what failed goes on no more");
  });
});
