import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { databaseWords } from "../../../config/serverOptions.ts";
import { parseConfiguration } from "../../../config/settings.ts";
import { redisConfiguration } from "../../../servers/redis.ts";
import { asJson, having, problemsOf, valid } from "../../support/config/fixtures.ts";

describe("options of database and Redis", () => {
  const database = (options: Record<string, unknown>) => having(valid(), "database.options", options);
  const redis = (options: Record<string, unknown>) => having(valid(), "redis.options", options);
  const warnings = (raw: ReturnType<typeof valid>) => parseConfiguration(asJson(raw), "local").warnings;

  it("reach the servers, however their names are written", () => {
    const raw = having(
      database({ max_connections: 300, "sql-mode": "", default_time_zone: "+00:00" }),
      "redis.options",
      { maxclients: 5000, appendfsync: "always", "notify-keyspace-events": "" },
    );
    const { settings } = parseConfiguration(asJson(raw), "local");
    assert.deepEqual(warnings(raw), []);
    assert.deepEqual(databaseWords(settings.database.options), [
      "--max-connections=300",
      "--sql-mode=",
      "--default-time-zone=+00:00",
    ]);
    const lines = (purpose: "store" | "cache") => redisConfiguration(settings.redis, purpose).split("\n");
    for (const line of ["maxclients 5000", "appendfsync always", 'notify-keyspace-events ""'])
      assert.ok(lines("store").includes(line), line);
    assert.deepEqual(
      [lines("cache").includes("maxclients 5000"), lines("cache").includes("appendfsync always")],
      [true, false],
    );
  });

  it("are refused where data, or what Drydock relies on, would be lost, with the reason", () => {
    for (const [name, reason] of [
      ["sync_binlog", /what was answered as saved could be lost/],
      ["innodb-flush-log-at-trx-commit", /could be lost/],
      ["skip-log-bin", /points in time/],
      ["LOG_BIN", /points in time/],
      ["skip-grant-tables", /who may do what/],
      ["secure_file_priv", /who may do what/],
      ["binlog_expire_logs_seconds", /drydock:database\.binlogDays/],
      ["innodb_buffer_pool_size", /drydock:database\.bufferPool/],
      ["datadir", /where the server has its files/],
      ["general_log", /nobody empties/],
      ["require_secure_transport", /whom it listens to/],
    ] as const) {
      const [problem, ...others] = problemsOf(database({ [name]: "0" }));
      assert.match(problem?.message ?? "", reason, name);
      assert.deepEqual([problem?.path, others], [`drydock:database.options.${name}`, []]);
    }
    for (const [name, reason] of [
      ["maxmemory-policy", /refuse to store more rather than drop jobs/],
      ["maxmemory", /drydock:redis\.maxmemory/],
      ["appendonly", /outlive the server/],
      ["save", /outlive/],
      ["requirepass", /who may do what/],
      ["rename-command", /who may do what/],
      ["dir", /has its files/],
      ["replicaof", /whom it listens to/],
    ] as const)
      assert.match(problemsOf(redis({ [name]: "1" }))[0]?.message ?? "", reason, name);
  });

  it("have values of their kind, and none that is more than a value", () => {
    for (const [options, message] of [
      [{ max_connections: "many" }, "has another value than expected: a whole number"],
      [{ sql_mode: "STRICT ALL" }, "has another value than expected: words with commas between them"],
      [{ max_allowed_packet: "64 MB" }, "has another value than expected: a number of bytes, such as 64M"],
      [{ slow_query_log: "yes" }, "has another value than expected: ON or OFF"],
    ] as const)
      assert.deepEqual(
        problemsOf(database(options)).map((one) => one.message),
        [message],
      );
    assert.match(problemsOf(redis({ appendfsync: "no" }))[0]!.message, /jobs of half a minute could be lost/);
    for (const value of ["1\nmaxmemory-policy allkeys-lru", "'1'", "a\\b"])
      assert.equal(problemsOf(redis({ maxclients: value })).length, 1, value);
  });

  it("that Drydock does not know are left to the server, with the one that may be meant", () => {
    const [warning, ...others] = warnings(database({ max_conections: 300 }));
    assert.deepEqual(others, []);
    assert.match(warning!.message, /is not an option that Drydock knows \(is max_connections meant\?\)/);
    assert.deepEqual(problemsOf(database({ innodb_new_thing: "a b'" })).length, 1);
  });

  it("are judged together with what uses the connections, and with the memory", () => {
    const many = having(having(valid(), "app.maxChildren", 60), "app.memory", 8192);
    assert.match(
      warnings(many)
        .map(({ message }) => message)
        .join(),
      /may want 396 connections of the database, which takes 151/,
    );
    assert.doesNotMatch(
      warnings(having(many, "database.options.max_connections", 400))
        .map(({ message }) => message)
        .join(),
      /Too many connections/,
    );
    const [memory] = warnings(
      having(database({ max_connections: 500, "sort-buffer-size": "4M" }), "database.memory", 1024),
    );
    assert.deepEqual(
      [memory?.path, memory?.remedy],
      ["drydock:database.memory", "pulumi config set --path drydock:database.memory 2478 -s local"],
    );
    assert.match(
      memory!.message,
      /the server's own 100, drydock:database\.bufferPool \(128\) and 500 connections of 4\.5 may want 2478 MiB/,
    );
  });
});
