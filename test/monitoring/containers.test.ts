import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { MeasuredStack } from "../support/alerts/measured.ts";
import { docker } from "../support/clone.ts";

/** Faults of containers, database, Redis and jobs, each of which somebody outside hears of, and of its end. */
describe("a stack whose parts fail one by one", function () {
  this.timeout(2_400_000);
  const stack = new MeasuredStack();
  /** Ends what a fault has started, newest first. */
  const ends: (() => void)[] = [];
  before(() => stack.up({ "monitoring.alerts.failedJobs": "1", "monitoring.alerts.memory": "80" }));
  after(async () => {
    for (const end of ends.reverse()) end();
    await stack.remove();
  });
  /** Signals processes of a container from outside: its own init can't refuse. `of`: what their command has in it. */
  const signal = (container: string, what: NodeJS.Signals, { of = "", most = Infinity } = {}) => {
    const [, ...lines] = docker("top", container, "-eo", "pid,args").trim().split("\n");
    for (const line of lines.filter((one) => one.includes(of)).slice(0, most))
      process.kill(Number(line.trim().split(" ")[0]), what);
  };

  it("tells that the database and Redis are down, and not of what follows from it", async () => {
    const began = stack.notices().length;
    const paused = [stack.of("database"), stack.of("cache")];
    for (const { container } of paused) docker("pause", container);
    try {
      await stack.tells(["DatabaseDown", "RedisDown"], "alarm", { since: began });
      const { code, stdout } = await stack.clone.drydock(["alerts", "--json"]);
      assert.equal(code, 1);
      assert.match(stdout, /DatabaseDown/);
    } finally {
      for (const { container } of paused) docker("unpause", container);
    }
    await stack.tells(["DatabaseDown", "RedisDown"], "over", { since: began });
    const others = stack.notices().slice(began);
    const consequences = others.filter(({ name }) =>
      /^(SiteDown|ErrorRate|LaravelSilent|QueueStuck)$/.test(name ?? ""),
    );
    assert.deepEqual(consequences, []);
  });

  it("tells what is wrong with containers, jobs and connections, each once, and of its end", async () => {
    const began = stack.notices().length;
    const names = [
      "ContainerUnhealthy",
      "ContainerRestarts",
      "ContainerMissing",
      "MemoryNearLimit",
      "DatabaseConnections",
      "FailedJobs",
    ];
    // One of two replicas stands still: its health check gets no answer.
    const replica = stack.of("app").container;
    signal(replica, "SIGSTOP");
    ends.push(() => signal(replica, "SIGCONT"));
    docker("rm", "--force", stack.of("scheduler").container);

    const { container: database } = stack.of("database");
    stack.sql("SET GLOBAL max_connections = 30; RENAME TABLE job_runs TO gone");
    const root = "MYSQL_PWD=$(cat /run/drydock/root-password) mariadb --no-defaults --protocol=socket --user=root";
    const connections = Array.from({ length: 26 }, () =>
      spawn("docker", ["exec", database, "sh", "-c", `${root} --execute='SELECT SLEEP(1500)'`], { stdio: "ignore" }),
    );

    // Most of what Horizon's container may have, so that the kernel ends nothing.
    const horizon = stack.of("horizon").container;
    const limit = Number(docker("inspect", "--format", "{{.HostConfig.Memory}}", horizon));
    const used = (stack.query('drydock_container_memory_ratio{role="horizon"}')[0]?.value ?? 0) * limit;
    const bytes = Math.round(0.88 * limit - used);
    const hog = `$all = str_repeat("x", ${bytes}); sleep(1500);`;
    spawn("docker", ["exec", horizon, "php", "-n", "-d", "memory_limit=-1", "-r", hog], { stdio: "ignore" });

    const cache = stack.of("cache").container;
    for (let count = 0; count < 4; count++) {
      signal(cache, "SIGKILL", { most: 1 });
      await sleep(8_000);
    }

    const job = { method: "POST", headers: { "content-type": "application/json" } };
    for (let count = 0; count < 4; count++)
      await fetch(`${stack.status.url}/api/jobs`, {
        ...job,
        body: JSON.stringify({ id: `fails-${count}`, seconds: 0 }),
      });

    await stack.tells(names, "alarm", { since: began });
    signal(replica, "SIGCONT");
    ends.length = 0;
    signal(horizon, "SIGKILL", { of: "str_repeat" });
    for (const connection of connections) connection.kill();
    stack
      .sql(
        "SET GLOBAL max_connections = 151; RENAME TABLE gone TO job_runs; " +
          "SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP%'",
      )
      .split("\n")
      .filter((line) => line.startsWith("KILL"))
      .forEach((line) => {
        stack.sql(line);
      });
    // What the alert says to do brings back what is gone.
    await stack.again();
    const over = ["ContainerUnhealthy", "ContainerMissing", "MemoryNearLimit", "DatabaseConnections"];
    await stack.tells(over, "over", { since: began });
    for (const name of names) assert.equal(stack.kinds(name, began).filter((kind) => kind === "alarm").length, 1, name);
  });
});
