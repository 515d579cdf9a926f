import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const EXAMPLE = fileURLToPath(new URL("../../../../examples/laravel", import.meta.url));

function contents(folder: string): Readonly<Record<string, string>> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((file) => [file.slice(folder.length), readFileSync(file, "utf8")]),
  );
}

describe("the example application", () => {
  it("has built assets that are those of its sources: run `node examples/laravel/build-assets.mjs`", () => {
    const folder = mkdtempSync(join(tmpdir(), "drydock-example-"));
    try {
      for (const part of ["build-assets.mjs", "resources"])
        cpSync(join(EXAMPLE, part), join(folder, part), { recursive: true });
      execFileSync(process.execPath, [join(folder, "build-assets.mjs")]);
      assert.deepEqual(contents(join(EXAMPLE, "public/build")), contents(join(folder, "public/build")));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("keeps secrets, caches and data out of its image", () => {
    const ignored = readFileSync(join(EXAMPLE, ".dockerignore"), "utf8").split("\n");
    assert.deepEqual(
      [".env", ".env.*", "storage", "bootstrap/cache", ".git"].filter((path) => !ignored.includes(path)),
      [],
    );
  });

  it("caches no configuration in its image: the environment is the container's", () => {
    const steps = readFileSync(join(EXAMPLE, "Dockerfile"), "utf8")
      .split("\n")
      .filter((line) => /^[A-Z]/.test(line));
    assert.deepEqual(
      steps.filter((step) => /config:cache|artisan/.test(step)),
      [],
    );
    assert.match(steps.at(-1) ?? "", /^COPY /);
  });
});
