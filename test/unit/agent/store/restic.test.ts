import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "mocha";
import { Restic, storeArguments } from "../../../../agent/store/restic.ts";
import { damagedPacks, isDamage, plain } from "../../../../agent/store/resticMessages.ts";

describe("the repository", () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-restic-"));
  const path = process.env["PATH"];
  const repository = join(folder, "repository");
  const asked = (): string[] =>
    existsSync(join(folder, "asked")) ? readFileSync(join(folder, "asked"), "utf8").trim().split("\n") : [];
  before(() => {
    // As restic: where there are keys it makes no repository.
    writeFileSync(
      join(folder, "restic"),
      `#!/bin/sh
echo "$*" >> ${folder}/asked
case $1 in
  init) [ ! -d "$RESTIC_REPOSITORY/keys" ] || {
    echo "Fatal: create key in repository failed: repository already contains keys" >&2; exit 1; } ;;
  cat) [ -z "$THERE" ] || exit 0; echo "Fatal: repository does not exist: unable to open config file" >&2; exit 10 ;;
esac\n`,
    );
    chmodSync(join(folder, "restic"), 0o755);
    process.env["PATH"] = `${folder}:${path}`;
  });
  beforeEach(() => {
    for (const name of ["asked", "repository"]) rmSync(join(folder, name), { recursive: true, force: true });
  });
  after(() => {
    process.env["PATH"] = path;
    rmSync(folder, { recursive: true });
  });

  it("is made where it isn't there, here after a look and elsewhere after a question", async () => {
    await new Restic(repository).ensure();
    assert.deepEqual(asked(), ["init --quiet"]);
    await new Restic("s3:https://s3.example.com/shop/backups/repository").ensure();
    assert.deepEqual(asked().slice(1), ["cat config --quiet", "init --quiet"]);
  });

  it("is left as it is where it is there", async () => {
    mkdirSync(repository);
    writeFileSync(join(repository, "config"), "");
    await new Restic(repository).ensure();
    await new Restic("s3:https://s3.example.com/shop/backups/repository", { THERE: "1" }).ensure();
    assert.deepEqual(asked(), ["cat config --quiet"]);
  });

  it("is started anew where its making was killed, and never where a snapshot may need its key", async () => {
    mkdirSync(join(repository, "keys"), { recursive: true });
    mkdirSync(join(repository, "snapshots"));
    await new Restic(repository).ensure();
    assert.deepEqual([asked(), existsSync(join(repository, "keys"))], [["init --quiet"], false]);
    mkdirSync(join(repository, "keys"));
    writeFileSync(join(repository, "snapshots", "one"), "");
    await assert.rejects(new Restic(repository).ensure(), /already contains keys/);
    assert.ok(existsSync(join(repository, "keys")));
  });

  it("says in words what it says in JSON, and that a damaged repository is one", () => {
    const said =
      'restic failed (code 1): {"message_type":"exit_error","code":1,"message":"Fatal: load(<data/6fa1>): ' +
      'invalid data returned"}\n';
    assert.equal(plain(said), "restic failed (code 1): Fatal: load(<data/6fa1>): invalid data returned");
    assert.equal(isDamage(said), true);
    for (const text of ["no space left on device", "already locked", "connection refused", "Fatal: wrong password"])
      assert.equal(isDamage(text), false, text);
  });

  it("says which of its packs are damaged", () => {
    const [a, b] = [
      "4d12a0912babe2242653a61b19959fa35f345ce68160afeb46f04bd7dfbb89bd",
      "3c3507c83c266076f960a6923343daf48840899ff5f64361f521e97016a799f4",
    ];
    const said = [
      `pack ${a} contains 2 errors: [blob db37968b: decrypting blob <data/db37968b> from pack ${a} failed: ` +
        "ciphertext verification failed unexpected pack id 0fef]",
      `pack ${b}: unexpected file size: got 90000, expected 3000443`,
      `restic repair packs ${a} ${b}`,
      "Fatal: repository contains errors",
    ];
    for (const [text, packs] of [
      [said.join("\n"), [a, b]],
      [`pack ${b}: does not exist\nThe repository is damaged and must be repaired.`, [b]],
      [said[2]!, [a, b]],
    ] as const) {
      assert.deepEqual([isDamage(`${text} does not match`), damagedPacks(text)], [true, packs]);
    }
    assert.deepEqual(damagedPacks("Fatal: unable to open config file"), []);
    assert.equal(isDamage("Fatal: repository does not exist: unable to open config file"), false);
  });

  it("opens what it has just sealed itself where no proof does it", () => {
    assert.ok(!storeArguments(false).includes("--no-extra-verify"));
    assert.deepEqual(storeArguments(true), [...storeArguments(false), "--no-extra-verify"]);
  });
});
