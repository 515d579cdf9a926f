import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const SCRIPT = readFileSync("commands/restore-physical.sh", "utf8");
const LIVE = { "ibdata1": "live", "shop/bulk.ibd": "live rows", "shop/old.ibd": "live only", "binlog.000007": "log", "binlog.index": "index" };
const RESTORED = { "ibdata1": "restored", "shop/bulk.ibd": "restored rows", "binlog.000002": "of the backup", ".drydock/db.opt": "what mariadb-backup makes of it" };

describe("putting a server's files in place of the live ones", () => {
  let data: string;
  const write = (folder: string, files: Readonly<Record<string, string>>): void => {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(data, folder, name, ".."), { recursive: true });
      writeFileSync(join(data, folder, name), content);
    }
  };
  const read = (folder = "."): Record<string, string> =>
    Object.fromEntries(readdirSync(join(data, folder), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)).map((path) => [path.slice(join(data, folder).length + 1), readFileSync(path, "utf8")] as const)
      .filter(([path]) => folder !== "." || !path.startsWith(".drydock/")).sort());
  const run = (...args: string[]): string => execFileSync("sh", ["-c", SCRIPT, "restore", ...args], { env: { ...process.env, DATA: data }, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), "drydock-physical-"));
    write(".", LIVE);
    write(".drydock/restores/1234/data", RESTORED);
  });
  afterEach(() => rmSync(data, { recursive: true }));

  const swapped = { "ibdata1": "restored", "shop/bulk.ibd": "restored rows", "binlog.000007": "log", "binlog.index": "index" };

  it("takes over the restored files and goes on with the live log; what was live is kept until it is forgotten", () => {
    run("swap", "restores/1234/data");
    assert.deepEqual(read(), swapped);
    assert.equal(run("left"), "./leaving");
    run("keep", "before-20260131_102959");
    assert.deepEqual([run("left"), run("kept")], ["", "before-20260131_102959"]);
    assert.deepEqual(read(".drydock/before-20260131_102959"), { "ibdata1": "live", "shop/bulk.ibd": "live rows", "shop/old.ibd": "live only" });
    assert.deepEqual(readdirSync(join(data, ".drydock/restores")), []);
    run("forget");
    assert.equal(run("kept"), "");
    assert.deepEqual(read(), swapped);
  });

  it("can be taken back, with what the server logged meanwhile", () => {
    run("swap", "restores/1234/data");
    writeFileSync(join(data, "binlog.000008"), "meanwhile");
    run("back");
    assert.deepEqual(read(), { ...LIVE, "binlog.000008": "meanwhile" });
    assert.equal(run("left"), "");
  });

  for (const verb of ["swap", "back"] as const) {
    it(`is taken back whole wherever ${verb} was cut off`, () => {
      if (verb === "back") run("swap", "restores/1234/data");
      const bin = join(data, ".drydock", "bin");
      mkdirSync(bin);
      for (let last = 0, cut = true; cut; last++) {
        // A machine that stops: nothing after the so-manieth move happens.
        writeFileSync(join(bin, "mv"), `#!/bin/sh\ncount=$(cat ${bin}/count)\n[ "$count" -lt ${last} ] || kill -9 $(ps -o ppid= -p $PPID)\n[ "$count" -lt ${last} ] || exit 1\necho $((count + 1)) > ${bin}/count\nexec /bin/mv "$@"\n`);
        chmodSync(join(bin, "mv"), 0o755);
        writeFileSync(join(bin, "count"), "0");
        cut = spawnSync("sh", ["-c", SCRIPT, "restore", verb, "restores/1234/data"], { env: { ...process.env, DATA: data, PATH: `${bin}:${process.env.PATH}` }, stdio: "ignore" }).status !== 0;
        run("back");
        assert.deepEqual(read(), LIVE, `cut off after ${last} moves`);
        assert.equal(run("left"), "");
        rmSync(join(data, ".drydock/restores"), { recursive: true, force: true });
        write(".drydock/restores/1234/data", RESTORED);
        if (verb === "back") run("swap", "restores/1234/data");
      }
    });
  }
});
