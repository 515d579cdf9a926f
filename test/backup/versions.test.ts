import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { ensureImages } from "../../cli/setup/images.ts";
import { imageTags } from "../../cli/setup/images-tags.ts";
import type { Entry } from "../../contracts/entry.ts";
import { OF_A_DUMP, Rig } from "../support/backup/rig.ts";
import { earlierMariadb } from "../support/mariadb.ts";

/** An earlier server, without TLS of its own, that the agent's tools can't copy. */
describe("the backup agent, with a server of an earlier series", function () {
  this.timeout(600_000);
  let rig: Rig;
  let full: Entry;

  before(async () => {
    await ensureImages({ log: () => undefined, host: process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock" });
    rig = new Rig("mariadb", { database: await earlierMariadb(), backup: imageTags().backup });
    await rig.start();
    rig.sql(`CREATE TABLE fixed (id INT PRIMARY KEY, name VARCHAR(100), twice INT AS (id * 2) VIRTUAL);
      INSERT INTO fixed (id, name) SELECT seq, CONCAT('name ', seq) FROM seq_1_to_2000;
      CREATE TABLE versioned (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING;
      INSERT INTO versioned VALUES (1, 1); UPDATE versioned SET v = 2;
      CREATE SEQUENCE counter; DO NEXTVAL(counter);
      CREATE TRIGGER named BEFORE UPDATE ON fixed FOR EACH ROW SET NEW.name = TRIM(NEW.name);
      CREATE VIEW cheap AS SELECT id FROM fixed WHERE id < 10;
      CREATE PROCEDURE doing_nothing() SELECT 1;`);
    rig.storage("mkdir -p app; echo 1 > app/one");
  });
  after(() => rig?.stop());

  it("dumps it, says so, and proves it in a server of its own", async () => {
    assert.match(rig.sql("SELECT VERSION(), @@have_ssl"), /^10\.11\..*\tDISABLED$/);
    const { code, stdout, last } = await rig.agent("run", "--type", "full");
    assert.equal(code, 0, JSON.stringify(last));
    full = last.backup as Entry;
    assert.deepEqual([full.verified, full.database!.format, full.missing], [true, "logical", undefined]);
    assert.match(
      full.unproven!.join(),
      /^table versioned: a dump of 10\.11\.\S+ has its rows of now, and not its history$/,
    );
    assert.match(
      stdout,
      new RegExp(
        String.raw`the agent's image has the tools of MariaDB 11\.8\.\d+ and the server is 10\.11\..*: the ` +
          "database is dumped, not copied",
      ),
    );
  });

  it("follows its log, and has exactly the rows of the second before a mistake", async () => {
    const expected = rig.sql("INSERT INTO fixed (id, name) VALUES (9001, 'the last one'); SELECT COUNT(*) FROM fixed");
    await rig.until("the log", async () => (await rig.agent("status")).last.rpoSeconds < 10);
    await sleep(2_100);
    const mistake = rig.sql(
      "DELETE FROM fixed; DROP VIEW cheap; SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%dT%H:%i:%sZ')",
    );
    await sleep(2_100);
    const { code, last, stdout, stderr } = await rig.agent("dump", full.id, "--to-time", mistake);
    assert.equal(code, 0, stderr);
    assert.equal(last.sums["fixed"].rows, Number(expected));
    for (const part of OF_A_DUMP) assert.match(stdout, part);
    // And the earlier server takes it.
    rig.sql("CREATE DATABASE look");
    execFileSync(
      "docker",
      [
        "exec",
        "-i",
        rig.name("database"),
        "sh",
        "-c",
        "MYSQL_PWD=$(cat /run/drydock/root-password) exec mariadb --no-defaults --protocol=socket -uroot " +
          "--binary-mode look",
      ],
      { input: stdout, stdio: ["pipe", "ignore", "pipe"] },
    );
    assert.equal(
      rig.sql(
        "SELECT COUNT(*) FROM fixed; SELECT GROUP_CONCAT(v) FROM versioned; SELECT SUM(twice) = 2 * SUM(id) FROM fixed",
        "look",
      ),
      `${expected}\n2\n1`,
    );
  });

  it("refuses its files, which it hasn't, before anything is touched", async () => {
    const { code, last } = await rig.agent("prepare", full.id);
    assert.equal(code, 3);
    assert.match(last.message, /is not physical, so it has no files of a server/);
  });
});
