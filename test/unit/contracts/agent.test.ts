import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { z } from "zod";
import { entrySchema } from "../../../contracts/entry.ts";
import { entry } from "../../support/agent/entries.ts";

const names = ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty"];
const sums = Object.fromEntries(names.map((name, index) => [name, { rows: index, checksum: String(index) }]));
const sequences = Object.fromEntries(names.map((name) => [name, ["1", "2"] as const]));
const content = { sums, sequences, objects: names.map((name) => `view ${name}`), migrations: [] };

describe("names that every object has something under", () => {
  it("are tables and sequences like others in the catalogue's entries", () => {
    const made = entry("a", 1);
    const written = JSON.parse(JSON.stringify({ ...made, database: { ...made.database!, ...content } })) as unknown;
    const { database } = entrySchema.parse(written);
    assert.deepEqual([Object.keys(database!.sums), Object.keys(database!.sequences!)], [names, names]);
    assert.deepEqual(Object.values(database!.sums), Object.values(sums));
    for (const wrong of [[], "x", { a: { rows: "many", checksum: null } }]) {
      assert.throws(() => entrySchema.parse({ ...made, database: { ...made.database!, sums: wrong } }), z.ZodError);
    }
  });
});
