import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { describe, it } from "mocha";
import { ONE_OFF, ScriptRig } from "../../support/commands/scriptRig.ts";

/** The script against a docker of the test's own, which says what it is told to, and keeps what it was asked. */
describe("the lock of the migrations", function () {
  this.timeout(20_000);
  const rig = new ScriptRig();

  const docker = (parts: {
    readonly exists?: string;
    readonly until?: number;
    readonly wait?: string;
    readonly start?: string;
  }): void => {
    const { exists, until = 0, wait = "exit 0", start = "exit 0" } = parts;
    if (exists !== undefined) rig.write("state", exists);
    rig.docker(`case "$1 $3" in
  *lock.purpose*) cat ${rig.folder}/restore 2>/dev/null || exit 1 ;;
  *lock.until*) echo ${until} ;; *lock.by*) echo ann@build ;; *lock.since*) echo 2026-01-01T00:00:00Z ;;
  *lock.expires*) echo 2026-01-01T00:10:00Z ;;
  inspect*ExitCode*) cat ${rig.folder}/state 2>/dev/null || exit 1 ;;
  wait*) ${wait} ;;
  kill*) echo "false 137" > ${rig.folder}/state ;;
  rm*) rm -f ${rig.folder}/state ;;
  start*) ${start} ;;
  cp*) cat > /dev/null ;;
esac`);
  };
  const run = (env: Record<string, string> = {}) => {
    const done = rig.run("migrate", {
      ...{ ...ONE_OFF, NAME: "net-migrate", TIMEOUT: "5", PENDING: "1", HOLD: "", LOCK_SECONDS: "5" },
      ...env,
    });
    const { calls } = rig;
    return {
      ...done,
      calls,
      created: /^create --name net-migrate [\s\S]*?(?=^(?:cp|rm|start))/m.exec(calls)?.[0] ?? "",
    };
  };

  it("is a container that says whose it is and when its time is over", () => {
    docker({});
    const { status, created, stderr } = run();
    assert.equal(status, 0, stderr);
    assert.ok(created.includes(`--label drydock.lock.by=${userInfo().username}@${hostname()} `), created);
    assert.match(created, /--label drydock\.lock\.since=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/);
    const until = Number(/drydock\.lock\.until=(\d+)/.exec(created)?.[1]);
    assert.ok(Math.abs(until - Date.now() / 1000 - 5) < 5);
    assert.match(created, /--label drydock\.lock\.expires=\d{4}-\d\d-\d\dT/);
    assert.match(created, /--entrypoint \/bin\/sh shop:1 \/drydock\/start\.sh php \/drydock\/migrate\.php \/app 5 $/m);
  });

  it("is waited for while its holder has time, and says who holds it", () => {
    docker({
      exists: "true 0",
      until: Math.floor(Date.now() / 1000) + 100,
      wait: `echo "false 0" > ${rig.folder}/state; exit 0`,
    });
    const { status, stdout, calls } = run();
    assert.equal(status, 0);
    assert.match(stdout, /started by ann@build at 2026-01-01T00:00:00Z: waiting up to 5 s/);
    assert.ok(!calls.includes("kill net-migrate"));
  });

  it("expires: one that hangs is ended when its time is over, and the next one runs", () => {
    docker({ exists: "true 0", until: Math.floor(Date.now() / 1000) - 10, wait: "exec sleep 10" });
    const { status, stderr, calls, created } = run();
    assert.equal(status, 0, stderr);
    assert.match(stderr, /the time of \S+ was up at 2026-01-01T00:10:00Z: ending it/);
    assert.match(calls, /^kill net-migrate$/m);
    assert.match(created, /migrate\.php/);
  });

  it("is cleared away after a run that was killed", () => {
    docker({ exists: "false 137" });
    const { status, created } = run();
    assert.equal(status, 0);
    assert.match(created, /migrate\.php/);
  });

  it("is not the database's own: somebody else's migration is no success", () => {
    docker({ start: "exit 75" });
    const { status, stderr } = run();
    assert.equal(status, 1);
    assert.match(stderr, /skipped: someone else migrates this schema/);
  });

  it("ends a migration that takes too long, and leaves its container as evidence", () => {
    docker({ start: "exec sleep 10" });
    const { status, stderr, calls } = run({ TIMEOUT: "1" });
    assert.equal(status, 1);
    assert.match(stderr, /still running after 1 s, ended; the old release serves/);
    assert.match(calls, /^kill net-migrate\n$/m);
    assert.ok(!/^rm --volumes/m.test(calls));
  });

  it(
    "migrates nothing while data is being restored, or after a restore was cut off; " +
      "an update's own lock is not in its way",
    () => {
      docker({});
      rig.write("restore", "restore by ann@build, since 2026-01-01T00:00:00Z\n");
      const refused = run();
      assert.equal(refused.status, 1);
      assert.match(
        refused.stderr,
        /refused: restore by ann@build, since 2026-01-01T00:00:00Z, is under way or was cut off.*--resume/,
      );
      assert.equal(refused.created, "");
      assert.match(refused.calls, /inspect .* net-restore$/m);
      rig.write("restore", "up by ann@build, since 2026-01-01T00:00:00Z\n");
      assert.equal(run().status, 0);
    },
  );

  it("makes no container where nothing is pending, unless one was left by a run that was killed", () => {
    docker({});
    const { status, calls } = run({ PENDING: "0" });
    assert.equal(status, 0);
    assert.ok(!/create/.test(calls), calls);
    docker({ exists: "false 137" });
    assert.match(run({ PENDING: "0" }).created, /migrate\.php/);
  });

  it("leaves out migrations that have to wait", () => {
    docker({});
    assert.match(run({ HOLD: "2026_a,2026_b" }).created, /migrate\.php \/app 5 2026_a,2026_b$/m);
  });

  it("takes the names of migrations as they are, whatever signs they have", () => {
    const hold = `2026_"; touch ${rig.folder}/run; "$(touch ${rig.folder}/run)\`touch ${rig.folder}/run\`'`;
    docker({});
    const { status, stderr, created } = run({ HOLD: hold });
    assert.equal(status, 0, stderr);
    assert.ok(created.endsWith(` php /drydock/migrate.php /app 5 ${hold}\n`), created);
    assert.ok(!existsSync(join(rig.folder, "run")));
  });

  it("has the variables, volumes and networks of a replica, whatever is in a value", () => {
    docker({});
    const value = 'it\'s $(touch /tmp/never) "x" `y`\nz';
    const { status, stderr, calls, created } = run({
      MORE: `--env 'OWN=${value.replaceAll("'", "'\\''")}' --mount 'type=volume,source=s,target=/app/storage/logs'`,
      ALSO: "app-net",
    });
    assert.equal(status, 0, stderr);
    assert.ok(
      created.includes(` --env OWN=${value} --mount type=volume,source=s,target=/app/storage/logs --entrypoint `),
      created,
    );
    assert.ok(!created.includes("--tmpfs /app/storage/logs"), created);
    assert.match(calls, /^network connect app-net net-migrate\n/m);
  });

  it("keeps what is logged in memory where a stack of an earlier version has no volume for it", () => {
    docker({});
    assert.match(run().created, /--tmpfs \/app\/storage\/logs/);
  });
});
