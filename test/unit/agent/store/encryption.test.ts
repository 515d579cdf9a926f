import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "mocha";
import { derivedKey, open, seal } from "../../../../agent/store/encryption.ts";

describe("what is sealed", () => {
  const key = derivedKey(randomBytes(24).toString("hex"));
  const sealed = seal(key, "a/b", Buffer.from("content ".repeat(100)));
  it("opens with its key and name", () => {
    assert.equal(open(key, "a/b", sealed).toString(), "content ".repeat(100));
    assert.ok(!sealed.includes("content"));
  });
  for (const [title, name, data, other] of [
    ["another key", "a/b", sealed, true],
    ["another name", "a/c", sealed, false],
    ["a cut", "a/b", sealed.subarray(0, -5), false],
    ["nothing", "a/b", Buffer.alloc(0), false],
    ["one changed bit", "a/b", Buffer.from(sealed.map((byte, index) => (index === 30 ? byte ^ 1 : byte))), false],
  ] as const) {
    it(`is refused with ${title}`, () =>
      assert.throws(
        () => open(other ? derivedKey("another") : key, name, data),
        /is damaged, or was made with another key/,
      ));
  }
});
