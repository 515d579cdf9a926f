import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { entryOf, withSums } from "../../../../agent/store/entry.ts";
import { entrySchema, sizesOf } from "../../../../contracts/entry.ts";
import { entry } from "../../../support/agent/entries.ts";

describe("an entry of the catalogue", () => {
  const part = { count: 2, bytes: 10, added: 3, manifest: "m", changed: 1 };
  const made = {
    ...{
      id: "a",
      sequence: 1,
      type: "files" as const,
      reason: "by hand",
      stack: "shop",
      started: new Date(),
      seconds: 1,
    },
    ...{ database: undefined, files: { entry: part, missing: ["a file"] }, lost: [] },
  };

  it("has the volumes by their titles, and what is missing of each", () => {
    const volumes = {
      "folder __proto__": { entry: part, missing: [] },
      "service search": { entry: part, missing: ["service search: b can't be read: EACCES"] },
    };
    const found = entryOf({ ...made, volumes });
    assert.deepEqual(found.volumes, { "folder __proto__": part, "service search": part });
    assert.deepEqual(found.missing, ["a file", "service search: b can't be read: EACCES"]);
    assert.deepEqual(sizesOf(found), { bytes: 30, added: 9 });
    assert.deepEqual(entrySchema.parse(JSON.parse(JSON.stringify(found))), found);
    assert.ok(!("volumes" in entryOf({ ...made, volumes: {} })), "as earlier agents write it");
  });

  it("is one that an earlier agent can read: it does without what it does not know", () => {
    const earlier = entrySchema.omit({ volumes: true });
    const found = entryOf({ ...made, volumes: { "service search": { entry: part, missing: [] } } });
    const { volumes: _, ...rest } = found;
    assert.deepEqual(earlier.parse(JSON.parse(JSON.stringify(found))), rest);
  });
});

describe("what a backup records of the live database", () => {
  const summed = {
    sums: {
      a: { rows: 1, checksum: "1" },
      memo: { rows: 2, checksum: "2" },
      lost: { rows: 0, checksum: null, unproven: "it can't be read: damaged" },
    },
    sequences: { seq: ["1", "2"] as const },
    objects: ["view broken", "view v"],
    migrations: ["one"],
    inMemory: ["memo"],
    versioned: [],
    position: undefined,
    unlisted: ["routines can't be listed: mysql.proc is of an earlier version"],
  };
  it("is everything but what a dump left out, and what of it can't be proven", () => {
    const base = entry("a", 1);
    const database = {
      ...base.database!,
      format: "logical" as const,
      excluded: ["view broken", "table lost"],
      absentDefiners: ["x@%"],
    };
    const recorded = withSums({ ...base, database }, summed);
    assert.deepEqual(
      [Object.keys(recorded.database!.sums), recorded.database!.objects, recorded.database!.sequences],
      [["a", "memo"], ["view v"], { seq: ["1", "2"] }],
    );
    assert.deepEqual(recorded.unproven, [
      "routines can't be listed: mysql.proc is of an earlier version",
      "the account x@%, which views, triggers, routines or events run as, does not exist",
    ]);
  });
  it("is without the history of tables where a dump can't have it", () => {
    const dumped = (version: string) => ({
      ...entry("a", 1),
      database: { ...entry("a", 1).database!, format: "logical" as const, version },
    });
    const of = (version: string) =>
      withSums(dumped(version), { ...summed, versioned: ["a"] }).database!.sums["a"]!.unproven;
    assert.deepEqual(
      [of("10.11.6-MariaDB"), of("11.8.9-MariaDB")],
      ["a dump of 10.11.6-MariaDB has its rows of now, and not its history", undefined],
    );
  });
  it("is without the rows in memory where the server's files were copied", () => {
    const recorded = withSums(entry("a", 1), summed);
    assert.match(recorded.database!.sums["memo"]!.unproven!, /\(MEMORY\)/);
    assert.deepEqual(
      recorded.unproven!.map((text) => text.replace(/:.*/, "")),
      ["table memo", "table lost", "routines can't be listed"],
    );
  });

  it("has tables and sequences of names that every object has something under", () => {
    const names = ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty"];
    const sums = Object.fromEntries(names.map((name, index) => [name, { rows: index, checksum: String(index) }]));
    const sequences = Object.fromEntries(names.map((name) => [name, ["1", "2"] as const]));
    const content = { sums, sequences, objects: names.map((name) => `view ${name}`), migrations: [] };
    const recorded = withSums(entry("a", 1), {
      ...content,
      inMemory: ["__proto__"],
      versioned: [],
      unlisted: [],
      position: undefined,
    });
    assert.deepEqual(Object.keys(recorded.database!.sums), names);
    assert.deepEqual(recorded.unproven?.length, 1);
  });
});
