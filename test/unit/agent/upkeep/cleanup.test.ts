import assert from "node:assert/strict";
import { mostRemoved } from "../../../../agent/upkeep/cleanup.ts";

describe("how many backups may go at once", () => {
  it("twice as many as come between two cleanups, and some of releases", () => {
    assert.equal(mostRemoved({ backup: "0 2 * * *", cleanup: "0 3 1 * *" }), 20 + 2 * 31);
    assert.equal(mostRemoved({ backup: "0 2 * * 0", cleanup: "0 3 * * *" }), 20);
    assert.equal(mostRemoved({ backup: "", cleanup: "" }), 20);
  });
});
