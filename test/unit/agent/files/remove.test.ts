import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { removeAll } from "../../../../agent/files/remove.ts";
import { inMemory } from "../../../support/files.ts";

describe("what was unpacked of an application", () => {
  it("can be thrown away whatever it denies itself, and nothing that a link in it leads to", () => {
    const root = process.getuid!() === 0;
    // Rights don't stop root.
    if (root) process.seteuid!(65_534);
    try {
      const folder = inMemory("drydock-remove-");
      const [kept, gone] = [join(folder, "kept"), join(folder, "gone")];
      for (const at of [kept, join(gone, "shut/in"), join(gone, "sealed")]) mkdirSync(at, { recursive: true });
      for (const at of [kept, join(gone, "shut"), join(gone, "shut/in"), join(gone, "sealed")]) {
        writeFileSync(Buffer.concat([Buffer.from(`${at}/caf`), Buffer.from([0xe9])]), "x");
        symlinkSync(kept, join(at, "link"));
      }
      for (const at of ["shut/in", "shut"]) chmodSync(join(gone, at), 0o555);
      // Deeper than a path may be long.
      const further = 'i=0; while [ $i -lt 20 ]; do i=$((i + 1)); mkdir "$1"; cd "$1" || exit 1; done; : > x';
      execFileSync("bash", ["-pc", further, "sh", "d".repeat(240)], { cwd: join(gone, "sealed") });
      chmodSync(join(gone, "sealed"), 0);
      chmodSync(kept, 0o555);
      removeAll(gone);
      assert.equal(existsSync(gone), false);
      assert.equal(existsSync(join(kept, "link")), true);
      removeAll(gone);
      removeAll(folder);
      assert.equal(existsSync(folder), false);
    } finally {
      if (root) process.seteuid!(0);
    }
  });
});
