import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { differences, fileDifferences } from "../../../../agent/restore/compare.ts";
import { checksumQuestion } from "../../../../lib/sql/checksum.ts";

describe("the comparison", () => {
  const table = (rows: number, checksum: string | null, unproven?: string) => ({
    rows,
    checksum,
    ...(unproven === undefined ? {} : { unproven }),
  });
  const content = { objects: [], migrations: [] };
  it("wants of what could not be proven that it is there, and of everything else that it can be read", () => {
    const expected = { ...content, sums: { memo: table(2, null, "in memory"), a: table(1, "1") } };
    assert.deepEqual(differences(expected, { ...content, sums: { memo: table(0, "0"), a: table(1, "1") } }), []);
    assert.deepEqual(differences(expected, { ...content, sums: { a: table(0, null, "it can't be read: damaged") } }), [
      "table memo is missing",
      "table a can't be compared: it can't be read: damaged",
    ]);
  });
  it("compares what has virtual columns by the others, and by the rows alone where an earlier agent has not", () => {
    const by = (checksum: string, columns?: string[]) => ({
      ...content,
      sums: { a: { rows: 1, checksum, ...(columns === undefined ? {} : { columns }) } },
    });
    assert.deepEqual(differences(by("1", ["id"]), by("1", ["id"])), []);
    assert.deepEqual(differences(by("1", ["id"]), by("2", ["id"])), ["table a has 1 rows, but other content"]);
    assert.deepEqual(differences(by("1"), by("2", ["id"])), []);
    assert.equal(checksumQuestion("`t`", undefined), "CHECKSUM TABLE `t`");
    assert.match(
      checksumQuestion("`t`", ["a`b"], true),
      /MD5\(CAST\(`a``b` AS BINARY\)\).* FROM `t` FOR SYSTEM_TIME ALL$/,
    );
  });
  it("has a sequence go on where it was, in either direction, and with numbers of any size", () => {
    const of = (sequences: Record<string, readonly [string, string]>) => ({ ...content, sums: {}, sequences });
    const big = "9223372036854775800";
    assert.deepEqual(
      differences(
        of({ up: ["10", "20"], down: ["-5", "-9"], big: [big, big] }),
        of({ up: ["15", "15"], down: ["-9", "-9"], big: [big, big] }),
      ),
      [],
    );
    assert.deepEqual(
      differences(
        of({ up: ["10", "20"], big: [big, big], gone: ["1", "1"] }),
        of({ up: ["21", "21"], big: ["9223372036854775801", "9223372036854775801"], more: ["1", "1"] }),
      ),
      [
        "sequence gone is missing",
        "sequence more was not there",
        "sequence up goes on with 21 instead of 10 to 20",
        `sequence big goes on with 9223372036854775801 instead of ${big}`,
      ],
    );
  });
  it("takes tables with a history for new where an earlier agent did not look at them", () => {
    const restored = {
      ...content,
      sums: { ver: table(1, "1") },
      versioned: ["ver"],
      sequences: { seq: ["1", "1"] as const },
    };
    assert.deepEqual(differences({ ...content, sums: {} }, restored), []);
    assert.deepEqual(differences({ ...content, sums: {}, sequences: {} }, restored), [
      "table ver was not there",
      "sequence seq was not there",
    ]);
  });
  it("names what is missing, what is more and what differs", () => {
    const table = (rows: number, checksum: string) => ({ rows, checksum });
    const same = { sums: { a: table(1, "1") }, objects: ["view v"], migrations: ["one"] };
    assert.deepEqual(differences(same, same), []);
    assert.deepEqual(
      differences(
        {
          sums: { a: table(1, "1"), b: table(2, "2"), c: table(3, "3") },
          objects: ["event e", "view v"],
          migrations: ["one", "two"],
        },
        {
          sums: { b: table(1, "9"), c: table(3, "4"), d: table(0, "0") },
          objects: ["trigger t", "view v"],
          migrations: ["one"],
        },
      ),
      [
        "table a is missing",
        "table d was not there",
        "table b has 1 rows instead of 2",
        "table c has 3 rows, but other content",
        "event e is missing",
        "trigger t was not there",
        "the table migrations says otherwise",
      ],
    );
    assert.deepEqual(
      differences({ sums: {}, migrations: [] }, { sums: {}, objects: ["view v"], migrations: [] }),
      [],
      "earlier agents did not record them",
    );
    assert.deepEqual(
      fileDifferences(
        { x: { sum: "1", id: "" }, y: { sum: "2", id: "" }, z: { sum: "3", id: "" } },
        { x: "1", y: "9" },
      ),
      ["y has other content", "z is missing"],
    );
  });

  it("has tables and sequences of names that every object has something under: the same, missing, or more", () => {
    const names = ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty"];
    const sums = Object.fromEntries(names.map((name, index) => [name, { rows: index, checksum: String(index) }]));
    const sequences = Object.fromEntries(names.map((name) => [name, ["1", "2"] as const]));
    const content = { sums, sequences, objects: names.map((name) => `view ${name}`), migrations: [] };

    const empty = { sums: {}, sequences: {}, objects: [], migrations: [] };
    assert.deepEqual(differences(content, content), []);
    assert.equal(differences(content, empty).length, 3 * names.length);
    assert.equal(differences(empty, content).length, 3 * names.length);
  });
});
