import assert from "node:assert/strict";
import { resolve } from "node:path";
import { STANDINS } from "../../../offline/install.ts";
import { installedPlugins, shellWords } from "../../../offline/language-nodejs/packages.ts";
import { older } from "../../../offline/version.ts";

describe("offline/language-nodejs/packages", () => {
  it("splits nodeargs as a shell does", () => {
    assert.deepEqual(shellWords(`--import tsx --title "two \\"words\\"" --eval 'a b' c\\ d ""`), [
      "--import",
      "tsx",
      "--title",
      `two "words"`,
      "--eval",
      "a b",
      "c d",
      "",
    ]);
    assert.deepEqual(shellWords("  "), []);
  });

  it("finds the plugins of the installed packages, in the versions that have a stand-in", () => {
    const found = Object.fromEntries(
      installedPlugins(resolve(import.meta.dirname, "../../..")).map(({ name, version }) => [name, version.slice(1)]),
    );
    assert.deepEqual(found, STANDINS);
  });

  it("compares versions of Go", () => {
    assert.deepEqual(
      [older("1.19.8", "1.25.11"), older("1.25", "1.25.11"), older("1.25.11", "1.25.11"), older("1.26.0", "1.25.11")],
      [true, true, false, false],
    );
  });
});
