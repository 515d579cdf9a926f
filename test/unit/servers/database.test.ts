import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { databaseCommand } from "../../../servers/database.ts";

describe("the command line of the database's server", () => {
  const of = (engine: "mariadb" | "mysql", options: Readonly<Record<string, string>> = {}) =>
    databaseCommand({ engine, bufferPool: 128, binlogDays: 2, options });

  it("has what backups and migrations rely on, the same for both engines but for what only one knows", () => {
    const mysql = [
      "--character-set-server=utf8mb4",
      "--collation-server=utf8mb4_unicode_ci",
      "--innodb-buffer-pool-size=128M",
      "--innodb-flush-log-at-trx-commit=1",
      "--log-bin=binlog",
      "--server-id=1",
      "--binlog-format=ROW",
      "--binlog-expire-logs-seconds=172800",
      "--sync-binlog=1",
      // Migrations make triggers and functions.
      "--loose-log-bin-trust-function-creators=1",
      "--event-scheduler=ON",
      "--skip-name-resolve",
    ];
    assert.deepEqual(of("mysql"), mysql);
    assert.deepEqual(of("mariadb"), [...mysql, "--ignore-db-dirs=.drydock"]);
  });

  it("has a setting's options last, where they count", () => {
    assert.equal(of("mysql", { max_connections: "50" }).at(-1), "--max-connections=50");
  });
});
