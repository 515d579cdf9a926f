import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { MeasuredStack } from "../support/alerts/measured.ts";
import { Primary } from "../support/alerts/primary.ts";
import { docker } from "../support/clone.ts";
import { mysqlImages } from "../support/mysql.ts";

const ENGINES = {
  mariadb: async () => ({}),
  mysql: async (): Promise<Record<string, string>> => {
    const images = await mysqlImages();
    return {
      "database.engine": "mysql",
      "database.image": images.database,
      "database.memory": "1536",
      "backup.image": images.backup,
      "env.DB_CONNECTION": "mysql",
    };
  },
} as const;

/** What monitoring says of a database that is a replica of others, and of MySQL in place of MariaDB. */
for (const engine of ["mariadb", "mysql"] as const)
  describe(`a measured stack with ${engine}`, function () {
    this.timeout(1_800_000);
    const stack = new MeasuredStack();
    const seconds: Record<string, string> = {};
    const primaries: Primary[] = [];
    before(async () => stack.up(await ENGINES[engine]()));
    after(async () => {
      console.log(
        Object.entries(seconds)
          .map(([alert, said]) => `      ${alert}: ${said}`)
          .join("\n"),
      );
      try {
        for (const primary of primaries) primary.remove();
      } finally {
        await stack.remove();
      }
    });

    const told = async (name: string, kind: "alarm" | "over", since: number, began = Date.now()) => {
      await stack.told(name, kind, { since });
      if (kind === "alarm") seconds[name] = `${Math.round((Date.now() - began) / 1000)} s`;
    };
    const until = async (what: string, holds: () => boolean, most = 120) => {
      for (const began = Date.now(); !holds(); await sleep(1_000))
        if (Date.now() - began > most * 1000) assert.fail(`not within ${most} s: ${what}`);
    };
    /** Starts or stops a thread of one channel. */
    const channel = (word: "START" | "STOP", name: string, thread = "") =>
      stack.sql(
        engine === "mariadb" ? `${word} SLAVE '${name}' ${thread}` : `${word} REPLICA ${thread} FOR CHANNEL '${name}'`,
      );

    it("has the database's numbers", async () => {
      const { container } = stack.of("database");
      for (const expression of [
        "mysql_up == 1",
        "mysql_global_status_threads_connected >= 1",
        "mysql_global_variables_max_connections == 151",
        "rate(mysql_global_status_queries[1m]) > 0",
        `mysql_version_info{version=~".*${engine === "mariadb" ? "MariaDB" : "[89][.]"}.*"}`,
      ])
        await until(expression, () => stack.query(expression).length === 1);
      assert.deepEqual(stack.query("mysql_exporter_collector_success == 0"), []);
      const { stdout } = await stack.clone.drydock(["metrics", "--json"]);
      const shown = new Map<string, number>(
        JSON.parse(stdout).metrics.map(({ name, now }: { name: string; now: number }) => [name, now]),
      );
      for (const name of ["database connections", "database queries"]) assert.ok(shown.get(name)! > 0, stdout);
      // The account sees how the server is, and no data.
      const exporter = stack.of("exporter", "monitoring-database").container;
      const options = docker("exec", exporter, "cat", "/run/drydock/monitor.cnf");
      const password = /password="(.*)"/.exec(options)![1]!;
      const command = "$(command -v mariadb || command -v mysql) --no-defaults --user=drydock_monitor";
      const client = `MYSQL_PWD=${password} ${command}`;
      assert.throws(
        () => docker("exec", container, "sh", "-c", `${client} --execute='SELECT * FROM laravel.migrations' 2>&1`),
        (error: { stdout: string }) => /denied/.test(error.stdout),
      );
    });

    it("tells which primaries its database does not follow, or follows late, and of the end of it", async () => {
      const began = stack.notices().length;
      const { container } = stack.of("database");
      const names = ["stopped", "gone", "late", "delayed"];
      primaries.push(...names.map((name, index) => new Primary(name, container, 101 + index)));
      const [stopped, gone, late, delayed] = primaries as [Primary, Primary, Primary, Primary];
      for (const [index, primary] of primaries.entries()) {
        await primary.ready();
        stack.sql(primary.follow(engine, primary === delayed ? 3_600 : 0));
        primary.sql(`CREATE SCHEMA followed_${names[index]}; CREATE TABLE followed_${names[index]}.written (id INT)`);
      }
      const followed = (schema: string) =>
        stack.sql(`SELECT 1 FROM information_schema.tables WHERE table_schema = '${schema}'`) !== "";
      for (const name of ["stopped", "gone", "late"]) await until(name, () => followed(`followed_${name}`));

      channel("STOP", "stopped", "SQL_THREAD");
      docker("stop", "--time", "1", gone.container);
      const letGo = stack.hold("LOCK TABLES followed_late.written READ");
      await sleep(2_000);
      late.sql("INSERT INTO followed_late.written VALUES (1)");
      // Nearly all connections, at the same time.
      stack.sql("SET GLOBAL max_connections = 30");
      const connections = Array.from({ length: 26 }, () => stack.hold("SELECT 1"));
      try {
        const faults = Date.now();
        await Promise.all(
          ["DatabaseReplicaBehind", "DatabaseConnections"].map((name) => told(name, "alarm", began, faults)),
        );
        const raised = 'ALERTS{alertname="DatabaseReplicaBehind",alertstate="firing"}';
        const hosts = () => stack.query(raised).map(({ labels }) => labels["master_host"]);
        await until("all of them", () => hosts().length >= 3);
        assert.deepEqual(hosts().sort(), [gone, late, stopped].map((one) => one.container).sort());
        const { code, stdout } = await stack.clone.drydock(["alerts"]);
        assert.equal(code, 1);
        for (const { container } of [gone, late, stopped]) assert.match(stdout, new RegExp(`following ${container}`));
        assert.doesNotMatch(stdout, new RegExp(delayed.container));
      } finally {
        letGo();
        for (const end of connections) end();
      }
      stack.sql("SET GLOBAL max_connections = 151");
      channel("START", "stopped");
      docker("start", gone.container);
      await gone.answers();
      // MySQL has given it up after ten tries.
      channel("START", "gone");
      await Promise.all(["DatabaseReplicaBehind", "DatabaseConnections"].map((name) => told(name, "over", began)));
      assert.equal(stack.sql("SELECT COUNT(*) FROM followed_late.written").split("\n").at(-2), "1");
    });

    it("tells of a database that hangs, and of its end", async () => {
      const began = stack.notices().length;
      docker("pause", stack.of("database").container);
      try {
        await told("DatabaseDown", "alarm", began);
      } finally {
        docker("unpause", stack.of("database").container);
      }
      await told("DatabaseDown", "over", began);
    });
  });
