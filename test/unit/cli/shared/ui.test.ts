import assert from "node:assert/strict";
import { harmlessLine } from "../../../../cli/shared/ui.ts";
import { harmless } from "../../../../lib/harmless.ts";

describe("a text of somebody else's, in a terminal", () => {
  it("moves no cursor, sets no title, wipes no screen, makes no link and rings no bell", () => {
    assert.equal(harmless("a\u001b[2J\u001b]0;x\u0007\u001b]8;;http://x\u001b\\b"), "a␛[2J␛]0;x␇␛]8;;http://x␛\\b");
    assert.equal(harmless("50 %\r100 %\b\u0000\u007f"), "50 %␍100 %␈␀␡");
    assert.equal(harmless("\u009b2J\u009d0;x\u009c"), "\\x9b2J\\x9d0;x\\x9c");
    assert.equal(harmless("a\u202ecod.exe"), "a\\u202ecod.exe");
  });

  it("is as it is where there is nothing to obey", () => {
    for (const text of ["", "a\tb", "Größe 5 € 🚢", '[2026-01-01] local.ERROR: {"a":1}'])
      assert.equal(harmless(text), text);
  });

  it("keeps its colours to the end of the line, and no longer", () => {
    assert.equal(harmlessLine("\u001b[31mred\u001b[2J"), "\u001b[31mred␛[2J\u001b[0m");
    assert.equal(harmlessLine("\u001b[38;2;1;2;3mx\u001b[0m"), "\u001b[38;2;1;2;3mx\u001b[0m\u001b[0m");
    assert.equal(harmlessLine("plain"), "plain");
    assert.equal(harmlessLine("as a terminal writes it\r"), "as a terminal writes it");
  });
});
