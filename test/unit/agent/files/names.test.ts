import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { joined, keyOf, lossy, pathOf, shown } from "../../../../agent/files/names.ts";
import { sumsBelow } from "../../../../agent/files/sums.ts";
import { fileDifferences } from "../../../../agent/restore/compare.ts";
import { filesToBackUp, settledSums } from "../../../../agent/snapshot/files.ts";

/** Names that Linux takes: any bytes but NUL and the slash, up to 255 of them. */
const name = fc
  .uint8Array({ minLength: 1, maxLength: 255 })
  .map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 0 && byte !== 0x2f)))
  .filter((bytes) => bytes.length > 0 && ![".", ".."].includes(bytes.toString()));
const HOSTILE = [
  "plain",
  "with space",
  "-rf",
  "--help",
  "line\nbreak",
  "tab\tand\rreturn",
  "quote'\"`$(id)",
  "__proto__",
  "constructor",
  "100%25.txt",
  "\u202egpj.exe",
  "emoji \u{1F600}",
  "\uFFFD",
  "x".repeat(255),
  "caf\u00e9",
]
  .map((text) => Buffer.from(text))
  .concat([Buffer.from("caf\xe9.txt", "latin1"), Buffer.from([0xff, 0xfe]), Buffer.from([0xe2, 0x82])]);

describe("names of files", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-names-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("are bytes: each has a key of its own, which leads back to it", () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        assert.ok(pathOf(keyOf(a)).equals(a));
        assert.equal(keyOf(a) === keyOf(b), a.equals(b));
        assert.equal(JSON.parse(JSON.stringify(keyOf(a))), keyOf(a));
      }),
    );
    assert.equal(keyOf(Buffer.from("a/caf\u00e9 100%")), "a/caf\u00e9 100%", "as earlier agents recorded it");
  });

  it("are shown in one line and one direction", () => {
    assert.deepEqual(
      [Buffer.from("caf\xe9\n", "latin1"), Buffer.from("caf\u00e9\n\\"), Buffer.from("a\u202eb")].map((path) =>
        shown(keyOf(path)),
      ),
      ["caf\\xe9\\x0a", "caf\u00e9\\x0a\\\\", "a\\u202eb"],
    );
  });

  it("of every kind: their files are summed, compared and settled", async () => {
    mkdirSync(join(folder, "inner"));
    for (const [index, one] of HOSTILE.entries())
      writeFileSync(joined(folder, joined("inner", one)), `content ${index}`);
    const { sums, unreadable } = await filesToBackUp(["."], undefined, folder);
    assert.deepEqual([Object.keys(sums).length, unreadable], [HOSTILE.length, []]);
    const restored = JSON.parse(JSON.stringify(await sumsBelow(folder))) as Awaited<ReturnType<typeof sumsBelow>>;
    assert.deepEqual(fileDifferences(sums, restored), []);
    // As restic names them: what is no UTF-8 became a sign that stands for it.
    const stored = HOSTILE.map((one) => `inner/${one.toString("utf8")}`);
    assert.deepEqual(settledSums(sums, stored, folder), { sums, changed: 0, count: HOSTILE.length });
    const again = await filesToBackUp(["."], sums, folder);
    assert.deepEqual(again.sums, sums);
    const { [keyOf(joined("inner", HOSTILE.at(-3)!))]: _, ...fewer } = restored;
    assert.deepEqual(fileDifferences(sums, fewer), ["inner/caf\\xe9.txt is missing"]);
  });

  it("of which the path is too long to be looked at elsewhere are backed up, and have no sum", async () => {
    const deep = join(folder, ...Array.from({ length: 20 }, () => "d".repeat(197)));
    mkdirSync(deep, { recursive: true });
    const [fits, long] = ["f".repeat(4000 - 20 * 198), "l".repeat(4001 - 20 * 198)];
    for (const one of [fits, long]) writeFileSync(join(deep, one), one);
    const { sums, unreadable } = await filesToBackUp(["."], undefined, folder);
    const [key, ...more] = Object.keys(sums);
    assert.deepEqual([key?.length, more, unreadable], [4000, [], []]);
    assert.deepEqual(Object.keys(await sumsBelow(folder)), [key]);
    const stored = [fits, long].map((one) => join(deep, one).slice(folder.length + 1));
    const settled = settledSums(sums, stored, folder);
    assert.deepEqual([Object.keys(settled.sums), settled.changed, settled.count], [[key], 1, 2]);
  });

  it("that look alike to restic: where some were left out, none of them has a sum, the others do", async () => {
    for (const bytes of [[0x61, 0xff], [0x61, 0xfe], [0x62]]) writeFileSync(joined(folder, Buffer.from(bytes)), "x");
    const { sums } = await filesToBackUp(["."], undefined, folder);
    assert.equal(lossy(Buffer.from([0x61, 0xff])), lossy("a\uFFFD"));
    const settled = settledSums(sums, ["a\uFFFD", "b"], folder);
    assert.deepEqual([Object.keys(settled.sums), settled.changed, settled.count], [["b"], 1, 2]);
  });

  it("of what can't be read are told, and the rest is summed", async function () {
    if (process.getuid?.() === 0) return this.skip(); // root reads everything; see test/hostile/agent.test.ts
    for (const one of ["a", "secret", "b"]) writeFileSync(join(folder, one), one);
    mkdirSync(join(folder, "closed"));
    chmodSync(join(folder, "secret"), 0);
    chmodSync(join(folder, "closed"), 0);
    const { sums, unreadable } = await filesToBackUp(["."], undefined, folder);
    chmodSync(join(folder, "closed"), 0o700);
    assert.deepEqual(Object.keys(sums), ["a", "b"]);
    assert.deepEqual([...unreadable].sort(), ["closed can't be read: EACCES", "secret can't be read: EACCES"]);
  });
});
