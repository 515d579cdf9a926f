import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { MeasuredStack } from "../support/alerts/measured.ts";
import { docker } from "../support/clone.ts";
import { killTree } from "../support/faults/steps.ts";
import { Load } from "../support/load.ts";

/** Seconds that an alert waits here which waits for a quarter of an hour and more elsewhere. */
const SOON = "60";
const ROOT = "MYSQL_PWD=$(cat /run/drydock/root-password) mariadb --no-defaults --protocol=socket --user=root laravel";

/** Laravel that hangs, PHP without room, and what people began and did not finish. */
describe("a stack that somebody has left in a bad way", function () {
  this.timeout(1_800_000);
  const stack = new MeasuredStack();
  before(() =>
    stack.up({
      // Of it strings take 13: what is left holds no Laravel.
      'app.php["opcache.memory_consumption"]': "16",
      'app.php["opcache.interned_strings_buffer"]': "13",
      "backup.validate.command": '["sh", "-c", "test ! -e /tmp/refused"]',
      "monitoring.for.OpcacheFull": SOON,
      "monitoring.for.ReleaseUnfinished": SOON,
      "monitoring.for.MaintenanceForgotten": SOON,
    }),
  );
  after(() => stack.remove());
  const over = async (name: string, since: number) => {
    await stack.tells([name], "over", { since });
    assert.deepEqual(stack.kinds(name, since), ["alarm", "over"], name);
  };

  it("tells that OPcache has no room, and of its end", async () => {
    await stack.tells(["OpcacheFull"], "alarm", { since: 0 });
    await stack.set('app.php["opcache.memory_consumption"]', "64");
    await stack.again();
    await over("OpcacheFull", 0);
  });

  it("tells that Laravel hangs for monitoring, which takes one process of a replica and no visitor's", async () => {
    const began = stack.notices().length;
    const load = new Load(stack.status.url, { clients: 2, slowSeconds: 1 });
    // As a change of a large table does.
    const { container } = stack.of("database");
    const lock = spawn("docker", ["exec", "-i", container, "sh", "-c", ROOT], { stdio: ["pipe", "ignore", "inherit"] });
    lock.stdin.write("LOCK TABLES failed_jobs WRITE;\n");
    await stack.tells(["LaravelSilent"], "alarm", { since: began });
    const [waiting] = stack
      .sql("SELECT COUNT(*) FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata lock%'")
      .match(/\d+/g)!;
    assert.ok(Number(waiting) >= 1 && Number(waiting) <= 2, `${waiting} processes wait`);
    const closed = once(lock, "close");
    lock.stdin.end();
    await closed;
    await over("LaravelSilent", began);
    const { failed, total, reasons } = await load.stop();
    assert.equal(failed, 0, `of ${total}: ${JSON.stringify(reasons)}`);
    assert.deepEqual(
      [
        ...new Set(
          stack
            .notices()
            .slice(began)
            .map(({ name }) => name),
        ),
      ],
      ["LaravelSilent"],
    );
  });

  it("tells of a backup that could not be verified, by its agent and in the list", async () => {
    const began = stack.notices().length;
    const { container } = stack.of("backup");
    docker("exec", container, "touch", "/tmp/refused");
    assert.equal((await stack.clone.drydock(["backup", "run", "--type", "db"])).code, 1);
    await stack.tells(["unverified"], "alarm", { since: began });
    const listed = async () => (await stack.clone.drydock(["alerts", "--json"])).stdout.includes("BackupNotVerified");
    for (const limit = Date.now() + 60_000; !(await listed()); await sleep(1_000)) assert.ok(Date.now() < limit);
    docker("exec", container, "rm", "/tmp/refused");
    assert.equal((await stack.clone.drydock(["backup", "run", "--type", "db"])).code, 0);
    await over("unverified", began);
    for (const limit = Date.now() + 60_000; await listed(); await sleep(1_000)) assert.ok(Date.now() < limit);
  });

  it("tells of a release that was cut off, until it is finished", async () => {
    const began = stack.notices().length;
    await stack.set("env.APP_NAME", "Half");
    const release = stack.clone.start(["up"]);
    const network = stack.networks("app").find((name) => name.includes("network-app"))!;
    const healthy = [
      "--filter",
      `network=${network}`,
      "--filter",
      "label=drydock.role=app",
      "--filter",
      "health=healthy",
    ];
    const apps = () =>
      docker("ps", "--quiet", ...healthy)
        .trim()
        .split("\n").length;
    for (; apps() < 3; await sleep(200)) assert.equal(release.exitCode, null, "the release is over");
    killTree(release.pid!);
    await stack.tells(["ReleaseUnfinished"], "alarm", { since: began });
    // What the alert says to do.
    await stack.again();
    await over("ReleaseUnfinished", began);
  });

  it("tells of a site that is still closed, and not that it is down", async () => {
    const began = stack.notices().length;
    assert.equal((await stack.clone.drydock(["maintenance", "on"])).code, 0);
    await stack.tells(["MaintenanceForgotten"], "alarm", { since: began });
    // Longer than SiteDown would take.
    await sleep(90_000);
    assert.equal((await stack.clone.drydock(["maintenance", "off"])).code, 0);
    await over("MaintenanceForgotten", began);
    assert.deepEqual(
      [
        ...new Set(
          stack
            .notices()
            .slice(began)
            .map(({ name }) => name),
        ),
      ],
      ["MaintenanceForgotten"],
    );
  });
});
