import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { isReadBack, processors } from "../../../lib/processors.ts";

describe("a number of processors", () => {
  it("is written as Pulumi's docker plugin prints what it has read", () => {
    const written = [1, 2, 12, 0.5, 0.1, 0.25, 1.5, 1.05, 10.5, 0.051, 10, 20, 100, 101].map(processors);
    assert.deepEqual(written, [
      "1.0",
      "2.0",
      "12.0",
      "0.5",
      "0.1",
      "0.25",
      "1.5",
      "1.05",
      "10.5",
      "0.051",
      "10.",
      "20.",
      "100.",
      "101.",
    ]);
  });

  it("is refused where that plugin would read another number, or Docker can't count it", () => {
    for (const wrong of [0.05, 0.01, 0.09, 10.05, 100.25, 0.001, 0.1234567891])
      assert.equal(isReadBack(wrong), false, String(wrong));
    for (let hundredths = 10; hundredths <= 1000; hundredths++)
      assert.equal(isReadBack(hundredths / 100), true, String(hundredths / 100));
    for (let whole = 1; whole <= 1024; whole++) assert.equal(isReadBack(whole), true, String(whole));
  });
});
