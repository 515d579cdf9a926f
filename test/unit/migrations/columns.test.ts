import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { definitionOf, typeChange } from "../../../migrations/columns.ts";
import { tokens } from "../../../migrations/sql.ts";

describe("the change of a column's type", () => {
  const cases: readonly (readonly [before: string, after: string, what: "same" | "wider" | "other"])[] = [
    ["int(11)", "int", "same"],
    ["int", "integer", "same"],
    ["int(11)", "bigint(20)", "wider"],
    ["bigint", "int", "other"],
    ["tinyint(1)", "boolean", "same"],
    ["int unsigned", "int", "other"],
    ["int", "bigint unsigned", "other"],
    ["smallint", "mediumint", "wider"],
    ["float", "double", "wider"],
    ["double", "float", "other"],
    ["double", "double precision", "same"],
    ["varchar(50)", "varchar(50)", "same"],
    ["varchar(50)", "varchar(255)", "wider"],
    ["varchar(50)", "varchar(20)", "other"],
    ["varchar(50)", "text", "wider"],
    ["text", "varchar(50)", "other"],
    ["text", "text", "same"],
    ["tinytext", "mediumtext", "wider"],
    ["longtext", "json", "same"],
    ["decimal(8,2)", "decimal(8,2)", "same"],
    ["decimal(8,2)", "numeric(8,2)", "same"],
    ["decimal(8,2)", "decimal(10,2)", "wider"],
    ["decimal(8,2)", "decimal(10,4)", "wider"],
    ["decimal(8,2)", "decimal(9,4)", "other"],
    ["decimal(8,4)", "decimal(10,2)", "other"],
    ["decimal(8,2)", "decimal(8,2) unsigned", "other"],
    ["decimal(8,2)", "decimal(10,2) unsigned", "other"],
    ["decimal", "decimal(10,0)", "same"],
    ["decimal", "decimal(11)", "wider"],
    ["decimal(10,0)", "decimal", "same"],
    ["enum('a','b')", "enum('a','b')", "same"],
    ["enum('a','b')", "enum('a','b','c')", "wider"],
    ["enum('a','b')", "enum('b','a')", "wider"],
    ["enum('a','b')", "enum('a')", "other"],
    ["set('a')", "set('a','b')", "wider"],
    ["enum('a')", "varchar(20)", "other"],
    ["char(2)", "char(3)", "wider"],
    ["char(3)", "char(2)", "other"],
    ["datetime", "datetime", "same"],
    ["datetime(3)", "datetime(6)", "wider"],
    ["datetime", "date", "other"],
    ["uuid", "uuid", "same"],
  ];
  for (const [before, after, what] of cases)
    it(`is ${what} from ${before} to ${after}`, () => assert.equal(typeChange(before, after), what));
});

describe("the definition of a column", () => {
  const modifiers = [
    "not null",
    "null",
    "default 1",
    "comment 'x'",
    "after `x`",
    "first",
    "character set utf8mb4",
    "charset utf8mb4",
    "collate utf8mb4_bin",
    "auto_increment",
    "primary key",
    "unique",
    "key",
    "as (1)",
    "generated always as (1)",
    "on update current_timestamp",
    "invisible",
    "visible",
    "virtual",
    "stored",
    "persistent",
    "check (1)",
    "references `t` (`id`)",
    "constraint `c` check (1)",
    "srid 4326",
    "ref_system_id = 1",
  ];
  for (const modifier of modifiers) {
    it(`ends its type before ${modifier}`, () => {
      const { type, nullable, hasDefault } = definitionOf(tokens(`decimal(8, 2) unsigned ${modifier}`));
      assert.equal(type, "decimal(8,2) unsigned");
      assert.deepEqual(
        [nullable, hasDefault],
        [modifier !== "not null", /^(default|auto_increment|as|generated)/.test(modifier)],
      );
    });
  }
  it("is all of it where nothing follows", () =>
    assert.deepEqual(definitionOf(tokens("enum('a', 'b')")), {
      type: "enum('a','b')",
      nullable: true,
      hasDefault: false,
    }));
});
