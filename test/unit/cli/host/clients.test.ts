import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "mocha";

describe("the clients that Drydock puts on PATH", () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-clients-"));
  after(() => rmSync(folder, { recursive: true }));

  it("call the real ones, also where those of two clones are on it", () => {
    const clones = ["one", "two"].map((name) => join(folder, name));
    for (const clone of clones) cpSync("cli/host/bin", clone, { recursive: true });
    const real = join(folder, "real");
    mkdirSync(real);
    for (const name of ["docker", "ssh"]) writeFileSync(join(real, name), `#!/bin/sh\necho the real ${name}: "$@"\n`, { mode: 0o755 });
    const env = { PATH: [...clones, real, "/usr/bin", "/bin"].join(":") };
    for (const clone of clones) {
      for (const name of ["docker", "ssh"]) {
        const { status, stdout } = spawnSync(join(clone, name), ["-V"], { env, encoding: "utf8", timeout: 10_000 });
        assert.deepEqual([status, stdout], [0, `the real ${name}: -V\n`]);
      }
    }
  });
});
