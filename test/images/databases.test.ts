import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { imageTags } from "../../cli/setup/images.ts";
import type { Entry } from "../../contracts/entry.ts";
import { Clone, docker, type Status } from "../support/clone.ts";
import { earlierMariadb } from "../support/mariadb.ts";
import { sqlAsRoot } from "../support/sql.ts";

/** Data that goes from one server to a later one. */
describe("a database of another version", function () {
  this.timeout(900_000);
  const clone = new Clone();
  let old: string;
  let status: Status;
  const container = () => status.services.find(({ role }) => role === "database")!.container;
  const sql = (statement: string) => sqlAsRoot(container(), statement, { schema: "9my-Shop_1" });
  const set = (path: string, value: string) => clone.set(path, value);
  const up = async () => {
    const { code, stdout, stderr } = await clone.drydock(["up"]);
    assert.equal(code, 0, stdout + stderr);
    status = await clone.status();
  };
  const refused = async (message: RegExp) => {
    const before = docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", container());
    const { code, stdout, stderr } = await clone.drydock(["up"]);
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, message);
    assert.equal(
      docker("inspect", "--format", "{{.Id}} {{.State.StartedAt}}", container()),
      before,
      "the server that serves was touched",
    );
  };

  before(async () => {
    old = await earlierMariadb();
    await clone.drydock(["env"]);
    await clone.pulumi(["stack", "init", "local"]);
    await set("app.replicas", "1");
    await set("database.image", old);
    // A name that has to be quoted everywhere.
    await set("env.DB_DATABASE", "9my-Shop_1");
    await set("database.options.max_connections", "222");
    await set("database.options.sql-mode", "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION");
    await set("database.options.collation_server", "utf8mb4_general_ci");
    await up();
  });
  after(() => clone.remove());

  it("has the options of the settings", () => {
    assert.match(sql("SELECT VERSION()"), /^10\.11\..*MariaDB/);
    assert.equal(
      sql("SELECT @@max_connections, @@global.sql_mode, @@collation_server"),
      "222\tSTRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION\tutf8mb4_general_ci",
    );
  });

  it("refuses an option that the server does not take, before that one is stopped", async () => {
    await set("database.options.max_conections", "300");
    await refused(
      new RegExp(
        String.raw`does not take its options \(drydock:database\.options\); nothing was changed:[^]*unknown ` +
          "variable 'max-conections=300'",
      ),
    );
    await clone.pulumi(["config", "rm", "--path", "drydock:database.options.max_conections"]);
  });

  it("becomes a later server's, with a proven backup before", async () => {
    sql("CREATE TABLE kept (id INT PRIMARY KEY, name VARCHAR(20)); INSERT INTO kept VALUES (1, 'one'), (2, 'two')");
    const checksum = sql("CHECKSUM TABLE kept");
    await set("database.image", imageTags().database);
    await up();
    assert.match(sql("SELECT VERSION()"), /^11\.8\..*MariaDB/);
    assert.equal(sql("CHECKSUM TABLE kept"), checksum);
    assert.match(docker("exec", container(), "cat", "/var/lib/mysql/mariadb_upgrade_info"), /^11\.8\./);
    // What the old server's tables lack, the new one would say in its log.
    assert.doesNotMatch(
      docker("logs", container()),
      /Column count of mysql|please run mariadb-upgrade|Incorrect definition of table mysql/i,
    );
    const { backups } = JSON.parse((await clone.drydock(["backup", "list", "--json"])).stdout) as { backups: Entry[] };
    const before = backups.find(({ reason }) => /^before 11\.8/.test(reason));
    assert.deepEqual([before?.verified, before?.database?.version.slice(0, 5)], [true, "10.11"]);
    for (const args of [
      ["backup", "run"],
      ["backup", "restore", "latest", "--db", "--yes", "--no-backup"],
    ]) {
      const { code, stdout, stderr } = await clone.drydock(args);
      assert.equal(code, 0, stdout + stderr);
    }
    assert.equal(sql("CHECKSUM TABLE kept"), checksum);
  });

  it("does not go back to the earlier one, and no other engine takes it", async () => {
    await set("database.image", old);
    await refused(
      new RegExp(
        String.raw`the data was written by MariaDB 11\.8\.\d+, and the older MariaDB 10\.11\.\d+ can't read ` +
          "it; nothing was changed",
      ),
    );
    await set("database.engine", "mysql");
    await set("env.DB_CONNECTION", "mysql");
    await refused(/the image has MariaDB 10\.11\.\d+, and drydock:database\.engine is mysql; nothing was changed/);
  });
});
