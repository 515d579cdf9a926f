import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { answered } from "../../../lib/answer.ts";

describe("the answer of a script", () => {
  it("is the last line after a record separator, whatever else is printed", () => {
    assert.equal(answered('noise\n\u001e{"a":1}\nbye\n\u001e{"a":2}\n{"a":3}\n'), '{"a":2}');
    assert.equal(answered('noise \u001e{"a":1}\n{"a":2}'), undefined);
  });
});
