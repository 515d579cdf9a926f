import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureState } from "../../../../cli/setup/passphrase.ts";
import { type Paths, pathsOf } from "../../../../cli/shared/project.ts";

describe("the passphrase of a clone", () => {
  let paths: Paths;
  beforeEach(() => {
    paths = pathsOf(mkdtempSync(join(tmpdir(), "drydock-passphrase-")));
  });
  afterEach(() => rmSync(paths.root, { recursive: true }));
  const generated = (): NodeJS.ProcessEnv => ({ PULUMI_CONFIG_PASSPHRASE_FILE: paths.passphrase });

  it("is generated once, for nobody else's eyes", () => {
    ensureState(paths, "local", generated());
    const first = readFileSync(paths.passphrase, "utf8");
    assert.match(first, /^[\w-]{43}\n$/);
    assert.equal(statSync(paths.passphrase).mode & 0o777, 0o600);
    assert.equal(statSync(paths.folder).mode & 0o777, 0o700);
    ensureState(paths, "local", generated());
    assert.equal(readFileSync(paths.passphrase, "utf8"), first);
  });

  it("is not generated where the user has his own", () => {
    ensureState(paths, "local", { PULUMI_CONFIG_PASSPHRASE: "his" });
    assert.throws(() => readFileSync(paths.passphrase), { code: "ENOENT" });
  });

  it("is not replaced where secrets are encrypted with one that is missing", () => {
    writeFileSync(paths.stackFile("prod"), "encryptionsalt: v1:x\n");
    assert.throws(
      () => ensureState(paths, "prod", generated()),
      /secrets of Pulumi\.prod\.yaml are encrypted, and the passphrase is not in this clone/,
    );
    ensureState(paths, "staging", generated());
    ensureState(paths, "prod", generated());
  });
});
