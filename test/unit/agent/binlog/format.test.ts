import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "mocha";
import { piecesOf, startedAt, wholeEvents } from "../../../../agent/binlog/format.ts";

/** An event of a binary log: header and body. */
const event = (time: number, type: number, length = 40): Buffer => {
  const bytes = Buffer.alloc(length);
  bytes.writeUInt32LE(time, 0);
  bytes[4] = type;
  bytes.writeUInt32LE(length, 9);
  return bytes;
};

describe("the binary log", () => {
  const magic = Buffer.from([0xfe, 0x62, 0x69, 0x6e]);
  it("is cut where an event ends", () => {
    const file = Buffer.concat([magic, event(100, 15), event(101, 2, 60), event(102, 2)]);
    assert.deepEqual(wholeEvents(file.subarray(0, -1), 0), { end: 104, lastTime: 101, closed: false });
    assert.deepEqual(wholeEvents(file.subarray(44), 44), { end: 144, lastTime: 102, closed: false });
    assert.deepEqual(wholeEvents(Buffer.concat([file, event(0, 4)]), 0), { end: 184, lastTime: 102, closed: true });
    assert.equal(wholeEvents(file.subarray(0, 10), 0).end, 0);
    assert.deepEqual(
      [startedAt(file), startedAt(file.subarray(0, 20)), startedAt(Buffer.alloc(64))],
      [100, undefined, undefined],
    );
  });

  it("is read a piece at a time, and an event larger than that in several", () => {
    const folder = mkdtempSync(join(tmpdir(), "drydock-binlog-"));
    const path = join(folder, "binlog.1");
    const whole = Buffer.concat([magic, event(100, 15, 50), event(101, 2, 50), event(102, 2, 400), event(103, 2, 50)]);
    writeFileSync(path, Buffer.concat([whole, event(104, 2, 60).subarray(0, 40)]));
    const handle = openSync(path, "r");
    try {
      const pieces = [...piecesOf(handle, 0, whole.length + 40, 110)];
      const all = pieces.map(({ from, content, more }) => [from, content.length, more]);
      assert.deepEqual(all, [
        [0, 104, false],
        [104, 110, true],
        [214, 110, true],
        [324, 110, true],
        [434, 70, false],
        [504, 50, false],
      ]);
      assert.ok(Buffer.concat(pieces.map(({ content }) => content)).equals(whole));
      assert.deepEqual([...piecesOf(handle, 104, 300, 110)], [], "an event that is still being written");
    } finally {
      closeSync(handle);
      rmSync(folder, { recursive: true });
    }
  });
});
