import assert from "node:assert/strict";
import { type ChildProcess, execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { imageTags } from "../../cli/setup/images.ts";
import { Clone, docker, type Result, type Status } from "../support/clone.ts";
import { containersOf } from "../support/containers.ts";
import { sqlAsRoot } from "../support/sql.ts";

const said = ({ stdout, stderr }: Result): string => stdout + stderr;

describe("restores and imports of a stack", function () {
  this.timeout(900_000);
  let clone: Clone;
  let status: Status;
  let bin: string | undefined;

  const container = (role: string): string => status.services.find((service) => service.role === role)!.container;
  const sql = (statements: string): string => sqlAsRoot(container("database"), statements);
  const ok = async (...args: string[]): Promise<Result> => {
    const result = await clone.drydock(args);
    assert.equal(result.code, 0, said(result));
    return result;
  };
  const state = async (): Promise<Status & { restore?: { state: string; what: string } }> =>
    JSON.parse((await clone.drydock(["status", "--json"])).stdout);
  const app = (script: string): string => docker("exec", container("app"), "sh", "-c", script);
  /** Nothing of a restore is left: on the disk, in the server, on the Docker host, for visitors. */
  const isSettled = async (why: string): Promise<void> => {
    const now = await state();
    assert.equal(now.restore, undefined, why);
    assert.deepEqual(
      now.services.filter(({ state }) => state !== "running"),
      [],
      why,
    );
    for (const end = Date.now() + 60_000; (await fetch(status.url)).status !== 200; ) {
      assert.ok(Date.now() < end, `${why}: the site is not open`);
      await sleep(500);
    }
    assert.doesNotMatch(sql("SHOW SCHEMAS"), /_restore_|journal/, why);
    const left = docker("exec", container("database"), "sh", "-c", "ls /var/lib/mysql/.drydock");
    assert.doesNotMatch(left, /state|leaving|hold/, why);
    const names = docker("ps", "--all", "--format", "{{.Names}}").split("\n");
    assert.deepEqual(
      names.filter((name) => name.startsWith(`${container("restore")}-beside`)),
      [],
      why,
    );
  };

  /** As a machine that stops: everything ends at once, and what nobody had stopped is started again. */
  const reboot = async (): Promise<void> => {
    const running = (await containersOf(clone)).filter(
      ({ state, name }) => state === "running" && !name.endsWith("-beside"),
    );
    execFileSync("docker", ["kill", ...running.map(({ id }) => id)], { stdio: "ignore" });
    execFileSync("docker", ["start", ...running.map(({ id }) => id)], { stdio: "ignore" });
  };

  before(async () => {
    clone = new Clone();
    await clone.pulumi(["stack", "select", "--create", "local"]);
    const { redis } = imageTags();
    for (const [path, value] of [
      ['app.persistent["storage/exports"].backup', "true"],
      ["services.search.image", redis],
      ["services.search.entrypoint", '["redis-server"]'],
      ["services.search.command", '["--port","7700","--dir","/data","--appendonly","yes","--appendfsync","always"]'],
      ["services.search.volume", "/data"],
      ["services.search.uid", "999"],
      ["services.search.gid", "999"],
      ["services.search.memory", "64"],
      ["services.search.health", '["sh","-c","redis-cli -p 7700 ping | grep -q PONG"]'],
    ] as const)
      await clone.set(path, value);
    await ok("up");
    status = await clone.status();
    sql("CREATE TABLE kept (id INT PRIMARY KEY) WITH SYSTEM VERSIONING; INSERT INTO kept VALUES (1), (2)");
    app("mkdir -p storage/app/up && echo one > storage/app/up/a.txt");
    bin = mkdtempSync(join(tmpdir(), "drydock-kill-"));
    // Not the clients of ./drydock, which look for the real one on PATH, and would find this one.
    const real = execFileSync("bash", ["-c", "type -ap docker | grep -v /cli/host/bin/"], { encoding: "utf8" }).split(
      "\n",
    )[0]!;
    // A docker's client that ends the command line which calls it, before or after it has done what it was asked for.
    writeFileSync(
      join(bin, "docker"),
      `#!/bin/bash
if [ -n "$KILL_AT" ] && [[ "$*" == *"$KILL_AT"* ]]; then
  [ "$KILL_WHEN" = before ] || ${real} "$@"
  kill -9 $PPID
  exit 1
fi
exec ${real} "$@"
`,
    );
    chmodSync(join(bin, "docker"), 0o755);
  });
  after(async () => {
    if (bin !== undefined) rmSync(bin, { recursive: true, force: true });
    await clone?.remove();
  });

  const killed = async (args: readonly string[], at: string, when: "before" | "after"): Promise<void> => {
    const path = `${bin!}${delimiter}${process.env.PATH}`;
    const child = clone.start(["backup", "restore", ...args], { PATH: path, KILL_AT: at, KILL_WHEN: when });
    let text = "";
    child.stderr!.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
    const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
      child.once("close", (...ended) => resolve(ended)),
    );
    assert.ok(signal === "SIGKILL" || code === 137, `${at}: it ended by itself (${code}): ${text}`);
  };

  it("are brought to one of two ends after a kill at each step, with and without a reboot", async () => {
    await ok("backup", "run");
    const id: string = JSON.parse((await ok("backup", "list", "--json")).stdout).backups[0].id;
    const physically = [id, "--db", "--physical", "--yes", "--no-backup"];
    const database = container("database");
    const steps = [
      [physically, `stop ${database}`, "after", "back"],
      [physically, " restore swap restores/", "after", "back"],
      [physically, ` restore proven`, "before", "back"],
      [physically, ` restore proven`, "after", "done"],
      [physically, ` restore keep`, "after", "done"],
      [[id, "--files", "--yes", "--no-backup"], " restore swap .drydock-before-", "before", "back"],
      [[id, "--files", "--yes", "--no-backup"], " restore swap .drydock-before-", "after", "done"],
    ] as const;
    for (const [index, [args, at, when, end]] of steps.entries()) {
      sql("REPLACE INTO kept VALUES (1), (2), (99)");
      app("echo changed > storage/app/up/a.txt");
      const why = `killed ${when} ${at}`;
      await killed(args, at, when);
      if (index % 2 === 0) await reboot();
      const now = await state();
      assert.equal(now.restore?.state, "cut off", why);
      assert.match(now.restore!.what, new RegExp(`a restore of backup ${id} by `));
      await ok(...(index % 3 === 2 ? ["up"] : ["backup", "restore", "--resume"]));
      await isSettled(why);
      const files = args.includes("--files");
      assert.equal(
        sql("SELECT GROUP_CONCAT(id ORDER BY id) FROM kept"),
        end === "done" && !files ? "1,2" : "1,2,99",
        why,
      );
      assert.equal(app("cat storage/app/up/a.txt"), end === "done" && files ? "one" : "changed", why);
    }
    assert.match(said(await ok("backup", "restore", "--resume")), /No restore was cut off/);
  });

  it("bring a service's data and a folder to one of two ends after a kill at each step, reboot or not", async () => {
    const service = status.services.find(({ name }) => name === "service-search")!.container;
    const search = (...words: string[]) => docker("exec", service, "redis-cli", "-p", "7700", ...words);
    const exports = (script: string) => app(`cd storage/exports && ${script}`);
    search("SET", "book", "kept");
    exports("echo kept > list");
    await ok("backup", "run", "--type", "files");
    const id: string = JSON.parse((await ok("backup", "list", "--json")).stdout).backups[0].id;
    const both = [id, "--service", "search", "--folder", "storage/exports", "--yes"];
    const steps = [
      [both, `stop ${service}`, "after", "changed", "changed"],
      [both, " restore swap .drydock-before-", "before", "changed", "changed"],
      [both, " restore swap .drydock-before-", "after", "kept", "changed"],
      [both, `start ${service}`, "before", "kept", "changed"],
      [[id, "--folder", "storage/exports", "--yes"], " restore swap .drydock-before-", "before", "changed", "changed"],
      [[id, "--folder", "storage/exports", "--yes"], " restore swap .drydock-before-", "after", "changed", "kept"],
    ] as const;
    for (const [index, [args, at, when, book, list]] of steps.entries()) {
      search("SET", "book", "changed");
      exports("echo changed > list");
      const why = `killed ${when} ${at}`;
      await killed(args, at, when);
      if (index % 2 === 0) await reboot();
      assert.equal((await state()).restore?.state, "cut off", why);
      await ok(...(index % 3 === 2 ? ["up"] : ["backup", "restore", "--resume"]));
      await isSettled(why);
      assert.deepEqual([search("GET", "book"), exports("cat list")], [book, list], why);
    }
    search("SET", "book", "changed");
    exports("echo changed > list");
    assert.match(
      said(await ok("backup", "restore", ...both)),
      /Restored backup \S+: folder storage\/exports and service search/,
    );
    assert.deepEqual([search("GET", "book"), exports("cat list")], ["kept", "kept"]);
  });

  it("give a service back what it had where it can't start on what was restored", async () => {
    const service = status.services.find(({ name }) => name === "service-search")!.container;
    const search = (...words: string[]) => docker("exec", service, "redis-cli", "-p", "7700", ...words);
    // A copy from in between: no server starts on it.
    docker("exec", service, "sh", "-c", "for f in /data/appendonlydir/*; do mv $f /tmp/; echo broken > $f; done");
    await ok("backup", "run", "--type", "files");
    docker(
      "exec",
      service,
      "sh",
      "-c",
      "for f in /tmp/appendonly*; do cat $f > /data/appendonlydir/$(basename $f); done",
    );
    const id: string = JSON.parse((await ok("backup", "list", "--json")).stdout).backups[0].id;
    const failed = await clone.drydock(["backup", "restore", id, "--service", "search", "--yes"]);
    assert.equal(failed.code, 1, said(failed));
    assert.match(said(failed), /service search is not healthy .*what it had/s);
    assert.equal(search("GET", "book"), "kept");
    await isSettled("after a service that did not start");
    assert.doesNotMatch(docker("exec", service, "ls", "-A", "/data"), /drydock-(restore|state)/);
  });

  it("are one at a time, from whichever clone; nothing is deployed and no backup is removed meanwhile", async () => {
    const other = new Clone();
    let child: ChildProcess | undefined;
    try {
      // Another machine with the same state.
      execFileSync("cp", ["-a", join(clone.dir, ".drydock"), join(clone.dir, "Pulumi.local.yaml"), other.dir]);
      rmSync(join(other.dir, ".drydock", "local.lock"), { force: true });
      child = clone.start(["backup", "restore", "latest", "--db", "--physical", "--yes", "--no-backup"]);
      const ended = new Promise<number | null>((resolve) => child!.once("close", resolve));
      await new Promise<void>((resolve) =>
        child!.stderr!.on("data", (chunk: Buffer) => {
          if (/preparing/.test(chunk.toString())) resolve();
        }),
      );
      for (const args of [["backup", "restore", "latest", "--db", "--yes"], ["up"], ["import", "files", other.dir]]) {
        const refused = await other.drydock(args);
        if (child.exitCode !== null) break;
        assert.equal(refused.code, 3, said(refused));
        assert.match(
          said(refused),
          /data is being restored \(a restore of backup latest\) by \S+, since .*nothing was changed/,
        );
      }
      assert.equal(await ended, 0);
      await isSettled("after two at once");
    } finally {
      child?.kill("SIGKILL");
      rmSync(other.dir, { recursive: true, force: true });
    }
  });

  it(
    "bring a dump from elsewhere: refused over what is live, whoever owned its views, " +
      "whatever its database was called",
    async () => {
      const dump = join(clone.dir, "old.sql");
      const rows = sql("SELECT COUNT(*) FROM `rows`");
      // As mariadb-dump --databases writes it of a server with other accounts.
      sql(
        "CREATE DATABASE `my-shop`; CREATE TABLE `my-shop`.`it's` (id INT PRIMARY KEY); " +
          "INSERT INTO `my-shop`.`it's` VALUES (7), (8); CREATE TABLE `my-shop`.migrations (id INT PRIMARY KEY " +
          "AUTO_INCREMENT, migration VARCHAR(255), batch INT); CREATE DEFINER=shop@localhost VIEW `my-shop`.`the " +
          "view` AS SELECT id FROM `my-shop`.`it's`",
      );
      const trigger =
        "CREATE DEFINER=shop@localhost TRIGGER `my-shop`.up BEFORE INSERT ON `my-shop`.`it's` FOR EACH ROW SET " +
        "NEW.id = NEW.id + 1";
      sql(trigger);
      sql("CREATE USER shop@localhost; GRANT ALL ON `my-shop`.* TO shop@localhost");
      writeFileSync(
        dump,
        docker(
          "exec",
          container("database"),
          "sh",
          "-c",
          "MYSQL_PWD=$(cat /run/drydock/root-password) mariadb-dump -uroot --routines --triggers --databases my-shop",
        ),
      );
      sql("DROP DATABASE `my-shop`; DROP USER shop@localhost");
      const refused = await clone.drydock(["import", "dump", dump]);
      assert.equal(refused.code, 3, said(refused));
      assert.match(said(refused), /has rows in .*--replace/s);
      assert.equal(sql("SELECT COUNT(*) FROM `rows`"), rows);
      const cut = join(clone.dir, "cut.sql");
      writeFileSync(cut, readFileSync(dump, "utf8").slice(0, -200));
      const broken = await clone.drydock(["import", "dump", cut, "--replace", "--yes"]);
      assert.equal(broken.code, 3, said(broken));
      assert.match(said(broken), /the dump is cut off/);
      assert.equal(sql("SELECT COUNT(*) FROM `rows`"), rows);
      execFileSync("gzip", [dump]);
      const done = await ok("import", "dump", `${dump}.gz`, "--replace", "--yes", "--json");
      const result = JSON.parse(done.stdout);
      assert.deepEqual(
        [result.schema, result.tables, result.objects, result.definers],
        ["laravel", 2, 2, ["shop@localhost"]],
      );
      assert.ok(result.pending.length > 0, "its table migrations is empty");
      sql("INSERT INTO `it's` VALUES (20)");
      assert.equal(sql("SELECT GROUP_CONCAT(id ORDER BY id) FROM `the view`"), "7,8,21");
      assert.match(sql("SELECT definer FROM information_schema.views WHERE table_schema = 'laravel'"), /^laravel@%$/);
      assert.equal(sql(`SELECT COUNT(*) FROM ${result.previous}.\`rows\``), rows);
      await isSettled("after an import");
      assert.equal(JSON.parse((await ok("backup", "list", "--json")).stdout).backups[0].verified, true);
    },
  );

  it("bring uploads from elsewhere, which are the application's then", async () => {
    const dir = join(clone.dir, "uploads");
    mkdirSync(join(dir, "public", "avatars"), { recursive: true, mode: 0o700 });
    const names = ["it's $(x)", "--option", "line\nbreak", "日本語", "a".repeat(255)];
    for (const name of names) writeFileSync(join(dir, "public", "avatars", name), name, { mode: 0o600 });
    execFileSync("sh", ["-c", `printf x > "$(printf 'caf\\351')"`], { cwd: join(dir, "public", "avatars") });
    const refused = await clone.drydock(["import", "files", dir]);
    assert.equal(refused.code, 3, said(refused));
    assert.match(said(refused), /files? in storage\/app already/);
    await ok("import", "files", dir, "--replace", "--yes", "--no-backup");
    assert.equal(
      app("cd storage/app/public/avatars && ls | wc -l"),
      String(names.length + 2),
      "one name has two lines",
    );
    assert.equal(
      app('cd storage/app/public/avatars && for f in *; do [ -O "$f" ] && echo x >> "$f" || echo refused; done'),
      "",
    );
    const exported = ["import", "files", join(dir, "public", "avatars"), "--folder"];
    const unknown = await clone.drydock([...exported, "storage/other"]);
    assert.equal(unknown.code, 2, said(unknown));
    assert.match(said(unknown), /keeps no folder storage\/other .*those that it keeps: storage\/exports/s);
    await ok(...exported, "storage/exports", "--replace", "--yes", "--no-backup");
    assert.equal(app("cd storage/exports && ls | wc -l; cat ./--option"), `${names.length + 2}\n--option`);
    const answer = await fetch(`${status.url}/storage/avatars/--option`);
    assert.deepEqual([answer.status, await answer.text()], [200, "--optionx\n"]);
    await isSettled("after an import of files");
  });
});
