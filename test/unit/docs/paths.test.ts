import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { describe, it } from "mocha";

const tracked = (...patterns: readonly string[]): readonly string[] =>
  execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", ...patterns], {
    encoding: "utf8",
  })
    .split("\0")
    .filter((file) => file !== "" && existsSync(file));

/** In a remedy, for somebody's own script. */
const EXAMPLES = ["commands/NAME.sh", "commands/install.sh"];

describe("the documents", () => {
  it("name files that there are, when they name one of the project's", () => {
    const folders = [...new Set(tracked("*.ts", "*.sh").flatMap((file) => file.match(/^[^/.]+(?=\/)/) ?? []))];
    const path = new RegExp(`(?<![\\w./-])(?:${folders.join("|")})/[\\w./-]+\\.(?:ts|cjs|mjs|sh)\\b`, "g");
    const wrong = tracked("*.md", ":!CHANGELOG.md", ":!examples").flatMap((document) =>
      [...readFileSync(document, "utf8").matchAll(path)]
        .map(([file]) => file)
        .filter((file) => !existsSync(file) && !EXAMPLES.includes(file))
        .map((file) => `${document}: ${file}`),
    );
    assert.deepEqual(wrong, []);
  });
});
