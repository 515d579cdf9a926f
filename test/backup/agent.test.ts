import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, before, describe, it } from "mocha";
import { ensureImages } from "../../cli/setup/images.ts";
import { imageTags } from "../../cli/setup/images-tags.ts";
import { SECRETS } from "../../contracts/agent.ts";
import type { Entry } from "../../contracts/entry.ts";
import { Rig } from "../support/backup/rig.ts";
import { docker } from "../support/clone.ts";
import { Moto } from "../support/moto.ts";

/** The real agent and its companion, on a real MariaDB that is written to. */
describe("the backup agent", function () {
  this.timeout(300_000);
  const rig = new Rig();
  let full: Entry;

  before(async () => {
    await ensureImages({ log: () => undefined, host: process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock" });
    await rig.start();
    rig.sql(`CREATE TABLE written (id BIGINT AUTO_INCREMENT PRIMARY KEY, body TEXT,
      at TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP(3));
      CREATE TABLE fixed (id INT PRIMARY KEY, name VARCHAR(100), price DECIMAL(10,2), data BLOB);
      CREATE TABLE migrations (id INT PRIMARY KEY, migration VARCHAR(100), batch INT);
      INSERT INTO migrations VALUES (1, '2026_01_01_000001_create', 1);
      INSERT INTO fixed SELECT seq, CONCAT('name ', seq), seq / 7, UNHEX(SHA2(seq, 256)) FROM seq_1_to_20000;
      CREATE TRIGGER named BEFORE UPDATE ON fixed FOR EACH ROW SET NEW.name = /* it's ; */ TRIM(NEW.name);
      CREATE VIEW cheap AS SELECT * FROM fixed WHERE price < 10;
      CREATE PROCEDURE nothing() SELECT 1;`);
    rig.storage(
      "mkdir -p app/public app/cache; head -c 3000000 /dev/urandom > app/public/picture; " +
        "printf '%s' secret > app/private; chmod 600 app/private; touch app/x.log app/cache/y; mkdir 'app/a b'; " +
        "echo 1 > 'app/a b/c'",
    );
  });
  after(() => rig.stop());

  const newest = async (): Promise<Entry[]> => (await rig.agent("list")).last.backups as Entry[];

  for (const type of ["full", "db"]) {
    it(`${type}: has each row acknowledged before its position while rows are written, and verifies it`, async () => {
      const writer = rig.write();
      await rig.until("the writer", () => writer.acknowledged.length > 50);
      const last = writer.acknowledged.at(-1)!.id;
      const entry = await rig.backup(type);
      const acknowledged = await writer.stop();
      assert.equal(entry.verified, true);
      assert.deepEqual(entry.verification!.problems, []);
      assert.notDeepEqual(entry.database!.position, entry.database!.sumsPosition, "nothing was written meanwhile");
      assert.equal(entry.database!.format, type === "full" ? "physical" : "logical");
      // Nothing is ever deleted from this table, so ids and rows count the same.
      assert.ok(entry.database!.sums["written"]!.rows >= last, `${entry.database!.sums["written"]!.rows} of ${last}`);
      assert.ok(
        acknowledged.some(({ at }) => at > Date.parse(entry.finished)),
        "writers waited",
      );
      if (type === "full") full = entry;
    });
  }

  it("has the files, without what is left out", () => {
    assert.deepEqual([full.files!.count, full.verification!.files, full.files!.changed], [3, 3, 0]);
    const names = execFileSync(
      "sh",
      ["-c", `docker exec ${rig.name("agent")} agent files ${full.id} 2>/dev/null | tar -t`],
      { encoding: "utf8" },
    )
      .split("\n")
      .filter((name) => name !== "" && !name.endsWith("/"))
      .sort();
    assert.deepEqual(
      names.map((name) => name.replace(/^\.?\//, "")),
      ["app/a b/c", "app/private", "app/public/picture"],
    );
  });

  it("copies only what changed since the last one, and proves that too", async () => {
    rig.sql("UPDATE fixed SET name = 'changed' WHERE id <= 200");
    const entry = await rig.backup("incremental");
    assert.equal(entry.database!.base, full.id);
    assert.ok(
      entry.database!.bytes < full.database!.bytes * 0.75,
      `${entry.database!.bytes} of ${full.database!.bytes}`,
    );
    assert.equal(entry.verified, true);
    full = entry;
  });

  it("dump and prepare --to-time: what was there the second before a mistake", async () => {
    const expected = rig.sql(
      "INSERT INTO fixed SELECT MAX(id) + 1, 'the last one', 1, 'x' FROM fixed; CHECKSUM TABLE fixed",
    );
    const rows = Number(rig.sql("SELECT COUNT(*) FROM fixed"));
    await new Promise((wake) => setTimeout(wake, 2100));
    const mistake = rig.sql(
      "DELETE FROM fixed WHERE id % 2 = 0; DROP VIEW cheap; SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%dT%H:%i:%sZ')",
    );
    rig.sql("INSERT INTO fixed VALUES (-1, 'later', 1, 'x')");
    await new Promise((wake) => setTimeout(wake, 2100));
    const dumped = await rig.agent("dump", full.id, "--to-time", mistake);
    assert.equal(dumped.code, 0, dumped.stderr);
    assert.deepEqual(dumped.last.sums["fixed"], { rows, checksum: expected.split("\t")[1] });
    assert.match(dumped.stdout, /the last one[\s\S]*-- Dump completed/);
    // What is in prepared files is read back in restore.test.ts, by the server that runs on them; here, that they are
    // of before the view went.
    const prepared = await rig.agent("prepare", full.id, "--to-time", mistake);
    assert.equal(prepared.code, 0, prepared.stderr);
    assert.equal(
      prepared.last.objects,
      1 + Number(rig.sql("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()")),
    );
    rig.sql("DELETE FROM fixed WHERE id = -1; CREATE VIEW cheap AS SELECT * FROM fixed WHERE price < 10");
  });

  it("keeps what the newest proof has restored, and prepares that backup by copying it", async () => {
    const prepared = async (id: string, ...more: string[]) => {
      const { code, last, stderr } = await rig.agent("prepare", id, ...more);
      assert.equal(code, 0, stderr);
      return { ...last, folder: `/restore/${last.folder}` };
    };
    const entry = await rig.backup("full");
    assert.equal(rig.kept(), `kept-${entry.id}`);
    const copied = await prepared(entry.id);
    assert.deepEqual([copied.copied, copied.compared], [true, false]);
    assert.equal(
      copied.objects,
      Number(rig.sql("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()")),
    );
    assert.equal(rig.shell(`diff -r /restore/kept-${entry.id} ${copied.folder} && echo same`, "restore"), "same");
    const again = await prepared(entry.id, "--compare");
    assert.deepEqual([again.copied, again.compared], [true, true]);
    // An older one is read from the repository, and its proof leaves nothing; that of the newest does, over and over.
    assert.deepEqual(
      [(await prepared(full.id)).copied, (await rig.agent("verify", full.id)).code, rig.kept()],
      [false, 0, `kept-${entry.id}`],
    );
    assert.deepEqual([(await rig.agent("verify", entry.id)).code, rig.kept()], [0, `kept-${entry.id}`]);
    docker("restart", rig.name("restore"));
    await rig.until("the companion", () => docker("exec", rig.name("restore"), "healthy", "9181"));
    assert.equal(rig.kept(), `kept-${entry.id}`);
    // What is not whole is not used.
    rig.shell(`chmod 000 /restore/kept-${entry.id}/ibdata1`, "restore");
    const damaged = await rig.agent("prepare", entry.id);
    assert.deepEqual([damaged.code, damaged.last.copied], [0, false]);
    assert.match(damaged.stdout, /can't be used, so it is read from the repository/);
    // With the setting off, the next proof takes it away.
    rig.configuration = { ...rig.configuration, keepRestored: false };
    await rig.startAgent();
    assert.deepEqual([(await rig.agent("verify", entry.id)).code, rig.kept()], [0, ""]);
    rig.configuration = { ...rig.configuration, keepRestored: true };
    await rig.startAgent();
    full = entry;
  });

  it("refuses a moment that no backup and no log reach, before anything is touched", async () => {
    for (const time of ["2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "yesterday"]) {
      const { code, stdout, last } = await rig.agent("dump", full.id, "--to-time", time);
      assert.deepEqual([code, last.code, stdout], [3, 3, ""], time);
    }
  });

  it("is behind the database by less than ten seconds, and says so", async () => {
    rig.sql("INSERT INTO written (body) VALUES ('one more')");
    const { last } = await rig.agent("status");
    assert.equal(last.binlog.streaming, true);
    assert.ok(last.rpoSeconds < 10, String(last.rpoSeconds));
    const metrics = rig.shell(
      "exec 3<>/dev/tcp/127.0.0.1/9180; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3",
    );
    for (const name of [
      "last_success_timestamp_seconds",
      "age_seconds",
      "size_bytes",
      "duration_seconds",
      "verified",
      "rpo_seconds",
      "rto_seconds",
    ])
      assert.match(metrics, new RegExp(`^drydock_backup_${name} [0-9.e+]+$`, "m"));
  });

  it("does not verify what differs by one row, or by a view", async () => {
    const made = (await rig.agent("run", "--type", "db", "--no-verify")).last.backup as Entry;
    assert.equal(made.verified, false);
    // The backup says one row more than it has, and a view that it doesn't have.
    rig.rewrite(made.id, 'entry.database.sums.fixed.rows++; entry.database.objects.push("view lost");');
    const { code, last } = await rig.agent("verify", made.id);
    assert.equal(code, 4);
    assert.match(last.message, /table fixed has \d+ rows instead of \d+; view lost is missing/);
    await rig.until("the alarm", async () =>
      (await rig.agent("status")).last.alarms.some(({ name }: { name: string }) => name === "unverified"),
    );
    assert.equal((await rig.agent("show", "latest")).last.backup.id, full.id, "the newest verified one is another");
  });

  it("needs no more memory for more data: backs up, proves and prepares what is larger than its limit", async () => {
    rig.limits.agent.memory = 384;
    await rig.startAgent();
    // Not compressible, in a few statements: the log comes faster than it can be stored.
    rig.sql("CREATE TABLE large (id INT PRIMARY KEY AUTO_INCREMENT, body MEDIUMBLOB)");
    for (let round = 0; round < 5; round++)
      rig.sql("INSERT INTO large (body) SELECT RANDOM_BYTES(1024) FROM seq_1_to_60000");
    // One event that is larger than a piece of the log.
    rig.sql("INSERT INTO large (body) VALUES (REPEAT('x', 9000000))");
    full = await rig.backup("full");
    const { code, last } = await rig.agent("prepare", full.id, "--compare");
    assert.equal(code, 0, JSON.stringify(last));
    assert.equal(last.compared, true);
    assert.equal(full.database!.sums["large"]!.rows, 300_001);
    assert.match(
      rig.shell("cat /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events 2>/dev/null || true"),
      /oom_kill 0/,
    );
    assert.equal(docker("inspect", "--format", "{{.RestartCount}}", rig.name("agent")), "0");
    rig.sql("DROP TABLE large");
    rig.limits.agent.memory = 512;
    await rig.startAgent();
    full = await rig.backup("full");
  });

  it(
    "publishes the files alone when the database is killed during the dump, says so, keeps what was there, " +
      "and goes on",
    async () => {
      rig.sql("CREATE TABLE big AS SELECT seq AS id, REPEAT(SHA2(seq, 256), 20) AS body FROM seq_1_to_60000");
      const before = (await newest()).map(({ id }) => id);
      const running = rig.agent("run", "--type", "full");
      await rig.until(
        "the copy",
        () =>
          docker(
            "exec",
            rig.name("restore"),
            "bash",
            "-c",
            "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'mariadb-backup.*--backup' || true",
          ) !== "0",
      );
      docker("kill", "--signal", "KILL", rig.name("database"));
      await new Promise((wake) => setTimeout(wake, 200));
      const { code, last } = await running;
      assert.equal(code, 1);
      assert.match(last.message, /was made without the database: /);
      const [made, ...others] = await newest();
      assert.deepEqual(
        [others.map(({ id }) => id), made!.database, made!.verified, made!.files!.count],
        [before, undefined, true, 3],
      );
      assert.match(made!.missing!.join(), /^the database: /);
      assert.equal(
        (await rig.agent("status")).last.newestVerified.id,
        full.id,
        "the newest verified one of the database",
      );
      await rig.until("the alarm", () => rig.alarmed("incomplete"));
      docker("start", rig.name("database"));
      await rig.until("the database", () => rig.sql("SELECT 1"));
      full = await rig.backup("full");
    },
  );

  it("publishes nothing when the agent is killed, and the next run is fine", async () => {
    const before = (await newest()).map(({ id }) => id);
    const running = rig.agent("run", "--type", "full");
    await rig.until(
      "restic",
      () => rig.shell("cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'restic backup' || true") !== "0",
    );
    docker("kill", "--signal", "KILL", rig.name("agent"));
    await running;
    docker("start", rig.name("agent"));
    await rig.until("the agent", () => rig.shell("healthy 9180"));
    assert.deepEqual(
      (await newest()).map(({ id }) => id),
      before,
    );
    full = await rig.backup("full");
  });

  it("keeps each verified backup of the last days, whatever the clock says, and the newest however old", async () => {
    const all = (await newest()).map(({ id }) => id);
    const verified = (await newest()).filter((entry) => entry.verified).map(({ id }) => id);
    for (const now of ["2099-01-01T00:00:00Z", "1999-01-01T00:00:00Z"]) {
      const { last } = await rig.agent("cleanup", "--now", now);
      assert.deepEqual(
        last.kept.filter((id: string) => verified.includes(id)),
        verified,
        now,
      );
    }
    rig.age(
      all.filter((id) => id !== full.id),
      8,
    );
    const { last } = await rig.agent("cleanup");
    assert.deepEqual(last.kept, [full.id]);
    assert.equal((await rig.agent("verify", full.id)).code, 0);
  });

  it("refuses a wrong key before anything is touched", async () => {
    await rig.startAgent({ key: "another-key-of-more-than-thirty-two-characters" });
    const { code, last } = await rig.agent("run", "--type", "db");
    assert.deepEqual([code, /another key/.test(last.message)], [3, true]);
    assert.match(last.remedy, /if nobody has it any more, start anew: .\/drydock backup key reset/);
    assert.equal((await rig.agent("dump", full.id)).code, 3);
    await rig.until("the alarm", () => rig.alarmed("catalogue"));
    await rig.startAgent();
    assert.equal((await rig.agent("verify", full.id)).code, 0);
    assert.deepEqual(
      [(await rig.agent("reset")).code, (await newest())[0]!.id],
      [3, full.id],
      "nothing is started anew with the right key",
    );
  });

  it("begins anew where the key is lost, and keeps what it has made aside", async () => {
    await rig.startAgent({ key: "another-key-of-more-than-thirty-two-characters" });
    const { code, last } = await rig.agent("reset");
    assert.equal(code, 0, JSON.stringify(last));
    assert.match(rig.repository(`ls ${last.aside}`), /^backups\nbinlogs\nrepository$/);
    assert.deepEqual(await newest(), []);
    const made = await rig.backup("db");
    rig.sql("INSERT INTO written (body) VALUES ('behind it')");
    await new Promise((wake) => setTimeout(wake, 2100));
    const now = rig.sql("SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%dT%H:%i:%sZ')");
    await new Promise((wake) => setTimeout(wake, 1100));
    const dumped = await rig.agent("dump", made.id, "--to-time", now);
    assert.equal(dumped.code, 0, dumped.stderr);
    assert.match(dumped.stdout, /behind it/);
    await rig.until("its end", async () => !(await rig.alarmed("catalogue")));
    rig.remove("agent");
    rig.repository(`rm -rf backups binlogs repository; mv ${last.aside}/* .; rmdir ${last.aside}`);
    await rig.startAgent();
    assert.equal((await rig.agent("verify", full.id)).code, 0);
  });

  it("has no secret in logs, labels, variables, command lines and process lists", async () => {
    const running = rig.backup("full");
    const seen: string[] = [];
    for (let look = 0; look < 20; look++) {
      for (const part of ["agent", "restore"])
        seen.push(execFileSync("docker", ["top", rig.name(part), "-eo", "pid,args"], { encoding: "utf8" }));
      await new Promise((wake) => setTimeout(wake, 100));
    }
    full = await running;
    for (const part of ["agent", "restore"])
      seen.push(
        docker("inspect", rig.name(part)),
        execFileSync("sh", ["-c", `docker logs ${rig.name(part)} 2>&1`], { encoding: "utf8" }),
      );
    assert.ok(
      seen.some((text) => /restic/.test(text)),
      "a run was seen",
    );
    for (const [name, value] of Object.entries(rig.secrets))
      assert.ok(!seen.some((text) => text.includes(value)), name);
  });

  it("refuses what was damaged, cut or emptied, and leaves the live database alone", async () => {
    const live = rig.sql("CHECKSUM TABLE fixed");
    for (const damage of [
      "for f in $(find repository/data -type f -size +100k); do printf X | dd of=$f bs=1 seek=5000 conv=notrunc " +
        "status=none; done",
      "for f in $(find repository/data -type f -size +100k); do truncate -s 90000 $f; done",
      "for f in $(find repository/data -type f -size +100k); do : > $f; done",
    ]) {
      rig.repository(`chmod -R u+w repository; rm -rf kept; cp -a repository kept; ${damage}`);
      const { code } = await rig.agent("verify", full.id);
      assert.notEqual(code, 0, damage);
      assert.notEqual((await rig.agent("dump", full.id)).code, 0, damage);
      rig.repository("rm -rf repository; mv kept repository");
    }
    assert.equal(rig.sql("CHECKSUM TABLE fixed"), live);
    assert.equal((await rig.agent("verify", full.id)).code, 0);
  });

  it("makes up for a missed run, and tells when it fails and when that is over", async () => {
    docker(
      "run",
      "--detach",
      "--name",
      rig.name("hook"),
      "--network",
      rig.name("out"),
      "--network-alias",
      "hook",
      "--user",
      "1000:1000",
      "--entrypoint",
      "node",
      imageTags().backup,
      "-e",
      "require('http').createServer((q, r) => { q.on('data', (d) => console.log(String(d))); r.end(); }).listen(8000)",
    );
    try {
      const told = () =>
        docker("logs", rig.name("hook"))
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => JSON.parse(line) as { kind: string; name: string });
      /** The agent was away. */
      const backedUpDaysAgo = () => {
        const [now, then] = [new Date().toISOString(), new Date(Date.now() - 3 * 86_400_000).toISOString()];
        const schedules = JSON.stringify({ backup: then, health: now, cleanup: now });
        rig.repository(`echo '${schedules}' > state/schedules.json`);
      };
      rig.outside = { [SECRETS.webhook]: "http://hook:8000/x" };
      rig.configuration = {
        ...rig.configuration,
        type: "files",
        schedule: { ...rig.configuration.schedule, backup: "0 2 * * *" },
        hooks: { pre: { command: ["sh", "-c", "echo no; exit 7"], timeout: 5 } },
      };
      backedUpDaysAgo();
      const before = (await newest()).length;
      await rig.startAgent();
      await rig.until(
        "the alarm",
        () => told().some(({ kind, name }) => kind === "alarm" && name === "backup"),
        90_000,
      );
      assert.equal((await newest()).length, before);
      rig.configuration = { ...rig.configuration, hooks: {} };
      backedUpDaysAgo();
      await rig.startAgent();
      await rig.until("its end", () => told().some(({ kind, name }) => kind === "over" && name === "backup"), 90_000);
      assert.equal((await newest())[0]!.reason, "scheduled");
    } finally {
      rig.remove("hook");
    }
  });

  it("has a second copy in S3, and a backup that counts where S3 is away", async () => {
    const moto = await Moto.start();
    try {
      await rig.copyTo(moto);
      rig.configuration = {
        ...rig.configuration,
        type: "full",
        schedule: { backup: "", health: "", cleanup: "" },
      };
      await rig.startAgent();
      assert.deepEqual((await rig.backup("db")).copies, ["local", "s3"]);
      docker("stop", "--time", "1", moto.container);
      const away = await rig.backup("db");
      assert.deepEqual([away.copies, away.verified], [["local"], true]);
      assert.ok((await rig.agent("status")).last.s3.lagSeconds > 0);
      await rig.until(
        "the alarm",
        async () => (await rig.agent("status")).last.alarms.some(({ name }: { name: string }) => name === "s3"),
        90_000,
      );
    } finally {
      moto.remove();
    }
  });
});
