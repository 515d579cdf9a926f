import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { ensureImages } from "../../cli/setup/images.ts";
import type { Entry } from "../../contracts/entry.ts";
import { Rig } from "../support/backup/rig.ts";
import { docker } from "../support/clone.ts";

/**
 * Has the so-manieth call that changes the disk of the backups fail as on a full one, or write a part and then fail;
 * says so.
 */
const FAILS = `const fs = require("node:fs");
const nth = Number(process.env.FAIL_AT), ours = new Set();
let count = 0;
const full = (name) => { fs.writeSync.original(2, "FAILED " + name + "\\n");
  return Object.assign(new Error("ENOSPC: no space left on device, " + name), { code: "ENOSPC" }); };
const wrap = (name, concerns, part) => {
  const original = fs[name];
  fs[name] = (...args) => {
    if (concerns(args) && ++count === nth) { if (part) part(original, args); throw full(name); }
    const result = original(...args);
    if (name === "openSync" && String(args[0]).startsWith("/backups/")) ours.add(result);
    if (name === "closeSync") ours.delete(args[0]);
    return result;
  };
  fs[name].original = original;
};
wrap("writeSync", ([fd]) => ours.has(fd), (original, [fd, bytes, at, length]) => original(fd, bytes, at,
  Math.floor(length / 2)));
wrap("openSync", ([path, flags]) => String(path).startsWith("/backups/") && flags !== "r");
for (const name of ["renameSync", "mkdirSync", "linkSync"]) wrap(name,
  (args) => args.some((path) => String(path).startsWith("/backups/")));
wrap("fsyncSync", ([fd]) => ours.has(fd));
wrap("writeFileSync", ([path]) => String(path).startsWith("/backups/"), (original, [path, content,
  options]) => original(path, String(content).slice(0, 5), options));
wrap("closeSync", () => false);`;

describe("a disk that fails once", function () {
  this.timeout(1_200_000);
  const rig = new Rig();
  let first: Entry;

  before(async () => {
    await ensureImages({ log: () => undefined, host: process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock" });
    rig.outside = { "fails.cjs": FAILS };
    await rig.start();
    rig.sql(
      "CREATE TABLE fixed (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100)); INSERT INTO fixed (name) " +
        "SELECT CONCAT('name ', seq) FROM seq_1_to_500",
    );
    rig.storage("mkdir -p app; echo 1 > app/one");
    first = await rig.backup("full");
  });
  after(() => rig.stop());

  const environment = (nth: number): string[] => [
    "--env",
    "NODE_OPTIONS=--require=/run/drydock/fails.cjs",
    "--env",
    `FAIL_AT=${nth}`,
  ];
  /** A backup in which the nth call fails; answers its name, or nothing where there was none. */
  const run = (
    nth: number,
  ): Promise<{ readonly code: number; readonly failed: string | undefined; readonly said: string }> =>
    new Promise((resolve) => {
      execFile(
        "docker",
        ["exec", ...environment(nth), rig.name("agent"), "agent", "run", "--type", "full", "--no-verify", "--json"],
        (error, stdout, stderr) =>
          resolve({
            code: error === null ? 0 : Number(error.code ?? 1),
            failed: /FAILED (\w+)/.exec(stderr)?.[1],
            said: stdout + stderr,
          }),
      );
    });

  it("lists a backup whole or not at all, whichever call of it fails, and the next one is fine", async () => {
    const failed: string[] = [];
    for (let nth = 1; ; nth++) {
      const before = ((await rig.agent("list")).last.backups as Entry[]).map(({ id }) => id);
      const made = await run(nth);
      const { backups, unreadable } = (await rig.agent("list")).last as { backups: Entry[]; unreadable: number };
      const where = `call ${nth} (${made.failed}): ${made.said}`;
      assert.equal(unreadable, 0, where);
      const more = backups.filter(({ id }) => !before.includes(id));
      // Where only something beside it could not be written it counts all the same.
      assert.ok(made.code === 0 ? more.length === 1 : more.length <= 1, where);
      for (const { id } of more) assert.equal((await rig.agent("verify", id)).code, 0, where);
      if (made.failed === undefined) break;
      failed.push(made.failed);
    }
    for (const name of ["writeSync", "openSync", "fsyncSync", "renameSync"])
      assert.ok(failed.includes(name), `${name} of ${failed.join(", ")}`);
    assert.equal((await rig.agent("verify", first.id)).code, 0);
    assert.equal(rig.repository("find . -name '*.part' | wc -l"), "0");
    await rig.backup("full");
  });

  it("has the agent start whatever fails, tell what it can't write, and follow the log without a hole", async () => {
    const base = await rig.backup("db");
    for (let nth = 1; nth <= 14; nth++) {
      await rig.startAgent({ more: environment(nth) });
      rig.sql(`INSERT INTO fixed (name) VALUES ('while call ${nth} fails')`);
      await rig.until("the log", async () => (await rig.agent("status")).last.rpoSeconds < 10);
      assert.equal(
        docker("inspect", "--format", "{{.RestartCount}} {{.State.Running}}", rig.name("agent")),
        "0 true",
        `call ${nth}`,
      );
    }
    await rig.startAgent();
    const expected = rig.sql("SELECT COUNT(*) FROM fixed; CHECKSUM TABLE fixed").split(/\s/);
    await sleep(2_100);
    const mistake = rig.sql("DELETE FROM fixed; SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%dT%H:%i:%sZ')");
    await sleep(1_500);
    const { code, last } = await rig.agent("dump", base.id, "--to-time", mistake);
    assert.equal(code, 0, JSON.stringify(last));
    assert.deepEqual(last.sums["fixed"], { rows: Number(expected[0]), checksum: expected.at(-1) });
  });
});
