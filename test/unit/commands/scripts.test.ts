import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { describe, it } from "mocha";

describe("the scripts of the steps", () => {
  it("can be read by a shell", () => {
    const scripts = readdirSync("commands", { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".sh"),
    );
    assert.ok(scripts.length > 30);
    for (const script of scripts) execFileSync("sh", ["-n", `commands/${script}`]);
  });

  it("hand PHP nothing on standard input that has constants of a script in a file", () => {
    const scripts = readdirSync("commands", { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".sh"))
      .map((file) => readFileSync(`commands/${file}`, "utf8"));
    const handed = scripts.flatMap((script) => [
      ...script.matchAll(/(?:<|cat) (runtime\/\S+\.php)( runtime\/\S+\.php)?/g),
    ]);
    const files = new Set(
      handed.flatMap(([, first, second]) => [first!, ...(second === undefined ? [] : [second.trim()])]),
    );
    assert.deepEqual([...files].sort(), ["runtime/assets.php", "runtime/probe.php", "runtime/publicFiles.php"]);
    for (const file of files) assert.doesNotMatch(readFileSync(file, "utf8"), /\b(?:fwrite|fread|fgets)\(STD/, file);
  });
});
