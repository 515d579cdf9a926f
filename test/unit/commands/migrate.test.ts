import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";

/** The script against a docker of the test's own, which says what it is told to, and keeps what it was asked. */
describe("the lock of the migrations", function () {
  this.timeout(20_000);
  let folder: string;
  beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "drydock-migrate-")); });
  afterEach(() => rmSync(folder, { recursive: true }));

  const docker = (parts: { readonly exists?: string; readonly until?: number; readonly wait?: string; readonly start?: string }): void => {
    const { exists, until = 0, wait = "exit 0", start = "exit 0" } = parts;
    if (exists !== undefined) writeFileSync(join(folder, "state"), exists);
    writeFileSync(join(folder, "docker"), `#!/bin/sh
echo "$*" >> ${folder}/calls
case "$1 $3" in
  *lock.purpose*) cat ${folder}/restore 2>/dev/null || exit 1 ;;
  *lock.until*) echo ${until} ;; *lock.by*) echo ann@build ;; *lock.since*) echo 2026-01-01T00:00:00Z ;; *lock.expires*) echo 2026-01-01T00:10:00Z ;;
  inspect*ExitCode*) cat ${folder}/state 2>/dev/null || exit 1 ;;
  wait*) ${wait} ;;
  kill*) echo "false 137" > ${folder}/state ;;
  rm*) rm -f ${folder}/state ;;
  start*) ${start} ;;
  cp*) cat > /dev/null ;;
esac
`, { mode: 0o755 });
  };
  const run = (env: Record<string, string> = {}) => {
    const done = spawnSync("sh", ["commands/migrate.sh"], {
      input: "", encoding: "utf8",
      env: { PATH: `${folder}:${process.env.PATH}`, NAME: "net-migrate", TIMEOUT: "5", PENDING: "1", HOLD: "", IMAGE: "shop:1", NETWORK: "net", APP_PATH: "/app", RUN_AS: "1000:1000", MEMORY: "256", LABELS: "--label a=b", ...env },
    });
    const calls = existsSync(join(folder, "calls")) ? readFileSync(join(folder, "calls"), "utf8") : "";
    return { ...done, calls, created: /^create --name net-migrate [\s\S]*?(?=^(?:cp|rm|start))/m.exec(calls)?.[0] ?? "" };
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
    assert.match(created, /exec php artisan migrate --force --isolated=75 migrate $/m);
  });

  it("is waited for while its holder has time, and says who holds it", () => {
    docker({ exists: "true 0", until: Math.floor(Date.now() / 1000) + 100, wait: `echo "false 0" > ${folder}/state; exit 0` });
    const { status, stdout, calls, created } = run();
    assert.equal(status, 0);
    assert.match(stdout, /begun by ann@build at 2026-01-01T00:00:00Z: waiting up to 5 s/);
    assert.ok(!calls.includes("kill net-migrate"));
    assert.ok(!created.includes("unlock.php"), "it ended by itself: Laravel's own lock is free");
  });

  it("expires: one that hangs is ended when its time is over, and Laravel's lock is freed", () => {
    docker({ exists: "true 0", until: Math.floor(Date.now() / 1000) - 10, wait: "exec sleep 10" });
    const { status, stderr, calls, created } = run();
    assert.equal(status, 0, stderr);
    assert.match(stderr, /has had its time, which is over since 2026-01-01T00:10:00Z: ending it/);
    assert.match(calls, /^kill net-migrate$/m);
    assert.match(created, /unlock\.php/);
  });

  it("is cleared away after a run that was killed, with Laravel's own", () => {
    docker({ exists: "false 137" });
    const { status, created } = run();
    assert.equal(status, 0);
    assert.match(created, /unlock\.php/);
  });

  it("is not Laravel's: somebody else's migration is no success", () => {
    docker({ start: "exit 75" });
    const { status, stderr } = run();
    assert.equal(status, 1);
    assert.match(stderr, /skipped: someone else holds Laravel's migration lock/);
  });

  it("ends a migration that takes too long, and leaves its container as evidence", () => {
    docker({ start: "exec sleep 10" });
    const { status, stderr, calls } = run({ TIMEOUT: "1" });
    assert.equal(status, 1);
    assert.match(stderr, /still running after 1 s, ended; the old release serves/);
    assert.match(calls, /^kill net-migrate\n$/m);
    assert.ok(!/^rm --volumes/m.test(calls));
  });

  it("migrates nothing while data is being restored, or after a restore was cut off; an update's own lock is not in its way", () => {
    docker({});
    writeFileSync(join(folder, "restore"), "restore by ann@build, since 2026-01-01T00:00:00Z\n");
    const refused = run();
    assert.equal(refused.status, 1);
    assert.match(refused.stderr, /refused: restore by ann@build, since 2026-01-01T00:00:00Z, is under way or was cut off.*--resume/);
    assert.equal(refused.created, "");
    assert.match(refused.calls, /inspect .* net-restore$/m);
    writeFileSync(join(folder, "restore"), "up by ann@build, since 2026-01-01T00:00:00Z\n");
    assert.equal(run().status, 0);
  });

  it("makes no container where nothing is pending, unless one was left by a run that was killed", () => {
    docker({});
    const { status, calls } = run({ PENDING: "0" });
    assert.equal(status, 0);
    assert.ok(!/create/.test(calls), calls);
    docker({ exists: "false 137" });
    assert.match(run({ PENDING: "0" }).created, /unlock\.php/);
  });

  it("runs single files where some have to wait", () => {
    docker({});
    const { created } = run({ HOLD: "2026_a,2026_b" });
    assert.match(created, /exec php artisan migrate --force --isolated=75 --realpath \$files migrate 2026_a,2026_b$/m);
  });

  it("takes the names of migrations as they are, whatever signs they have", () => {
    const hold = `2026_"; touch ${folder}/run; "$(touch ${folder}/run)\`touch ${folder}/run\`'`;
    const files = ["--path=/app/2026 a b.php", "--path=/app/*.php", "--path=/app/$(touch x).php"];
    docker({});
    // What the container would run is run here, with a php that writes its arguments down.
    const original = readFileSync(join(folder, "docker"), "utf8");
    writeFileSync(join(folder, "docker"), original.replace("case ", `if [ "$1" = create ]; then while [ "$1" != /drydock/start.sh ]; do shift; done; shift; DRYDOCK_PATH=/app "$@"; fi\ncase `), { mode: 0o755 });
    writeFileSync(join(folder, "php"), `#!/bin/sh
printf '%s\\0' "$@" >> ${folder}/arguments
[ "$1" != /drydock/pending.php ] || printf '%s\\n' '${files.join("' '")}'
`, { mode: 0o755 });
    const { status, stderr } = run({ HOLD: hold });
    assert.equal(status, 0, stderr);
    assert.ok(!existsSync(join(folder, "run")));
    assert.deepEqual(readFileSync(join(folder, "arguments"), "utf8").split("\0").slice(0, -1), ["/drydock/pending.php", "/app", `paths=${hold}`, "artisan", "migrate", "--force", "--isolated=75", "--realpath", ...files]);
  });
});
