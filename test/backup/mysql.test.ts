import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { ensureImages } from "../../cli/setup/images.ts";
import type { Entry } from "../../contracts/entry.ts";
import { OF_A_DUMP, Rig } from "../support/backup/rig.ts";
import { Clone, docker, type Status } from "../support/clone.ts";
import { Load } from "../support/load.ts";
import { mysqlImages } from "../support/mysql.ts";
import { sqlAsRoot } from "../support/sql.ts";

/** MySQL's own server, with what MariaDB doesn't understand. */
describe("the backup agent, with MySQL", function () {
  this.timeout(300_000);
  let rig: Rig;
  let full: Entry;

  before(async () => {
    await ensureImages({ log: () => undefined, host: process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock" });
    rig = new Rig("mysql", await mysqlImages());
    await rig.start();
    rig.sql(`CREATE TABLE written (id BIGINT AUTO_INCREMENT PRIMARY KEY, body TEXT,
      at TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP(3));
      CREATE TABLE fixed (id INT PRIMARY KEY, name VARCHAR(100) COLLATE utf8mb4_0900_ai_ci, nothing INT NULL, data BLOB,
        meta JSON, about VARCHAR(50) AS (meta->>'$.about') STORED, KEY ((LOWER(name))));
      CREATE TABLE migrations (id INT PRIMARY KEY, migration VARCHAR(100), batch INT);
      INSERT INTO migrations VALUES (1, '2026_01_01_000001_create', 1);
      SET SESSION cte_max_recursion_depth = 20000;
      INSERT INTO fixed (id, name, data, meta) WITH RECURSIVE seq (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM seq WHERE
        n < 20000) SELECT n, CONCAT('name ', n), UNHEX(SHA2(n, 256)), JSON_OBJECT('about', n) FROM seq;
      CREATE TRIGGER named BEFORE UPDATE ON fixed FOR EACH ROW SET NEW.name = /* it's ; */ TRIM(NEW.name);
      CREATE VIEW cheap AS SELECT * FROM fixed WHERE id < 10;
      CREATE PROCEDURE doing_nothing() SELECT 1;`);
    rig.storage("mkdir -p app; head -c 3000000 /dev/urandom > app/picture");
  });
  after(() => rig.stop());

  it(
    "has every row that was acknowledged before its position, while rows are written, " +
      "and verifies it in a MySQL of its own",
    async () => {
      const writer = rig.write();
      await rig.until("the writer", () => writer.acknowledged.length > 50);
      const last = writer.acknowledged.at(-1)!.id;
      full = await rig.backup("full");
      const acknowledged = await writer.stop();
      assert.deepEqual([full.verified, full.verification!.problems, full.database!.format], [true, [], "logical"]);
      assert.notDeepEqual(full.database!.position, full.database!.sumsPosition, "nothing was written meanwhile");
      assert.ok(full.database!.sums["written"]!.rows >= last, `${full.database!.sums["written"]!.rows} of ${last}`);
      assert.ok(
        acknowledged.some(({ at }) => at > Date.parse(full.finished)),
        "writers waited",
      );
      assert.deepEqual(full.database!.migrations, ["2026_01_01_000001_create"]);
    },
  );

  it("has exactly the rows of the second before a mistake, and what belongs to them", async () => {
    const expected = rig.sql("INSERT INTO fixed (id, name) VALUES (20001, 'the last one'); CHECKSUM TABLE fixed");
    await sleep(2_100);
    const mistake = rig.sql(
      "DELETE FROM fixed WHERE id % 2 = 0; SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%dT%H:%i:%sZ')",
    );
    await sleep(2_100);
    const { code, last, stdout, stderr } = await rig.agent("dump", full.id, "--to-time", mistake);
    assert.equal(code, 0, stderr);
    assert.deepEqual(last.sums["fixed"], { rows: 20_001, checksum: expected.split("\t")[1] });
    for (const part of OF_A_DUMP) assert.match(stdout, part);
  });

  it("is behind the database by less than ten seconds, also on the other side of a new file of the log", async () => {
    rig.sql(
      "INSERT INTO written (body) VALUES ('one more'); FLUSH BINARY LOGS; INSERT INTO written (body) " +
        "VALUES ('in the next file')",
    );
    await rig.until("the log", async () => (await rig.agent("status")).last.rpoSeconds < 10);
    assert.equal((await rig.agent("status")).last.binlog.streaming, true);
  });

  it("proves an older one again, and all of it stays within its memory", async () => {
    assert.equal((await rig.agent("verify", full.id)).code, 0);
    for (const part of ["agent", "restore"]) {
      assert.match(
        rig.shell(
          "cat /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events 2>/dev/null || true",
          part,
        ),
        /oom_kill 0/,
      );
      assert.equal(docker("inspect", "--format", "{{.RestartCount}}", rig.name(part)), "0");
    }
  });
});

describe("a stack with MySQL", function () {
  this.timeout(600_000);
  const clone = new Clone();
  let status: Status;
  const container = (role: string): string => status.services.find((service) => service.role === role)!.container;
  const sql = (statements: string): string => sqlAsRoot(container("database"), statements, { client: "mysql" });
  const drydock = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await clone.drydock(args);
    assert.equal(code, 0, stdout + stderr);
    return stdout;
  };
  after(() => clone.remove());

  it("is deployed, and its application migrates, writes and reads", async () => {
    const images = await mysqlImages();
    await drydock("env");
    await clone.pulumi(["stack", "init", "local"]);
    for (const [path, value] of [
      ["database.engine", "mysql"],
      ["database.image", images.database],
      ["database.memory", "768"],
      ["backup.image", images.backup],
      ["env.DB_CONNECTION", "mysql"],
    ] as const) {
      await clone.set(path, value);
    }
    await drydock("up");
    status = await clone.status();
    assert.match(sql("SELECT VERSION()"), /^(?!.*MariaDB)[89]\./);
    assert.ok(
      status.services.every(({ health }) => health === "healthy"),
      JSON.stringify(status.services),
    );
    assert.match(sql("SELECT COUNT(*) FROM migrations"), /^[1-9]/);
    const load = new Load(status.url, { clients: 2 });
    await sleep(3_000);
    await load.stop();
    assert.ok(load.count.rows > 0 && load.count.failed === 0, JSON.stringify(load.count.reasons));
  });

  it("is backed up, proven, and restored as it was, with views and triggers", async () => {
    sql(
      "CREATE TABLE kept (id INT PRIMARY KEY, name VARCHAR(20), nothing INT NULL); INSERT INTO kept VALUES (1, " +
        "'one', NULL), (2, 'two', 2); CREATE VIEW both_rows AS SELECT name FROM kept",
    );
    sql("CREATE TRIGGER upper_name BEFORE INSERT ON kept FOR EACH ROW SET NEW.name = UPPER(NEW.name)");
    const { backup } = JSON.parse((await drydock("backup", "run", "--json")).trim().split("\n").at(-1)!) as {
      backup: Entry;
    };
    assert.deepEqual([backup.verified, backup.database!.engine], [true, "mysql"]);
    const before = sql("CHECKSUM TABLE kept, migrations");
    sql("DROP VIEW both_rows; DROP TABLE kept; DELETE FROM migrations");
    await drydock("backup", "restore", backup.id, "--db", "--yes", "--no-backup");
    assert.equal(sql("CHECKSUM TABLE kept, migrations"), before);
    assert.equal(
      sql("INSERT INTO kept VALUES (3, 'three', NULL); SELECT GROUP_CONCAT(name ORDER BY name) FROM both_rows"),
      "one,THREE,two",
    );
    await drydock("backup", "restore", "--forget-previous", "--yes");
  });
});
