import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import type { Entry } from "../../backup/protocol.ts";
import { ensureImages } from "../../cli/setup/images.ts";
import { docker } from "../support/clone.ts";
import { mysqlImages } from "../support/mysql.ts";
import { Rig } from "./rig.ts";

/** MySQL's own server, with what MariaDB doesn't understand. */
describe("the backup agent, with MySQL", function () {
  this.timeout(300_000);
  let rig: Rig;
  let full: Entry;

  before(async () => {
    await ensureImages({ log: () => undefined, host: process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock" });
    rig = new Rig("mysql", await mysqlImages());
    await rig.start();
    rig.sql(`CREATE TABLE written (id BIGINT AUTO_INCREMENT PRIMARY KEY, body TEXT, at TIMESTAMP(3) DEFAULT CURRENT_TIMESTAMP(3));
      CREATE TABLE fixed (id INT PRIMARY KEY, name VARCHAR(100) COLLATE utf8mb4_0900_ai_ci, nothing INT NULL, data BLOB, meta JSON, about VARCHAR(50) AS (meta->>'$.about') STORED, KEY ((LOWER(name))));
      CREATE TABLE migrations (id INT PRIMARY KEY, migration VARCHAR(100), batch INT);
      INSERT INTO migrations VALUES (1, '2026_01_01_000001_create', 1);
      SET SESSION cte_max_recursion_depth = 20000;
      INSERT INTO fixed (id, name, data, meta) WITH RECURSIVE seq (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM seq WHERE n < 20000) SELECT n, CONCAT('name ', n), UNHEX(SHA2(n, 256)), JSON_OBJECT('about', n) FROM seq;
      CREATE TRIGGER named BEFORE UPDATE ON fixed FOR EACH ROW SET NEW.name = TRIM(NEW.name);
      CREATE VIEW cheap AS SELECT * FROM fixed WHERE id < 10;
      CREATE PROCEDURE doing_nothing() SELECT 1;`);
    rig.storage("mkdir -p app; head -c 3000000 /dev/urandom > app/picture");
  });
  after(() => rig.stop());

  it("has every row that was acknowledged before its position, while rows are written, and verifies it in a MySQL of its own", async () => {
    const writer = rig.write();
    await rig.until("the writer", () => writer.acknowledged.length > 50);
    const last = writer.acknowledged.at(-1)!.id;
    full = await rig.backup("full");
    const acknowledged = await writer.stop();
    assert.deepEqual([full.verified, full.verification!.problems, full.database!.format], [true, [], "logical"]);
    assert.notDeepEqual(full.database!.position, full.database!.sumsPosition, "nothing was written meanwhile");
    assert.ok(full.database!.sums["written"]!.rows >= last, `${full.database!.sums["written"]!.rows} of ${last}`);
    assert.ok(acknowledged.some(({ at }) => at > Date.parse(full.finished)), "writers waited");
    assert.deepEqual(full.database!.migrations, ["2026_01_01_000001_create"]);
  });

  it("has exactly the rows of the second before a mistake, and what belongs to them", async () => {
    const expected = rig.sql("INSERT INTO fixed (id, name) VALUES (20001, 'the last one'); CHECKSUM TABLE fixed");
    await sleep(2_100);
    const mistake = rig.sql("DELETE FROM fixed WHERE id % 2 = 0; SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%dT%H:%i:%sZ')");
    await sleep(2_100);
    const { code, last, stdout, stderr } = await rig.agent("dump", full.id, "--to-time", mistake);
    assert.equal(code, 0, stderr);
    assert.deepEqual(last.sums["fixed"], { rows: 20_001, checksum: expected.split("\t")[1] });
    for (const part of [/the last one/, /TRIGGER `?named`?/, /VIEW `?cheap`?/, /PROCEDURE `?doing_nothing`?/, /-- Dump completed/]) assert.match(stdout, part);
  });

  it("is behind the database by less than ten seconds, also on the other side of a new file of the log", async () => {
    rig.sql("INSERT INTO written (body) VALUES ('one more'); FLUSH BINARY LOGS; INSERT INTO written (body) VALUES ('in the next file')");
    await rig.until("the log", async () => (await rig.agent("status")).last.rpoSeconds < 10);
    assert.equal((await rig.agent("status")).last.binlog.streaming, true);
  });

  it("proves an older one again, and all of it stays within its memory", async () => {
    assert.equal((await rig.agent("verify", full.id)).code, 0);
    for (const part of ["agent", "restore"]) {
      assert.match(rig.shell("cat /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events 2>/dev/null || true", part), /oom_kill 0/);
      assert.equal(docker("inspect", "--format", "{{.RestartCount}}", rig.name(part)), "0");
    }
  });
});
