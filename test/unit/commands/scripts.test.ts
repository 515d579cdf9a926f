import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { describe, it } from "mocha";

describe("the scripts of the steps", () => {
  it("can be read by a shell", () => {
    const scripts = readdirSync("commands", { recursive: true, encoding: "utf8" }).filter((file) =>
      file.endsWith(".sh"),
    );
    assert.ok(scripts.length > 30);
    for (const script of scripts) execFileSync("sh", ["-n", `commands/${script}`]);
  });
});
