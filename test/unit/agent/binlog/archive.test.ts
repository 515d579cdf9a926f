import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BinlogArchive } from "../../../../agent/binlog/archive.ts";
import { reaches, statementsOf, stretchesOf } from "../../../../agent/binlog/statements.ts";
import { LocalStore } from "../../../../agent/store/store.ts";
import { EXIT } from "../../../../contracts/agent.ts";

const MAGIC = Buffer.from([0xfe, 0x62, 0x69, 0x6e]);
/** An event of a binary log: header and body. */
const event = (time: number, type: number, body = Buffer.alloc(21)): Buffer => {
  const head = Buffer.alloc(19);
  head.writeUInt32LE(time, 0);
  head[4] = type;
  head.writeUInt32LE(19 + body.length, 9);
  return Buffer.concat([head, body]);
};
/** A statement, with two bytes of variables before the schema's name. */
const query = (schema: string, text: string, time = 100): Buffer => {
  const fixed = Buffer.alloc(13);
  fixed[8] = Buffer.byteLength(schema);
  fixed.writeUInt16LE(2, 11);
  return event(time, 2, Buffer.concat([fixed, Buffer.from([0, 1]), Buffer.from(`${schema}\0${text}`)]));
};
/** The first event of a file; `start` where the server had just started. */
const format = (time: number, start: number): Buffer => {
  const body = Buffer.alloc(60);
  body.writeUInt32LE(start, 52);
  return event(time, 15, body);
};
const STOP = 3;
const ROTATE = 4;
const ROWS = 23;

describe("statements of the log", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-statements-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const file = (name: string, ...events: Buffer[]) => {
    const path = join(folder, name);
    writeFileSync(path, Buffer.concat([MAGIC, ...events]));
    return { name, path };
  };

  it("are read with their schema and place, rows left out, up to where the file is whole", () => {
    const [first, second, rows] = [
      query("shop", "CREATE TABLE a (id INT)"),
      query("", "ALTER TABLE shop.a ADD b INT"),
      event(1, ROWS),
    ];
    const { path } = file("binlog.000001", first, rows, second, query("shop", "cut").subarray(0, -1));
    const at = MAGIC.length + first.length + rows.length;
    assert.deepEqual(
      [...statementsOf(path)],
      [
        { from: 4, to: 4 + first.length, schema: "shop", text: "CREATE TABLE a (id INT)" },
        { from: at, to: at + second.length, schema: "", text: "ALTER TABLE shop.a ADD b INT" },
      ],
    );
  });

  it("reach a schema from outside where they name it", () => {
    for (const text of [
      "ALTER TABLE shop.orders ADD z INT",
      "alter table `shop`.`orders` add z int",
      "RENAME TABLE other.a TO shop . a",
      "DROP TABLE IF EXISTS `shop` . `a`",
      "CREATE DATABASE IF NOT EXISTS shop",
      "DROP SCHEMA `shop`",
      "CREATE TABLE x.y LIKE shop.z",
    ])
      assert.equal(reaches({ schema: "", text }, "shop"), true, text);
    for (const text of [
      "ALTER TABLE shops.orders ADD z INT",
      "ALTER TABLE eshop.orders ADD z INT",
      "ALTER TABLE `my shop`.orders ADD z INT",
      "DROP VIEW shop",
      "GRANT ALL ON shop.* TO x",
      "create or replace user shop.x",
      "FLUSH TABLES shop.a",
      "CREATE DATABASE shop_2",
    ])
      assert.equal(reaches({ schema: "other", text }, "shop"), false, text);
    assert.equal(
      reaches({ schema: "shop", text: "ALTER TABLE shop.a ADD b INT" }, "shop"),
      false,
      "from inside it is replayed anyway",
    );
    assert.equal(reaches({ schema: "", text: "ALTER TABLE `a``b.c`.t ADD b INT" }, "a`b.c"), true);
  });

  it("from outside are replayed in their place, and everything else by the schema", () => {
    const [inside, rows, outside, more] = [
      query("shop", "CREATE TABLE a (id INT)"),
      event(1, ROWS),
      query("", "ALTER TABLE shop.a ADD b INT"),
      query("other", "DROP TABLE shop.b"),
    ];
    const files = [
      file("binlog.000001", inside, outside, rows),
      file("binlog.000002", rows),
      file("binlog.000003", outside, rows, more, rows, outside),
    ];
    const [i, r, o, m] = [inside, rows, outside, more].map(({ length }) => length) as [number, number, number, number];
    assert.deepEqual(stretchesOf(files, 4, "shop", 4 + o + r + m + 5), [
      { file: "binlog.000001", from: 4, to: 4 + i },
      { file: "binlog.000001", from: 4 + i, to: 4 + i + o, outside: "" },
      { file: "binlog.000001", from: 4 + i + o },
      { file: "binlog.000002", from: 4 },
      { file: "binlog.000003", from: 4, to: 4 + o, outside: "" },
      { file: "binlog.000003", from: 4 + o, to: 4 + o + r },
      { file: "binlog.000003", from: 4 + o + r, to: 4 + o + r + m, outside: "other" },
      { file: "binlog.000003", from: 4 + o + r + m, to: 4 + o + r + m + 5 },
    ]);
    // What is before the beginning has happened.
    assert.deepEqual(stretchesOf(files.slice(0, 1), 4 + i + o, "shop"), [{ file: "binlog.000001", from: 4 + i + o }]);
  });
});

describe("the log in the repository", () => {
  let folder: string;
  let archive: BinlogArchive;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-archive-"));
    archive = new BinlogArchive(new LocalStore(folder), "a-key-of-more-than-thirty-two-characters");
  });
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => rmSync(join(folder, "binlogs"), { recursive: true, force: true }));

  const from = { file: "binlog.000001", position: 4 };
  const time = (seconds: number) => ({ time: new Date(seconds * 1000) });
  /** The pieces of one file; answers where it ends. */
  const put = async (file: string, begun: number, ...pieces: readonly Buffer[]): Promise<number> => {
    let at = 0;
    for (const piece of pieces) {
      const content = at === 0 ? Buffer.concat([MAGIC, piece]) : piece;
      await archive.put(file, begun, at, content);
      at += content.length;
    }
    return at;
  };
  const names = (followed: { readonly files: readonly { file: string }[] }) => followed.files.map(({ file }) => file);

  it("is followed from a file that ends to the next one", async () => {
    await put("binlog.000001", 100, Buffer.concat([format(100, 100), event(110, ROWS), event(120, ROTATE)]));
    await put("binlog.000002", 120, Buffer.concat([format(120, 0), event(130, ROWS)]));
    const followed = await archive.follow(from, 105, time(500));
    assert.deepEqual([names(followed), followed.warnings], [["binlog.000001", "binlog.000002"], []]);
  });

  it("has a hole where a file does not end and another follows: no moment behind it is reached, each before it is", async () => {
    const end = await put("binlog.000001", 100, Buffer.concat([format(100, 100), event(110, ROWS)]));
    await put("binlog.000002", 200, Buffer.concat([format(200, 0), event(210, ROWS)]));
    const hole = new RegExp(`has a hole: binlog.000001 is there as far as ${end} \\(1970-01-01T00:01:50.000Z\\)`);
    await assert.rejects(archive.follow(from, 105, time(205)), hole);
    await assert.rejects(
      archive.follow(from, 105, time(111)),
      hole,
      "what was written between 110 and 200 is not there",
    );
    await assert.rejects(archive.follow(from, 105, { position: { file: "binlog.000002", position: 100 } }), hole);
    assert.deepEqual(names(await archive.follow(from, 105, time(110))), ["binlog.000001"]);
    // From a backup behind it the way is whole.
    assert.deepEqual(names(await archive.follow({ file: "binlog.000002", position: 4 }, 205, time(500))), [
      "binlog.000002",
    ]);
  });

  it("has a hole where files are missing between", async () => {
    await put("binlog.000001", 100, Buffer.concat([format(100, 100), event(110, ROWS), event(120, ROTATE)]));
    const end = await put("binlog.000002", 120, Buffer.concat([format(120, 0), event(130, ROWS)]));
    await put("binlog.000007", 700, format(700, 0));
    await assert.rejects(archive.follow(from, 105, time(500)), new RegExp(`binlog.000002 is there as far as ${end}`));
    assert.deepEqual(names(await archive.follow(from, 105, time(125))), ["binlog.000001", "binlog.000002"]);
  });

  it("is whole where the server was killed and all was had; may lack something where nobody knows; has a hole where that is known", async () => {
    const end = await put("binlog.000001", 100, Buffer.concat([format(100, 100), event(110, ROWS)]));
    await put("binlog.000002", 200, Buffer.concat([format(200, 200), event(210, ROWS)]));
    const { warnings } = await archive.follow(from, 105, time(500));
    assert.match(warnings.join(), /binlog.000001 ends at \d+ without an end: the server was killed/);
    await archive.mark({ file: "binlog.000001", begun: 100, end }, "whole");
    assert.deepEqual((await archive.follow(from, 105, time(500))).warnings, []);
    rmSync(join(folder, "binlogs"), { recursive: true });
    await put("binlog.000001", 100, Buffer.concat([format(100, 100), event(110, ROWS)]));
    await put("binlog.000002", 200, Buffer.concat([format(200, 200), event(210, ROWS)]));
    await archive.mark({ file: "binlog.000001", begun: 100, end }, "hole");
    await assert.rejects(archive.follow(from, 105, time(500)), /has a hole/);
  });

  it("ends where the server's files were replaced: no moment and no place behind that is reached, each before it is", async () => {
    const end = await put("binlog.000001", 100, Buffer.concat([format(100, 100), event(110, ROWS), event(120, STOP)]));
    await put("binlog.000002", 200, Buffer.concat([format(200, 200), event(210, ROWS)]));
    for (const mark of ["whole", "replaced"] as const)
      await archive.mark({ file: "binlog.000001", begun: 100, end }, mark);
    const replaced = {
      message: /replaced by a restore after 1970-01-01T00:02:00.000Z \(binlog.000001\)/,
      code: EXIT.refused,
      remedy: /backup that was made after that restore/,
    };
    for (const until of [time(205), time(121), { position: { file: "binlog.000002", position: 80 } }]) {
      await assert.rejects(archive.follow(from, 105, until), replaced);
    }
    for (const until of [time(110), time(120), { position: { file: "binlog.000001", position: 80 } }]) {
      assert.deepEqual(names(await archive.follow(from, 105, until)), ["binlog.000001"]);
    }
    assert.deepEqual(names(await archive.follow({ file: "binlog.000002", position: 4 }, 205, time(500))), [
      "binlog.000002",
    ]);
    // Nothing of what came afterwards is there yet.
    rmSync(join(folder, "binlogs", "000000000200-binlog.000002"), { recursive: true });
    await assert.rejects(archive.follow(from, 105, time(205)), replaced);
  });

  it("takes an event in several pieces for one, and half of it for none", async () => {
    const large = event(110, ROWS, Buffer.alloc(200, 7));
    const head = Buffer.concat([MAGIC, format(100, 100)]);
    await archive.put("binlog.000001", 100, 0, head);
    await archive.put("binlog.000001", 100, head.length, large.subarray(0, 90), true);
    assert.equal((await archive.files())[0]!.end, head.length);
    await archive.put("binlog.000001", 100, head.length + 90, large.subarray(90, 180), true);
    await archive.put("binlog.000001", 100, head.length + 180, large.subarray(180));
    const [file] = await archive.files();
    assert.deepEqual(
      [file!.end, file!.objects.length, await archive.isWhole(file!)],
      [head.length + large.length, 4, false],
    );
    // The moment of its last event is in the first of its pieces.
    await put("binlog.000002", 200, format(200, 0));
    assert.deepEqual(names(await archive.follow(from, 105, time(110))), ["binlog.000001"]);
    await assert.rejects(archive.follow(from, 105, time(111)), /has a hole/);
    const read: Buffer[] = [];
    await archive.read(file!, { write: (chunk: Buffer) => read.push(Buffer.from(chunk)) > 0 } as never);
    assert.ok(Buffer.concat(read).equals(Buffer.concat([head, large])));
  });

  it("is found though the clock was set back or ahead when a file was begun", async () => {
    const year = 31_536_000;
    await put(
      "binlog.000001",
      100 + year,
      Buffer.concat([format(100 + year, 1), event(110, ROWS), event(120, ROTATE)]),
    );
    await put("binlog.000002", 120, Buffer.concat([format(120, 0), event(130, ROWS)]));
    assert.deepEqual(names(await archive.follow(from, 105, { position: { file: "binlog.000002", position: 50 } })), [
      "binlog.000001",
      "binlog.000002",
    ]);
  });
});
