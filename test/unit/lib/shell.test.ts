import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { quote } from "../../../lib/shell.ts";

describe("quoting for a shell", () => {
  it("leaves a plain word as it is", () => assert.equal(quote("/usr/bin:/bin"), "/usr/bin:/bin"));
  it("quotes an empty word", () => assert.equal(quote(""), "''"));

  it("comes back unchanged out of eval, whatever is in it", () => {
    for (const value of [
      "",
      "a b",
      "it's",
      "$(id) `id` $HOME",
      "a\nb",
      'say "hi"\\',
      "ünïcode; rm -rf x",
      "'''",
      "!x*?[a]~",
    ]) {
      const out = execFileSync("sh", ["-c", 'eval "$LINE"; printf %s "$VALUE"'], {
        env: { ...process.env, LINE: `VALUE=${quote(value)}` },
      });
      assert.equal(out.toString(), value);
    }
  });
});
