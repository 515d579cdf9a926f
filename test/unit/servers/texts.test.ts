import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { FOLDER, TEXTS } from "../../support/nginx/texts.ts";

/** Of what is told nginx, each line is as it was looked at last; what it does there, test/e2e and test/edge see. */
describe("what nginx is told", () => {
  for (const [name, text] of Object.entries(TEXTS))
    it(`is ${name}, to the letter (after a change that is wanted: npx tsx test/support/nginx/texts.ts)`, () => {
      assert.equal(text(), readFileSync(join(FOLDER, name), "utf8"));
    });

  it("has no file that nothing is compared with", () => {
    assert.deepEqual(readdirSync(FOLDER).sort(), Object.keys(TEXTS).sort());
  });
});
