import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { checksumQuestion, IN_UTC } from "../../../../lib/sql/checksum.ts";
import { quoted } from "../../../../lib/sql/quoting.ts";

describe("a name in SQL", () => {
  it("is between backticks, and its own are doubled", () => {
    assert.equal(quoted("shop"), "`shop`");
    assert.equal(quoted("a`; DROP DATABASE `shop`; -- "), "`a``; DROP DATABASE ``shop``; -- `");
    assert.equal(quoted("``"), "``````");
  });

  it("ends where it ends, whatever its signs are", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (name) => {
        const [whole, inner = ""] = /^`((?:[^`]|``)*)`/.exec(`${quoted(name)};rest`) ?? [];
        assert.equal(whole, quoted(name));
        assert.equal(inner.replaceAll("``", "`"), name);
      }),
      { numRuns: 50 },
    );
  });
});

describe("the question for a table's checksum", () => {
  it("is the server's own, of a whole table", () => {
    assert.equal(checksumQuestion("`shop`.`a`", undefined), "CHECKSUM TABLE `shop`.`a`");
    assert.equal(checksumQuestion("`shop`.`a`", undefined, true), "CHECKSUM TABLE `shop`.`a`");
  });

  it("is a sum over the rows' stored columns, of one that has others, and over its history", () => {
    const sum =
      "SELECT COALESCE(SUM(CRC32(CONCAT_WS('|', COALESCE(MD5(CAST(`id` AS BINARY)), '-'), " +
      "COALESCE(MD5(CAST(`it``s` AS BINARY)), '-')))), 0) AS Checksum FROM `shop`.`a`";
    assert.equal(checksumQuestion("`shop`.`a`", ["id", "it`s"]), sum);
    assert.equal(checksumQuestion("`shop`.`a`", ["id", "it`s"], true), `${sum} FOR SYSTEM_TIME ALL`);
    assert.equal(IN_UTC, "SET time_zone = '+00:00'");
  });
});
