import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isFile, replacedAfter } from "../../../../agent/binlog/replaced.ts";

describe("the files of the binary log after which the data are others", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-replaced-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const read = (text?: string) => {
    if (text !== undefined) writeFileSync(join(folder, "replaced"), text);
    return replacedAfter(join(folder, "replaced"));
  };

  it("are none where no restore has put any in place", () => {
    assert.deepEqual(read(), []);
    assert.deepEqual(read(""), []);
  });
  it("are told apart by when they were started", () => {
    const [one] = read("binlog.000007 1700000000\nbinlog.000001 1800000000\n");
    assert.deepEqual(one, { file: "binlog.000007", started: 1_700_000_000 });
    assert.deepEqual(
      [isFile(one!, "binlog.000007", 1_700_000_000), isFile(one!, "binlog.000007", 1_800_000_000)],
      [true, false],
    );
  });
  it("are known by name where an earlier version has noted MariaDB's index of one", () => {
    const [one] = read("binlog.000002.idx 1\n");
    assert.deepEqual(one, { file: "binlog.000002" });
    assert.ok(isFile(one!, "binlog.000002", 1_700_000_000));
  });
  it("are not passed over where a line can't be read", () =>
    assert.throws(() => read("binlog.000002\n"), /has a line that can't be read: "binlog\.000002"/));
});
