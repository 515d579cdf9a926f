import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "mocha";
import { brokenComments, WholeComments } from "../../../../agent/binlog/comments.ts";
import { MAGIC } from "../../../../agent/binlog/format.ts";

/** An event of a binary log: its kind and what comes after its header. */
function event(kind: number, body: Buffer): Buffer {
  const head = Buffer.alloc(19);
  head[4] = kind;
  head.writeUInt32LE(19 + body.length, 9);
  return Buffer.concat([head, body]);
}
const named = (name: string): Buffer =>
  Buffer.concat([Buffer.from([Buffer.byteLength(name)]), Buffer.from(name), Buffer.from([0])]);
const table = (schema: string, name: string): Buffer =>
  event(19, Buffer.concat([Buffer.alloc(8), named(schema), named(name), Buffer.from("columns")]));

describe("comments of the tools that read a binary log", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-comments-"));
  });
  after(() => rmSync(folder, { recursive: true }));
  const found = (...events: readonly Buffer[]): readonly string[] => {
    writeFileSync(join(folder, "log"), Buffer.concat([MAGIC, ...events]));
    return brokenComments(join(folder, "log")).map(String);
  };

  it("are looked for where a table's name has a line break, once, in both tools' ways", () => {
    const attack = "a`\nGRANT ALL ON *.* TO shop@`%`;#";
    assert.deepEqual(
      found(table("shop", "fine"), table("shop", attack), event(2, Buffer.from("a\nb")), table("shop", attack)),
      [
        "Table_map: `shop`.`a``\nGRANT ALL ON *.* TO shop@``%``;#` mapped to number ",
        `Table_map: \`shop\`.\`${attack}\` mapped to number `,
      ],
    );
    assert.deepEqual(found(table("sh\nop", "ü")), ["Table_map: `sh\nop`.`ü` mapped to number "]);
    // The end of a file that is being written.
    assert.deepEqual(found(table("shop", "a\nb").subarray(0, -1)), []);
  });

  it("are in one line then, however the text comes, and all else is as it was", async () => {
    const broken = ["Table_map: `shop`.`a\nb\n` mapped to number ", "Table_map: `shop`.`ü\n` mapped to number "];
    const [first = "", second = ""] = broken;
    const sql = `# at 4\n#1 ${first}7\nSELECT 'a\nb', '${first.slice(0, -1)}';\n#2 ${second}8\n${first}9`;
    const wanted = sql
      .replaceAll(first, "Table_map: `shop`.`a b ` mapped to number ")
      .replaceAll(second, "Table_map: `shop`.`ü ` mapped to number ");
    const bytes = Buffer.from(sql);
    for (let size = 1; size <= bytes.length; size++) {
      const stream = new WholeComments(broken.map((one) => Buffer.from(one)));
      for (let at = 0; at < bytes.length; at += size) stream.write(Buffer.from(bytes.subarray(at, at + size)));
      stream.end();
      assert.equal(await text(stream), wanted, `${size} bytes at a time`);
    }
  });
});
