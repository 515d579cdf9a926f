import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { BackupHost } from "../../cli/backup/agent.ts";
import { storagePlace } from "../../cli/backup/places.ts";
import { Progress } from "../../cli/backup/progress.ts";
import { filesBeside, inFiles, swapFiles } from "../../cli/backup/restoreFiles.ts";
import { type Database, query, quoted } from "../../cli/backup/sql.ts";
import { ensureImages } from "../../cli/setup/images.ts";
import { dockerFor } from "../../cli/shared/docker.ts";
import type { Entry } from "../../contracts/entry.ts";
import { Rig } from "../support/backup/rig.ts";
import { make, picture, underAll } from "../support/hostile/content.ts";
import { NAMES } from "../support/hostile/names.ts";

/** Names and files that somebody else has chosen, from the backup to what is restored. */
describe("a backup, whatever the names in it are", function () {
  this.timeout(900_000);
  const rig = new Rig();
  const client = dockerFor(process.env.DOCKER_HOST);
  const server: Database = { docker: client, container: rig.name("database"), client: "mariadb" };
  const host = { docker: client, agent: rig.name("agent"), session: { stack: "rig" } } as unknown as BackupHost;

  before(async () => {
    await ensureImages({ log: () => undefined, host: process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock" });
    await rig.start();
  });
  after(() => rig.stop());

  /** The dump of a backup in a schema of its own. */
  const loaded = async (id: string, ...more: string[]): Promise<unknown> => {
    rig.load("look", id, ...more);
    const found = await picture(server, "look");
    await query(server, "DROP DATABASE look");
    return found;
  };

  /** A server that runs on the prepared files of a backup, as a physical restore leaves them. */
  const prepared = async (id: string, ...more: string[]): Promise<unknown> => {
    const { code, last, stderr } = await rig.agent("prepare", id, ...more);
    assert.equal(code, 0, stderr + JSON.stringify(last));
    return await rig.onFiles(last.folder, async ({ sql, database }) => {
      assert.equal(sql("SELECT COUNT(*) FROM mysql.user WHERE user = 'attacked'"), "0");
      return await picture(database, "shop");
    });
  };

  it(
    "has tables, columns, triggers, views, routines and events again as they were, from a copy and from a dump, " +
      "and from the dump and the files of another moment",
    async () => {
      const half = NAMES.filter((_, index) => index % 2 === 0);
      const late = NAMES.filter((name) => !half.includes(name)).slice(12);
      assert.ok(late.some((name) => /\nCREATE USER/.test(name)));
      await make(server, "shop", "of the live", underAll(half, NAMES));
      await make(
        server,
        "shop",
        "of the live",
        underAll(NAMES.filter((name) => !half.includes(name)).slice(0, 12), []),
      );
      let before = await picture(server, "shop");
      assert.ok(
        before.rows.length > 100 && before.objects.length > 130,
        `${before.rows.length} rows, ${before.objects.length} objects`,
      );
      // mariadb-backup can't have all of them.
      const { stdout, last: first } = await rig.agent("run", "--type", "full");
      assert.deepEqual(
        [first.backup?.verified, first.backup?.database.format],
        [true, "logical"],
        JSON.stringify(first),
      );
      assert.match(
        stdout,
        new RegExp(
          "the database is dumped, not copied: mariadb-backup can't lock the table .* of shop, for " +
            "there is a backtick in its name",
        ),
      );
      for (const physical of [false, true]) {
        const type = physical ? "full" : "db";
        if (physical) {
          for (const [name] of await query(
            server,
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop' AND engine <> 'InnoDB' " +
              "AND table_name LIKE '%`%'",
          ))
            await query(server, `ALTER TABLE shop.${quoted(name!)} ENGINE=InnoDB`);
          before = await picture(server, "shop");
        }
        const entry = await rig.backup(type);
        assert.deepEqual(
          [entry.verified, entry.missing, entry.unproven, entry.database!.format],
          [true, undefined, undefined, physical ? "physical" : "logical"],
        );
        assert.deepEqual(await loaded(entry.id), before, type);
        if (physical) assert.equal((await rig.agent("prepare", entry.id, "--compare")).code, 0);
        // What was made since is in the binary log alone, under names of the same kind.
        const since = late.filter((_, index) => index % 2 === (physical ? 0 : 1));
        const views = since.map((name) => `v${[...name].slice(0, 63).join("")}`);
        await make(server, "shop", "of what came later", underAll(since, views));
        const table = quoted(half.find((name) => name.includes("GRANT"))!);
        await query(server, `INSERT INTO shop.${table} VALUES (50, 'later')`);
        const later = await picture(server, "shop");
        await sleep(2_100);
        const now = rig.sql("SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%dT%H:%i:%sZ')");
        await sleep(1_100);
        assert.deepEqual(
          physical ? await prepared(entry.id, "--to-time", now) : await loaded(entry.id, "--to-time", now),
          later,
          `${type}, to a moment`,
        );
        await query(server, `DELETE FROM shop.${table} WHERE id > 49`);
      }
      assert.equal(rig.sql("SELECT COUNT(*) FROM mysql.user WHERE user = 'shop'"), "0");
      for (const verb of ["status", "health", "list", "stats"])
        assert.equal((await rig.agent(verb)).last.event, "result", verb);
    },
  );

  it("says in one line, and without signs that a terminal obeys, what differs", async () => {
    await query(
      server,
      "DROP DATABASE shop; CREATE DATABASE shop; CREATE TABLE shop.`\u001b[31mred\nbreak\u202e` (id INT PRIMARY KEY)",
    );
    const made = (await rig.agent("run", "--type", "db", "--no-verify")).last.backup as Entry;
    rig.rewrite(made.id, "for (const sum of Object.values(entry.database.sums)) sum.rows++;");
    const { code, last } = await rig.agent("verify", made.id);
    assert.equal(code, 4);
    assert.match(last.message, /table \\x1b\[31mred\\x0abreak\\u202e has 0 rows instead of 1/);
  });

  /** Makes files below app/odd under names of any bytes. */
  const makeFiles = (names: readonly Buffer[]): void => {
    const list = JSON.stringify(names.map((name) => name.toString("base64")));
    const script =
      `for (const name of ${list}) require("node:fs").writeFileSync(Buffer.concat([Buffer.from("./"), ` +
      'Buffer.from(name, "base64")]), name)';
    rig.storage(`mkdir -p app/odd && cd app/odd && node -e '${script}'`);
  };

  /**
   * All of the files, as the application has them: kind, rights, size, owner, where a link goes; and what they hold.
   * Their times are rounded to seconds.
   */
  const files = (): readonly string[] => {
    const all = `find . -mindepth 1 ! -path './.drydock-*'`;
    const listed = rig.storage(
      `${all} ! -type d -printf '%y %m %s %U:%G %l %p\\0' | tr '\\0\\n' '\\n@' | sort; ` +
        `${all} -type d -printf '%y %m %U:%G %p\\0' | tr '\\0\\n' '\\n@' | sort; ${all} -type f -exec sha256sum -z ` +
        "{} + | tr '\\0\\n' '\\n@' | sort",
    );
    return listed.split("\n");
  };

  it("has files again as they were, whatever they are called and are", async () => {
    const names = NAMES.filter(
      (name) => !/[/\0]/.test(name) && name !== "." && name !== ".." && Buffer.byteLength(name) <= 255,
    ).map((name) => Buffer.from(name));
    makeFiles([
      ...names,
      Buffer.from("caf\xe9", "latin1"),
      Buffer.alloc(255, 0xff),
      Buffer.from("x".repeat(255)),
      Buffer.from(" "),
      Buffer.from("-rf"),
    ]);
    rig.storage(`cd app/odd; truncate -s 5M sparse; printf end >> sparse; printf 1 > setuid; chmod 4750 setuid;
    printf 2 > none; chmod 400 none; : > nothing; mkdir hollow; chmod 711 hollow;
      ln -s /etc/passwd outside; ln -s nowhere dangling; ln -s . round; ln nothing 'hard link';
      touch -d '1999-01-02 03:04:05' nothing; mkdir shut; printf 3 > shut/in; chmod 555 shut
      d=$(printf 'd%.0s' $(seq 199)); for i in $(seq 20); do mkdir $d; cd $d; done
      printf deep > $(printf 'f%.0s' $(seq 70))`);
    const before = files();
    assert.ok(before.length > 2 * names.length + 12, String(before.length));
    const entry = await rig.backup("files");
    // Where a backup is proven, the path of one file is too long to be looked at.
    assert.deepEqual([entry.verified, entry.missing, entry.files!.changed], [true, undefined, 1]);
    rig.storage("chmod -R u+w app; rm -rf app; mkdir app; echo other > app/other; chmod 555 app");
    await filesBeside(host, await storagePlace(host), entry, new Progress());
    assert.equal(rig.storage("cat app/other"), "other");
    const kept = await swapFiles(host, await storagePlace(host));
    assert.deepEqual(files(), before);
    assert.equal(rig.storage(`cat '${kept}/app/other'`), "other");
    await inFiles(host, await storagePlace(host), "forget");
    assert.equal(rig.storage("ls -A"), "app");
  });

  it("has the rest where something is neither file nor folder nor link", async () => {
    const script = 'require("node:net").createServer().listen("socket", () => process.kill(process.pid, "SIGKILL"))';
    rig.storage(`cd app/odd; mkfifo pipe; node -e '${script}'; test -p pipe -a -S socket`);
    const entry = await rig.backup("files");
    assert.equal(entry.verified, true);
    await filesBeside(host, await storagePlace(host), entry, new Progress());
    await inFiles(host, await storagePlace(host), "clear");
    rig.storage("rm app/odd/pipe app/odd/socket");
  });
});
