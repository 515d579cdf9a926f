import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archivedFrom, BinlogArchive, chain, segmentName } from "../../../../agent/binlog/archive.ts";
import { LocalStore } from "../../../../agent/store/store.ts";
import { unneeded } from "../../../../agent/upkeep/cleanup.ts";
import { EXIT } from "../../../../contracts/agent.ts";
import { event, format, MAGIC, ROTATE, ROWS, STOP } from "../../../support/agent/binlogEvents.ts";
import { entry } from "../../../support/agent/entries.ts";

describe("the pieces of the binary log", () => {
  const objects = (...pieces: [string, number, number, number][]) =>
    pieces.map(([file, started, from, to]) => ({ name: segmentName(file, started, from, to), size: 1 }));
  it("ends before a gap, and takes the longer of two pieces from one place", () => {
    const [found] = archivedFrom(
      objects(
        ["binlog.000001", 100, 0, 50],
        ["binlog.000001", 100, 50, 80],
        ["binlog.000001", 100, 50, 90],
        ["binlog.000001", 100, 95, 99],
      ),
    );
    assert.equal(found!.end, 90);
  });

  const archived = archivedFrom(
    objects(
      ["binlog.000001", 100, 0, 50],
      ["binlog.000002", 200, 0, 60],
      ["binlog.000001", 300, 0, 70],
      ["binlog.000002", 400, 0, 80],
    ),
  );
  const names = (files: readonly { file: string; started: number }[]) =>
    files.map(({ file, started }) => `${started} ${file}`);
  it("follows one file to the next, and tells files of one name apart by when they were started", () => {
    assert.deepEqual(
      names(chain(archived, { file: "binlog.000001", position: 20 }, 150, { file: "binlog.000002", position: 60 })),
      ["100 binlog.000001", "200 binlog.000002"],
    );
    assert.deepEqual(names(chain(archived, { file: "binlog.000001", position: 20 }, 350)), [
      "300 binlog.000001",
      "400 binlog.000002",
    ]);
  });
  it("is refused where a piece is missing", () => {
    assert.throws(() => chain(archived, { file: "binlog.000001", position: 60 }, 150), /lacks binlog.000001 at 60/);
    assert.throws(
      () => chain(archived, { file: "binlog.000001", position: 20 }, 350, { file: "binlog.000003", position: 4 }),
      /lacks binlog.000003/,
    );
    assert.throws(
      () => chain(archived, { file: "binlog.000001", position: 20 }, 350, { file: "binlog.000002", position: 99 }),
      /it reaches 80/,
    );
  });
  it("goes only before the oldest kept backup, and not at all where a backup's place isn't known", () => {
    const kept = (file: string, seconds: number) =>
      entry("a", 1, {
        finished: new Date(seconds * 1000).toISOString(),
        database: { ...entry("a", 1).database!, position: { file, position: 10 } },
      });
    assert.deepEqual(unneeded(archived, [kept("binlog.000001", 350)]).length, 2);
    assert.deepEqual(unneeded(archived, [kept("binlog.000009", 350), kept("binlog.000001", 350)]), []);
    assert.deepEqual(unneeded(archived, []), []);
  });
});

describe("the log in the repository", () => {
  let folder: string;
  let archive: BinlogArchive;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-archive-"));
    archive = new BinlogArchive(new LocalStore(folder), "a-key-of-more-than-thirty-two-characters");
  });
  after(() => rmSync(folder, { recursive: true }));
  beforeEach(() => rmSync(join(folder, "binlogs"), { recursive: true, force: true }));

  const from = { file: "binlog.000001", position: 4 };
  const time = (seconds: number) => ({ time: new Date(seconds * 1000) });
  /** The pieces of one file; answers where it ends. */
  const put = async (file: string, started: number, ...pieces: readonly Buffer[]): Promise<number> => {
    let at = 0;
    for (const piece of pieces) {
      const content = at === 0 ? Buffer.concat([MAGIC, piece]) : piece;
      await archive.put(file, started, at, content);
      at += content.length;
    }
    return at;
  };
  const names = (followed: { readonly files: readonly { file: string }[] }) => followed.files.map(({ file }) => file);

  it("is followed from a file that ends to the next one", async () => {
    await put("binlog.000001", 100, Buffer.concat([format(100, 100), event(110, ROWS), event(120, ROTATE)]));
    await put("binlog.000002", 120, Buffer.concat([format(120, 0), event(130, ROWS)]));
    const followed = await archive.follow(from, 105, time(500));
    assert.deepEqual([names(followed), followed.warnings], [["binlog.000001", "binlog.000002"], []]);
  });

  it("has a hole where a file does not end and another follows: only moments before it are reached", async () => {
    const end = await put("binlog.000001", 100, Buffer.concat([format(100, 100), event(110, ROWS)]));
    await put("binlog.000002", 200, Buffer.concat([format(200, 0), event(210, ROWS)]));
    const hole = new RegExp(`has a hole: binlog.000001 is there as far as ${end} \\(1970-01-01T00:01:50.000Z\\)`);
    await assert.rejects(archive.follow(from, 105, time(205)), hole);
    await assert.rejects(
      archive.follow(from, 105, time(111)),
      hole,
      "what was written between 110 and 200 is not there",
    );
    await assert.rejects(archive.follow(from, 105, { position: { file: "binlog.000002", position: 100 } }), hole);
    assert.deepEqual(names(await archive.follow(from, 105, time(110))), ["binlog.000001"]);
    // From a backup behind it the way is complete.
    assert.deepEqual(names(await archive.follow({ file: "binlog.000002", position: 4 }, 205, time(500))), [
      "binlog.000002",
    ]);
  });

  it("has a hole where files are missing between", async () => {
    await put("binlog.000001", 100, Buffer.concat([format(100, 100), event(110, ROWS), event(120, ROTATE)]));
    const end = await put("binlog.000002", 120, Buffer.concat([format(120, 0), event(130, ROWS)]));
    await put("binlog.000007", 700, format(700, 0));
    await assert.rejects(archive.follow(from, 105, time(500)), new RegExp(`binlog.000002 is there as far as ${end}`));
    assert.deepEqual(names(await archive.follow(from, 105, time(125))), ["binlog.000001", "binlog.000002"]);
  });

  it(
    "is complete where the server was killed and all was read; may lack something where nobody knows; " +
      "has a hole where that is known",
    async () => {
      const end = await put("binlog.000001", 100, Buffer.concat([format(100, 100), event(110, ROWS)]));
      await put("binlog.000002", 200, Buffer.concat([format(200, 200), event(210, ROWS)]));
      const { warnings } = await archive.follow(from, 105, time(500));
      assert.match(warnings.join(), /binlog.000001 ends at \d+ without an end: the server was killed/);
      await archive.mark({ file: "binlog.000001", started: 100, end }, "complete");
      assert.deepEqual((await archive.follow(from, 105, time(500))).warnings, []);
      rmSync(join(folder, "binlogs"), { recursive: true });
      await put("binlog.000001", 100, Buffer.concat([format(100, 100), event(110, ROWS)]));
      await put("binlog.000002", 200, Buffer.concat([format(200, 200), event(210, ROWS)]));
      await archive.mark({ file: "binlog.000001", started: 100, end }, "hole");
      await assert.rejects(archive.follow(from, 105, time(500)), /has a hole/);
    },
  );

  it(
    "ends where the server's files were replaced: " +
      "no moment and no place behind that is reached, each before it is",
    async () => {
      const end = await put(
        "binlog.000001",
        100,
        Buffer.concat([format(100, 100), event(110, ROWS), event(120, STOP)]),
      );
      await put("binlog.000002", 200, Buffer.concat([format(200, 200), event(210, ROWS)]));
      for (const mark of ["complete", "replaced"] as const)
        await archive.mark({ file: "binlog.000001", started: 100, end }, mark);
      const replaced = {
        message: /replaced by a restore after 1970-01-01T00:02:00.000Z \(binlog.000001\)/,
        code: EXIT.refused,
        remedy: /backup that was made after that restore/,
      };
      for (const until of [time(205), time(121), { position: { file: "binlog.000002", position: 80 } }]) {
        await assert.rejects(archive.follow(from, 105, until), replaced);
      }
      for (const until of [time(110), time(120), { position: { file: "binlog.000001", position: 80 } }]) {
        assert.deepEqual(names(await archive.follow(from, 105, until)), ["binlog.000001"]);
      }
      assert.deepEqual(names(await archive.follow({ file: "binlog.000002", position: 4 }, 205, time(500))), [
        "binlog.000002",
      ]);
      // Nothing of what came afterwards is there yet.
      rmSync(join(folder, "binlogs", "000000000200-binlog.000002"), { recursive: true });
      await assert.rejects(archive.follow(from, 105, time(205)), replaced);
    },
  );

  it("takes an event in several pieces for one, and half of it for none", async () => {
    const large = event(110, ROWS, Buffer.alloc(200, 7));
    const head = Buffer.concat([MAGIC, format(100, 100)]);
    await archive.put("binlog.000001", 100, 0, head);
    await archive.put("binlog.000001", 100, head.length, large.subarray(0, 90), true);
    assert.equal((await archive.files())[0]!.end, head.length);
    await archive.put("binlog.000001", 100, head.length + 90, large.subarray(90, 180), true);
    await archive.put("binlog.000001", 100, head.length + 180, large.subarray(180));
    const [file] = await archive.files();
    assert.deepEqual(
      [file!.end, file!.objects.length, await archive.isComplete(file!)],
      [head.length + large.length, 4, false],
    );
    // The moment of its last event is in the first of its pieces.
    await put("binlog.000002", 200, format(200, 0));
    assert.deepEqual(names(await archive.follow(from, 105, time(110))), ["binlog.000001"]);
    await assert.rejects(archive.follow(from, 105, time(111)), /has a hole/);
    const read: Buffer[] = [];
    await archive.read(file!, { write: (chunk: Buffer) => read.push(Buffer.from(chunk)) > 0 } as never);
    assert.ok(Buffer.concat(read).equals(Buffer.concat([head, large])));
  });

  it("is found though the clock was set back or ahead when a file was started", async () => {
    const year = 31_536_000;
    await put(
      "binlog.000001",
      100 + year,
      Buffer.concat([format(100 + year, 1), event(110, ROWS), event(120, ROTATE)]),
    );
    await put("binlog.000002", 120, Buffer.concat([format(120, 0), event(130, ROWS)]));
    assert.deepEqual(names(await archive.follow(from, 105, { position: { file: "binlog.000002", position: 50 } })), [
      "binlog.000001",
      "binlog.000002",
    ]);
  });
});
