import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { dotenv } from "../../../config/dotenv.ts";

const lines = (secret: Record<string, string>) => dotenv({ plain: {}, secret, hash: "" });

// test/e2e/dotenv.test.ts lets PHP's own reader read such files back.
describe("dotenv", () => {
  it("writes plain variables, secrets and extra ones, in this order", () => {
    assert.equal(
      dotenv({ plain: { A: "1" }, secret: { B: "2" }, hash: "" }, { DRYDOCK_RELEASE: "abc" }),
      'A="1"\nB="2"\nDRYDOCK_RELEASE="abc"\n',
    );
  });

  const cases: [value: string, line: string][] = [
    ["", 'X=""\n'],
    ["a b # c", 'X="a b # c"\n'],
    ['say "hi"', 'X="say \\"hi\\""\n'],
    ["it's", 'X="it\'s"\n'],
    ["${HOME} $1", 'X="\\${HOME} \\$1"\n'],
    ["a\\nb\\", 'X="a\\\\nb\\\\"\n'],
    ["one\ntwo\r\n\tthree", 'X="one\\ntwo\\r\\n\\tthree"\n'],
    ["żółw 🐢", 'X="żółw 🐢"\n'],
  ];
  for (const [value, line] of cases)
    it(`keeps ${JSON.stringify(value)} in one line`, () => {
      assert.equal(lines({ X: value }), line);
    });
});
