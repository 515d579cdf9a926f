import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";

describe("standard output of the agent's verbs", () => {
  const module = (path: string): string => new URL(`../../../../${path}`, import.meta.url).href;
  /** What a slow reader gets of a program whose pipe has been made one that doesn't wait. */
  const read = (script: string): number => {
    const program = `process.stdout; ${script}`;
    const { stdout, stderr } = spawnSync(
      "sh",
      ["-c", '"$0" --import tsx --input-type=module --eval "$1" | (sleep 2; wc -c)', process.execPath, program],
      { encoding: "utf8" },
    );
    assert.equal(stderr, "");
    return Number(stdout.trim());
  };

  it("waits for a slow reader, whoever has looked at it before", () => {
    const imports =
      `import { output } from ${JSON.stringify(module("agent/shared/output.ts"))}; ` +
      'import { pipeline } from "node:stream/promises";';
    const blocks = `Array.from({ length: 64 }, () => Buffer.alloc(1 << 16, 120))`;
    assert.equal(read(`${imports} await pipeline(${blocks}, output());`), 1 << 22);
  });

  it("has whole lines, too", () => {
    const imports = `import { writeAll } from ${JSON.stringify(module("lib/stateFiles.ts"))};`;
    assert.equal(read(`${imports} writeAll(1, Buffer.alloc(1 << 20, 120));`), 1 << 20);
  });
});
