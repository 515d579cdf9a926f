import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cutOff } from "../../support/commands/cutOff.ts";
import { type Files, inMemory, readFiles, writeFiles } from "../../support/files.ts";

const SCRIPT = readFileSync("commands/inside/restore-physical.sh", "utf8");
const LIVE = {
  ibdata1: "live",
  "mysql/db.frm": "live accounts",
  "shop/bulk.ibd": "live rows",
  "shop/old.ibd": "live only",
  "binlog.000007": "log",
  "binlog.000007.idx": "index of that",
  "binlog.index": "index",
};
const RESTORED = {
  ibdata1: "restored",
  "mysql/db.frm": "restored accounts",
  "shop/bulk.ibd": "restored rows",
  "binlog.000002": "of the backup",
  ".drydock/db.opt": "what mariadb-backup makes of it",
};
const NAME = "before-20260131_102959";

describe("putting a server's files in place of the live ones", function () {
  this.timeout(600_000);
  let data: string;
  const write = (folder: string, files: Files): void => writeFiles(join(data, folder), files);
  const read = (folder = "."): Record<string, string> =>
    readFiles(join(data, folder), (path) => folder !== "." || !path.startsWith(".drydock/"));
  const run = (...args: string[]): string =>
    execFileSync("sh", ["-c", SCRIPT, "restore", ...args], {
      env: { ...process.env, DATA: data },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  const swap = (): string => run("swap", "restores/1234/data", NAME);

  beforeEach(() => {
    data = inMemory("drydock-physical-");
    write(".", LIVE);
    write(".drydock/restores/1234/data", RESTORED);
  });
  afterEach(() => rmSync(data, { recursive: true }));

  const swapped = {
    "binlog.000007": "log",
    "binlog.000007.idx": "index of that",
    "binlog.index": "index",
    ibdata1: "restored",
    "mysql/db.frm": "restored accounts",
    "shop/bulk.ibd": "restored rows",
  };
  const kept = {
    ibdata1: "live",
    "mysql/db.frm": "live accounts",
    "shop/bulk.ibd": "live rows",
    "shop/old.ibd": "live only",
  };
  const sorted = (files: Readonly<Record<string, string>>) => Object.fromEntries(Object.entries(files).sort());

  it("takes over the restored files and goes on with the live log; what was live is kept until it is forgotten", () => {
    swap();
    assert.deepEqual(read(), swapped);
    assert.equal(run("left"), `swapped ${NAME}`);
    assert.throws(() => run("keep"), "what no server has opened is not kept yet");
    run("proven");
    run("keep");
    assert.deepEqual([run("left"), run("kept")], ["", NAME]);
    assert.deepEqual(read(`.drydock/${NAME}`), kept);
    assert.deepEqual(readdirSync(join(data, ".drydock")).sort(), [NAME, "replaced", "restores"]);
    assert.deepEqual(readdirSync(join(data, ".drydock/restores")), []);
    run("forget");
    assert.equal(run("kept"), "");
    assert.deepEqual(read(), swapped);
  });

  it("keeps in mind after which file of the log the data are others, and not of what was taken back", () => {
    const log = (number: number, started: number): void => {
      const file = Buffer.alloc(80);
      file.writeUInt32LE(started, 4);
      writeFileSync(join(data, `binlog.00000${number}`), file);
    };
    const replaced = (): string => readFileSync(join(data, ".drydock/replaced"), "utf8");
    log(7, 1_700_000_000);
    swap();
    run("proven");
    assert.ok(!existsSync(join(data, ".drydock/replaced")), "not before it is kept");
    run("keep");
    assert.equal(replaced(), "binlog.000007 1700000000\n");
    log(8, 1_800_000_000);
    write(".drydock/restores/1234/data", RESTORED);
    run("swap", "restores/1234/data", "before-20260131_103000");
    run("back");
    assert.deepEqual(
      [replaced(), existsSync(join(data, ".drydock/replaced.new"))],
      ["binlog.000007 1700000000\n", false],
    );
    write(".drydock/restores/1234/data", RESTORED);
    run("swap", "restores/1234/data", "before-20260131_103001");
    run("proven");
    run("keep");
    assert.equal(replaced(), "binlog.000007 1700000000\nbinlog.000008 1800000000\n");
  });

  it("can be taken back, with what the server logged meanwhile; what it may have written to is kept", () => {
    swap();
    writeFileSync(join(data, "binlog.000008"), "meanwhile");
    writeFileSync(join(data, "shop/bulk.ibd"), "written after the swap");
    assert.equal(run("back"), `${NAME}-restored`);
    assert.deepEqual(read(), sorted({ ...LIVE, "binlog.000008": "meanwhile" }));
    assert.equal(read(`.drydock/${NAME}-restored`)["shop/bulk.ibd"], "written after the swap");
    assert.deepEqual([run("left"), run("kept")], ["", `${NAME}-restored`]);
    run("discard", `${NAME}-restored`);
    assert.equal(run("kept"), "");
  });

  it("takes nothing back that was proven, and begins nothing on top of what has not come to its end", () => {
    swap();
    assert.throws(swap);
    run("proven");
    assert.throws(() => run("back"));
    assert.deepEqual(read(), swapped);
  });

  it("refuses a folder that is no server's before anything is moved", () => {
    rmSync(join(data, ".drydock/restores/1234/data/mysql"), { recursive: true });
    assert.throws(swap);
    assert.deepEqual([read(), run("left")], [sorted(LIVE), ""]);
  });

  const changes = { mv: "", ln: "", cp: "", rm: "", rmdir: "", mkdir: "", sync: "" };
  const stopAt = (nth: number, ...args: string[]): boolean => cutOff(nth, changes, SCRIPT, args, { DATA: data });

  /** A server starts on all of one, or not at all: not on half of either, and none is made anew. */
  const startsOnlyOnAll = (where: string): void => {
    const now = read();
    if (now["ibdata1"] === "live") assert.deepEqual(now, sorted(LIVE), where);
    else if (now["ibdata1"] === "restored") assert.deepEqual(now, swapped, where);
    else assert.match(now["ibdata1"] ?? "missing", /^A restore of Drydock is under way/, where);
  };

  for (const verb of ["swap", "back"] as const) {
    it(
      `is taken back whole wherever ${verb} was cut off, and wherever that was cut off; ` +
        "no server starts on half a folder",
      () => {
        let cuts = 0;
        for (let last = 0, cut = true; cut; last += 3) {
          rmSync(data, { recursive: true });
          write(".", LIVE);
          write(".drydock/restores/1234/data", RESTORED);
          if (verb === "back") swap();
          cut = stopAt(last, verb, "restores/1234/data", NAME);
          startsOnlyOnAll(`${verb} cut off after ${last} changes`);
          // What takes it back is cut off as well, each time somewhere else.
          const again = (last * 5) % 17;
          if (cut && run("left") !== "") {
            stopAt(again, "back");
            startsOnlyOnAll(`${verb} cut off after ${last} changes, taken back after ${again}`);
          }
          run("back");
          assert.deepEqual(read(), sorted(LIVE), `${verb} cut off after ${last} changes, then after ${again}`);
          assert.equal(run("left"), "");
          if (run("kept") !== "") assert.equal(read(`.drydock/${NAME}-restored`)["ibdata1"], "restored");
          cuts = last;
        }
        assert.ok(cuts > 12, String(cuts));
      },
    );
  }

  it("is kept whole wherever keeping was cut off", () => {
    for (let last = 0, cut = true; cut; last += 2) {
      rmSync(data, { recursive: true });
      write(".", LIVE);
      write(".drydock/restores/1234/data", RESTORED);
      swap();
      run("proven");
      cut = stopAt(last, "keep");
      if (run("left") !== "") run("keep");
      assert.deepEqual([read(), read(`.drydock/${NAME}`)], [swapped, kept], `cut off after ${last} changes`);
    }
  });
});
