import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { MeasuredStack } from "../support/alerts/measured.ts";
import { docker } from "../support/clone.ts";

/** What is short of something: processes, memory, disk, a way to the log of the database, to Docker. */
describe("a stack that comes to its limits", function () {
  this.timeout(2_400_000);
  const stack = new MeasuredStack();
  let busy = true;
  const visits: Promise<void>[] = [];
  before(() => stack.up({ "app.maxChildren": "2", "monitoring.alerts.slow": "1" }));
  after(async () => {
    busy = false;
    await Promise.all(visits);
    await stack.remove();
  });

  const redis = (...words: readonly string[]) =>
    execFileSync("docker", ["exec", "-i", stack.of("redis").container, "sh", "-s", "--", ...words], {
      encoding: "utf8",
      input: readFileSync("commands/inside/redis-cli.sh"),
    }).trim();
  /** Changes who may write to Redis's folder, as root, which nobody in its container is. */
  const permit = (mode: string) => {
    const { container, image } = stack.of("redis");
    const own = ["--label", "drydock.test=limits", "--volumes-from", container, "--user", "0:0", "--network", "none"];
    docker("run", "--rm", ...own, "--entrypoint", "chmod", image, mode, "/data");
  };
  /** A visitor who asks again and again for what takes so long. */
  const visit = async (duration: number) => {
    while (busy) {
      const address = `${stack.status.url}/slow?seconds=${duration}`;
      await fetch(address, { signal: AbortSignal.timeout(60_000) }).catch(() => sleep(1_000));
    }
  };

  it("tells of each limit, while the site answers, and of its end", async () => {
    const began = stack.notices().length;
    const names = ["DockerSilent", "FpmSaturated", "OutOfMemory", "RedisFull", "RedisNotPersisting", "Slow"];
    /** What the agent itself tells of; the numbers say it as well. */
    const byAgent = ["binlog", "incomplete"];
    // The cache is ended as soon as it starts, again and again.
    const cache = stack.of("cache").container;
    docker("update", "--memory", "6m", "--memory-swap", "6m", cache);
    docker("restart", "--time", "1", cache);
    const outOfMemory = stack.tells(["OutOfMemory"], "alarm", { since: began });

    // More visitors than processes, and two of them are enough for all of a replica's.
    for (let count = 0; count < 6; count++) visits.push(visit(4));

    permit("0500");
    redis("bgsave");
    const memory = Number(/used_memory:(\d+)/.exec(redis("info", "memory"))?.[1]);
    redis("config", "set", "maxmemory", String(Math.round(memory * 1.05)));

    stack.sql("ALTER USER drydock_backup@'%' ACCOUNT LOCK");
    for (const line of stack
      .sql("SELECT CONCAT('KILL ', id) FROM information_schema.processlist WHERE user = 'drydock_backup'")
      .split("\n")
      .filter((one) => one.startsWith("KILL")))
      stack.sql(line);

    const faults = Date.now();
    await stack.clone.drydock(["backup", "run", "--type", "db"]);

    await outOfMemory;
    // Without it nothing of containers is known any more.
    docker("pause", stack.of("gate").container);
    try {
      const others = [...names.filter((name) => name !== "OutOfMemory"), ...byAgent];
      await stack.tells(others, "alarm", { since: began, fault: faults });
      const { stdout } = await stack.clone.drydock(["alerts", "--json"]);
      for (const name of ["PointInTimeLag", "BackupAlarm"]) assert.match(stdout, new RegExp(name));
      assert.equal((await fetch(`${stack.status.url}/release`)).status, 200);
    } finally {
      docker("unpause", stack.of("gate").container);
      busy = false;
      permit("0700");
    }
    stack.sql("ALTER USER drydock_backup@'%' ACCOUNT UNLOCK");
    redis("config", "set", "maxmemory", "0");
    redis("bgsave");
    docker("update", "--memory", "512m", "--memory-swap", "512m", cache);
    // The agent goes on by itself; what it could not back up is told until it has.
    await sleep(30_000);
    assert.equal((await stack.clone.drydock(["backup", "run", "--type", "db"])).code, 0);
    await stack.tells([...names.filter((name) => name !== "OutOfMemory"), ...byAgent], "over", { since: began });
    for (const name of names) assert.equal(stack.kinds(name, began).filter((kind) => kind === "alarm").length, 1, name);
  });

  it("tells of a disk that is fuller than the settings say, and of its end", async () => {
    const began = stack.notices().length;
    // Any disk that a test runs on.
    await stack.set("monitoring.alerts.diskFree", "90");
    await stack.again();
    await stack.tells(["DiskFull"], "alarm", { since: began });
    await stack.set("monitoring.alerts.diskFree", "1");
    await stack.again();
    await stack.tells(["DiskFull"], "over", { since: began });
  });
});
