import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { reaches, statementsOf, stretchesOf } from "../../../../agent/binlog/statements.ts";
import { event, MAGIC, query, ROWS } from "../../../support/agent/binlogEvents.ts";

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

  it("are read with their schema and place, rows left out, up to where the file is complete", () => {
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
