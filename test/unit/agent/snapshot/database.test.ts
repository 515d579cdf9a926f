import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { baseFor, parsePosition } from "../../../../agent/snapshot/database.ts";
import type { Entry } from "../../../../contracts/entry.ts";
import { day, entry } from "../../../support/agent/entries.ts";

describe("what an incremental backup builds on", () => {
  const physical = (id: string, n: number): Entry => {
    const made = entry(id, n);
    return { ...made, database: { ...made.database!, lsn: "1000" } };
  };
  const entries = [physical("b", 5), physical("a", 1)];
  it("the newest backup that was proven", () => {
    assert.equal(baseFor(entries, undefined)?.id, "b");
    assert.equal(baseFor([{ ...entries[0]!, verified: false }, entries[1]!], undefined), undefined);
  });
  it("none that was made before the server's files were replaced: they count otherwise", () => {
    const [newest, ...others] = entries;
    const ordered = [{ ...newest!, sequence: 7 }, ...others];
    const replaced = (n: number, sequence: number) => ({ at: new Date(day(n)), sequence });
    assert.equal(baseFor(ordered, replaced(6, 6)), undefined, "started before, listed after");
    assert.equal(baseFor(ordered, replaced(4, 7)), undefined, "made before, while the clock was ahead");
    assert.equal(baseFor(ordered, replaced(4, 6))?.id, "b");
  });
});

describe("the place in the log that a dump says", () => {
  it("mariadb-dump: its place in the log", () => {
    assert.deepEqual(parsePosition("--\n-- CHANGE MASTER TO MASTER_LOG_FILE='binlog.000007', MASTER_LOG_POS=1234;\n"), {
      file: "binlog.000007",
      position: 1234,
    });
    assert.equal(parsePosition("-- nothing"), undefined);
  });
  it("mysqldump: the same, in its own words", () =>
    assert.deepEqual(
      parsePosition("\n-- CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='binlog.000002', SOURCE_LOG_POS=2452;\n"),
      { file: "binlog.000002", position: 2452 },
    ));
});
