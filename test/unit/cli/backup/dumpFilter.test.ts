import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { DumpFilter } from "../../../../cli/backup/dumpFilter.ts";

const NAME = "shop_restore_20260101_000000_0a1b2c3d";

/** What comes of a dump that arrives in pieces of so many bytes. */
async function filtered(
  dump: string,
  size: number,
): Promise<{ readonly sql: string; readonly schema: string | undefined }> {
  const all = Buffer.from(dump);
  const filter = new DumpFilter(NAME);
  const pieces = Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.subarray(index * size, (index + 1) * size),
  );
  const sql = (await buffer(Readable.from(pieces).pipe(filter))).toString();
  return { sql, schema: filter.schema };
}

const same = async (dump: string): Promise<void> => {
  for (const size of dump.length > 10_000 ? [4096, 65_536, 65_537, 1 << 20] : [1, 7, 64])
    assert.equal((await filtered(dump, size)).sql, dump, `in pieces of ${size}`);
};

describe("a dump that is loaded into a schema of another name", () => {
  it("is handed on byte for byte", async () => {
    await same(
      "-- MariaDB dump 10.19\nCREATE TABLE `t` (`USE x` int);\nINSERT INTO `t` VALUES ('USE y;\\nDROP DATABASE " +
        "z;');\n-- Dump completed on 2026-01-01\n",
    );
    await same(`INSERT INTO t VALUES ('${"x".repeat(200_000)}');\n`);
    await same("no line break at its end");
  });

  it("chooses no database, and asks for nothing of the whole server", async () => {
    const dump = [
      "/*M!999999\\- enable the sandbox mode */ ",
      "SET @@SESSION.SQL_LOG_BIN= 0;",
      "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ 'a:1-5,",
      "b:1-7';",
      "CREATE DATABASE /*!32312 IF NOT EXISTS*/ `old``shop` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;",
      "/*!40000 DROP DATABASE IF EXISTS `old``shop`*/;",
      "USE `old``shop`;",
      "SELECT 1;",
      "",
    ].join("\n");
    for (const size of [1, 5, 1 << 20])
      assert.deepEqual(await filtered(dump, size), { sql: "SELECT 1;\n", schema: "old`shop" });
  });

  it("sets its collation, and makes its triggers, where it is loaded", async () => {
    const trigger = (name: string, table: string): string =>
      `/*!50003 CREATE*/ /*!50017 DEFINER=\`a\`\`b\`@\`%\`*/ /*!50003 TRIGGER ${name} BEFORE INSERT ON ${table} ` +
      "FOR EACH ROW SET @a = 'TRIGGER shop.x BEFORE INSERT ON shop.y ' */;;";
    const dump =
      "ALTER DATABASE `shop` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci ;\nDELIMITER ;;\n" +
      `${trigger("shop.`up .`", "`shop` . kept")}\nALTER DATABASE \`shop\` CHARACTER SET latin1 COLLATE latin1_bin ` +
      ";\nUSE shop;\n;;\nDELIMITER ;\n";
    assert.equal(
      (await filtered(dump, 11)).sql,
      dump
        .replace("ALTER DATABASE `shop` CHARACTER SET utf8mb4", `ALTER DATABASE \`${NAME}\` CHARACTER SET utf8mb4`)
        .replace("TRIGGER shop.`up .` BEFORE INSERT ON `shop` . kept FOR", "TRIGGER `up .` BEFORE INSERT ON kept FOR"),
    );
    await same(`DELIMITER ;;\n${trigger("`up`", "`kept`")}\nDELIMITER ;\n`);
  });

  it("makes a trigger there that names its schema in any line, between comments, or in other quotes", async () => {
    const begins = "/*!50003 CREATE*/ /*!50017 DEFINER=`a`@`%`*/ /*!50003 ";
    const dump = (head: string): string => `DELIMITER ;;\n${begins}${head} EACH ROW\nSET @a = 1 */;;\nDELIMITER ;\n`;
    for (const [head, becomes] of [
      ["trigger up\nbefore insert\non shop.kept\nfor", "TRIGGER up before insert ON kept\nfor"],
      ["TRIGGER/* x */shop.up -- ;;\nAFTER UPDATE ON kept FOR", "TRIGGER up AFTER UPDATE ON kept FOR"],
      ['TRIGGER "up" AFTER DELETE ON "shop"."kept" FOR', 'TRIGGER "up" AFTER DELETE ON "kept" FOR'],
      ["TRIGGER up # shop.\n AFTER DELETE ON kept FOR", undefined],
      ["TRIGGER up AFTER SOMETHING ON shop.kept\nFOR", undefined],
    ] as const)
      for (const size of [1, 9, 1 << 20])
        assert.equal((await filtered(dump(head), size)).sql, dump(becomes ?? head), head);
    await same(`DELIMITER ;;\n${begins}TRIGGER up AFTER SOMETHING\n${"x".repeat(70_000)}\n;;\nDELIMITER ;\n`);
    await same(`DELIMITER ;;\n${begins}TRIGGER up`);
  });

  it("is refused where it is cut off, or of more than one database", async () => {
    await assert.rejects(filtered("-- MySQL dump 10.13\nCREATE TABLE t (a int);\n", 9), /cut off/);
    await assert.rejects(filtered("USE a;\nUSE `b\u001b`;\n", 9), /more than one database: a, b\\u\{1b\}/);
  });
});
