import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathOf } from "../../../../agent/files/names.ts";
import { sumsBelow } from "../../../../agent/files/sums.ts";
import { type Archived, tarOf } from "../../../../agent/files/tar.ts";
import { NAMES } from "../../../support/hostile/names.ts";

describe("a folder as tar", () => {
  let [from, to] = ["", ""];
  beforeEach(() => {
    [from, to] = [mkdtempSync(join(tmpdir(), "tar-from-")), mkdtempSync(join(tmpdir(), "tar-to-"))];
  });
  afterEach(() => {
    execFileSync("rm", ["-rf", from, to]);
  });

  const archive = async (onChunk: (size: number) => void = () => undefined): Promise<[Buffer, Archived]> => {
    const chunks: Uint8Array[] = [];
    const reading = tarOf(from, (name) => name.startsWith(".drydock-"));
    for (;;) {
      const { done, value } = await reading.next();
      if (done) return [Buffer.concat(chunks), value];
      chunks.push(value);
      onChunk(value.length);
    }
  };
  const extract = (tar: Buffer): void =>
    void execFileSync("tar", ["--extract", "--same-permissions", "--directory", to], { input: tar });
  const listed = (folder: string): string =>
    execFileSync("sh", [
      "-c",
      "cd \"$0\" && find . -mindepth 1 ! -type d -printf '%y %m %s %U:%G %Ts %l %p\\0' | sort -z; find . " +
        "-mindepth 1 -type d -printf '%y %m %p\\0' | sort -z",
      folder,
    ]).toString("latin1");
  const write = (name: Buffer | string, content: string): void =>
    writeFileSync(Buffer.concat([Buffer.from(`${from}/`), Buffer.from(name)]), content);

  it("is the same again, whatever the names in it are, byte for byte", async () => {
    const names = NAMES.filter((name) => !/[/\0]/.test(name) && name !== "." && name !== "..");
    for (const name of names.filter((one) => Buffer.byteLength(one) <= 255)) write(name, name);
    write(Buffer.from("caf\xe9", "latin1"), "not UTF-8");
    write(Buffer.alloc(255, 0xff), "as long as a name can be");
    const deep = join(from, ...Array.from({ length: 9 }, (_, index) => String(index).repeat(60)));
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, "x".repeat(100)), "deep");
    writeFileSync(join(deep, "y".repeat(101)), "");
    symlinkSync("z".repeat(300), join(from, "far"));
    symlinkSync("/etc/passwd", join(from, "outside"));
    symlinkSync(".", join(from, "round"));
    mkdirSync(join(from, "hollow"));
    chmodSync(join(from, "hollow"), 0o711);
    write("large", "0123456789abcdef".repeat(100_000));
    write("setuid", "1");
    chmodSync(join(from, "setuid"), 0o4750);
    write("old", "1");
    utimesSync(join(from, "old"), new Date(1999, 0, 2), new Date(1999, 0, 2));
    execFileSync("mkfifo", [join(from, "pipe")]);
    mkdirSync(join(from, ".drydock-before-1"));
    write(".drydock-before-1/kept", "of a restore");
    write(".drydockish", "of the service");

    const [tar, found] = await archive();
    extract(tar);
    execFileSync("rm", ["-r", join(from, "pipe"), join(from, ".drydock-before-1")]);
    assert.equal(listed(to), listed(from));
    assert.deepEqual(await sumsBelow(to), await sumsBelow(from));
    assert.deepEqual([found.unreadable, found.changed], [[], 0]);
    const sums = Object.fromEntries(Object.entries(found.sums).map(([key, { sum }]) => [key, sum]));
    assert.deepEqual(sums, await sumsBelow(from));
    assert.equal(found.count, Object.keys(sums).length);
    assert.ok(found.count > 60, String(found.count));
  });

  it("has the sums of what is in it, also where a file grows, shrinks or goes while it is read", async () => {
    const size = 3 << 20;
    for (const name of ["grows", "shrinks"]) write(name, "x".repeat(size));
    write("then", "goes");
    let [grown, shrunk] = [false, false];
    let seen = 0;
    const [tar, found] = await archive((length) => {
      seen += length;
      if (seen > size / 2 && !grown) appendFileSync(join(from, "grows"), "more");
      if (seen > size / 2) grown = true;
      if (seen > size * 1.5 && !shrunk) {
        truncateSync(join(from, "shrinks"), 10);
        rmSync(join(from, "then"));
      }
      if (seen > size * 1.5) shrunk = true;
    });
    assert.ok(grown && shrunk);
    assert.deepEqual([found.count, found.changed, found.unreadable], [2, 2, []]);
    extract(tar);
    for (const [key, { sum }] of Object.entries(found.sums)) {
      const content = readFileSync(Buffer.concat([Buffer.from(`${to}/`), pathOf(key)]));
      assert.equal(content.length, size, key);
      assert.equal(createHash("sha256").update(content).digest("hex"), sum, key);
    }
  });

  it("has what lies too deep to be looked at elsewhere, and names what is deeper than that", async () => {
    const deep = join(from, ...Array.from({ length: 20 }, () => "d".repeat(197)));
    mkdirSync(deep, { recursive: true });
    writeFileSync(join(deep, "f".repeat(50)), "too deep");
    execFileSync("bash", [
      "-c",
      'cd "$0" && mkdir "$1" && cd "$1" && mkdir "$1" && cd "$1" && echo x > x',
      deep,
      "e".repeat(80),
    ]);
    const [tar, found] = await archive();
    assert.deepEqual([found.count, found.changed, Object.keys(found.sums)], [1, 1, []]);
    assert.match(found.unreadable.join(), /^[de/]+ can't be read: ENAMETOOLONG$/);
    extract(tar);
    assert.deepEqual(await sumsBelow(to), {});
  });

  it("writes large numbers as GNU tar reads them", async () => {
    execFileSync("truncate", ["-s", "9G", join(from, "sparse")]);
    const reading = tarOf(from, () => false);
    const { value } = await reading.next();
    await reading.return(undefined as never);
    const said = execFileSync("sh", ["-c", "tar --list --verbose 2>/dev/null || true"], { input: value as Uint8Array });
    assert.match(said.toString(), / 9663676416 .* sparse/);
  });

  it("names what can't be read, and has the rest", async function () {
    if (process.getuid?.() !== 0) this.skip();
    write("open", "1");
    write("closed", "2");
    mkdirSync(join(from, "room"));
    write("room/inside", "3");
    chmodSync(join(from, "closed"), 0o000);
    chmodSync(join(from, "room"), 0o000);
    chmodSync(from, 0o755);
    const script = `import { tarOf } from
      ${JSON.stringify(new URL("../../../../agent/files/tar.ts", import.meta.url).href)};
      process.setgid(65534); process.setuid(65534);
      const reading = tarOf(${JSON.stringify(from)}, () => false);
      for (;;) { const { done, value } = await reading.next(); if (done) { console.log(JSON.stringify(value)); break;
      } }`;
    const node = ["--import", "tsx", "--input-type=module", "--eval", script];
    const found = JSON.parse(execFileSync(process.execPath, node, { encoding: "utf8" })) as Archived;
    assert.deepEqual(Object.keys(found.sums), ["open"]);
    assert.deepEqual(found.unreadable, ["closed can't be read: EACCES", "room can't be read: EACCES"]);
  });
});
