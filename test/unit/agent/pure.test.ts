import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "mocha";
import { z } from "zod";
import { archivedFrom, chain, segmentName } from "../../../agent/binlog/archive.ts";
import { begunAt, piecesOf, wholeEvents } from "../../../agent/binlog/format.ts";
import { keepsHistory } from "../../../agent/database/dumpPlan.ts";
import { fits, requireTools, tlsOptionsFor } from "../../../agent/database/tools.ts";
import { differences, fileDifferences } from "../../../agent/restore/verify.ts";
import { copyArguments, parseInfo } from "../../../agent/sandbox/physicalCopy.ts";
import { mailOf } from "../../../agent/schedule/alarms.ts";
import { metricsOf } from "../../../agent/schedule/metrics.ts";
import { clean, redact } from "../../../agent/shared/events.ts";
import { isTransient } from "../../../agent/shared/transience.ts";
import { baseFor, parsePosition, withSums } from "../../../agent/snapshot/database.ts";
import { unneeded } from "../../../agent/store/cleanup.ts";
import { derivedKey, open, seal } from "../../../agent/store/encryption.ts";
import { type Entry, EXIT, entrySchema, type Status } from "../../../contracts/agent.ts";
import { checksumQuestion } from "../../../lib/sql/checksum.ts";
import { day, entry } from "../../support/agent/entries.ts";

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
    assert.equal(baseFor(ordered, replaced(6, 6)), undefined, "begun before, listed after");
    assert.equal(baseFor(ordered, replaced(4, 7)), undefined, "made before, while the clock was ahead");
    assert.equal(baseFor(ordered, replaced(4, 6))?.id, "b");
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
});

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
      [begunAt(file), begunAt(file.subarray(0, 20)), begunAt(Buffer.alloc(64))],
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

  const objects = (...pieces: [string, number, number, number][]) =>
    pieces.map(([file, begun, from, to]) => ({ name: segmentName(file, begun, from, to), size: 1 }));
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
  const names = (files: readonly { file: string; begun: number }[]) =>
    files.map(({ file, begun }) => `${begun} ${file}`);
  it("follows one file to the next, and tells files of one name apart by when they were begun", () => {
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

describe("what is sealed", () => {
  const key = derivedKey(randomBytes(24).toString("hex"));
  const sealed = seal(key, "a/b", Buffer.from("content ".repeat(100)));
  it("opens with its key and name", () => {
    assert.equal(open(key, "a/b", sealed).toString(), "content ".repeat(100));
    assert.ok(!sealed.includes("content"));
  });
  for (const [title, name, data, other] of [
    ["another key", "a/b", sealed, true],
    ["another name", "a/c", sealed, false],
    ["a cut", "a/b", sealed.subarray(0, -5), false],
    ["nothing", "a/b", Buffer.alloc(0), false],
    ["one changed bit", "a/b", Buffer.from(sealed.map((byte, index) => (index === 30 ? byte ^ 1 : byte))), false],
  ] as const) {
    it(`is refused with ${title}`, () =>
      assert.throws(
        () => open(other ? derivedKey("another") : key, name, data),
        /is damaged, or was made with another key/,
      ));
  }
});

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
});

describe("what programs say", () => {
  it("mariadb-backup: LSN and place in the log", () => {
    assert.deepEqual(
      parseInfo(
        "backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 45552\n",
        "server_version = 11.8.9-MariaDB\nbinlog_pos = filename 'binlog.000002', position '342', GTID of the last change '0-1-5'\n",
      ),
      { fromLsn: "0", toLsn: "45552", version: "11.8.9-MariaDB", position: { file: "binlog.000002", position: 342 } },
    );
    assert.throws(() => parseInfo("", ""), /did not say what it copied/);
  });
  it("mariadb-backup is asked for one thread, so that two copies of the same are the same", () => {
    assert.deepEqual(copyArguments("/restore/x", "7"), [
      "--defaults-file=/run/drydock/database.cnf",
      "--backup",
      "--stream=mbstream",
      "--parallel=1",
      "--datadir=/var/lib/mysql",
      "--target-dir=/restore/x",
      "--extra-lsndir=/restore/x/info",
      "--incremental-lsn=7",
    ]);
  });
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
  it("use TLS where the server has it, and verify it where the server can prove itself", () => {
    assert.deepEqual(tlsOptionsFor("DISABLED", "10.11.6-MariaDB"), ["--skip-ssl"]);
    assert.deepEqual(tlsOptionsFor("NO", "11.8.9-MariaDB"), ["--skip-ssl"]);
    assert.deepEqual(tlsOptionsFor("YES", "10.6.18-MariaDB-log"), ["--ssl", "--skip-ssl-verify-server-cert"]);
    for (const version of ["11.4.2-MariaDB", "11.8.9-MariaDB-2 from Debian-log", "12.3.1-MariaDB"])
      assert.deepEqual(tlsOptionsFor("YES", version), []);
  });
  it("copy a server of their own series alone", () => {
    assert.deepEqual(
      ["11.8.2-MariaDB", "11.4.9-MariaDB", "10.11.6-MariaDB-log"].map((server) => fits("11.8.9", server)),
      [true, false, false],
    );
  });
  it("dump the history of tables where the server takes it back", () => {
    assert.deepEqual(
      [
        "10.6.18-MariaDB",
        "10.11.6-MariaDB-1",
        "11.4.9-MariaDB",
        "11.8.9-MariaDB",
        "12.3.1-MariaDB",
        "9.7.0",
        "8.4.3",
      ].map(keepsHistory),
      [false, false, false, true, true, false, false],
    );
  });
  it("are there, or it is said which image to take", () => {
    requireTools({ dump: ["sh"] }, "/nowhere:/bin");
    assert.throws(() => requireTools({ dump: ["mysqldump"] }, "/nowhere"), {
      message: "the agent's image has no mysqldump",
      code: EXIT.refused,
      remedy: /drydock:backup.image has to hold the tools of drydock:database.engine/,
    });
  });
  it("lost connections are tried again; what is wrong or forbidden is not", () => {
    for (const text of [
      "Lost connection to server during query",
      "connect: Connection refused",
      "503 Service Unavailable",
      "ERROR 1412: Table definition has changed",
    ])
      assert.equal(isTransient({ text }), true, text);
    for (const text of ["Access denied for user", "403 Forbidden", "wrong password or no key found", "No such file"])
      assert.equal(isTransient({ text }), false, text);
  });
});

describe("what goes out", () => {
  it("has no secret", () => assert.equal(redact("with s3cret and s3cret", ["s3cret"]), "with *** and ***"));
  it("has none in JSON either, where a quote in it looks otherwise", () => {
    const secret = 'a"b\\c\nd';
    const event = { event: "log", message: `with ${secret}`, deep: [{ [secret]: secret, count: 1, none: null }] };
    assert.equal(
      JSON.stringify(clean(event, [secret])),
      '{"event":"log","message":"with ***","deep":[{"***":"***","count":1,"none":null}]}',
    );
  });
  it("is a mail that says what to do", () => {
    const { subject, text } = mailOf({
      kind: "alarm",
      stack: "prod",
      name: "old",
      message: "the newest verified backup is 30 hours old",
      at: day(1),
    });
    assert.equal(subject, "[drydock prod] ALARM: old");
    assert.match(text, /^the newest verified backup is 30 hours old\n[\s\S]*\.\/drydock backup status/);
  });
  it("is metrics, without those that aren't known", async () => {
    const status: Status = {
      newest: entry("a", 1),
      newestVerified: entry("a", 1),
      ageHours: 2,
      rpoSeconds: 1.5,
      rtoSeconds: null,
      binlog: { streaming: true, position: null, reached: null },
      s3: { configured: false, lagSeconds: null, error: null },
      running: null,
      next: {},
      left: [],
      alarms: [],
    };
    const text = await metricsOf(status, [entry("a", 1)]);
    for (const line of [
      "drydock_backup_age_seconds 7200",
      "drydock_backup_rpo_seconds 1.5",
      "drydock_backup_verified 1",
      "drydock_backup_size_bytes 101",
      "drydock_backup_binlog_streaming 1",
    ])
      assert.ok(text.split("\n").includes(line), line);
    assert.ok(!/rto_seconds|s3_lag/.test(text));
  });
});

describe("names that every object has something under", () => {
  const names = ["__proto__", "constructor", "toString", "valueOf", "hasOwnProperty"];
  const sums = Object.fromEntries(names.map((name, index) => [name, { rows: index, checksum: String(index) }]));
  const sequences = Object.fromEntries(names.map((name) => [name, ["1", "2"] as const]));
  const content = { sums, sequences, objects: names.map((name) => `view ${name}`), migrations: [] };

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

  it("are compared like others: the same, missing, or more", () => {
    const empty = { sums: {}, sequences: {}, objects: [], migrations: [] };
    assert.deepEqual(differences(content, content), []);
    assert.equal(differences(content, empty).length, 3 * names.length);
    assert.equal(differences(empty, content).length, 3 * names.length);
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
