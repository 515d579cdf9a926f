import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { ONE_OFF, ScriptRig } from "../../support/commands/scriptRig.ts";

/** The script against a docker of the test's own: no container is there, and each call is written down. */
describe("migrations that are rolled back", () => {
  const rig = new ScriptRig();

  const run = (env: Record<string, string>, agent = 0) => {
    rig.docker(`case "$1 $2 $3" in
  "exec  "*) echo "invalid container name or ID" >&2; exit 1 ;;
  "exec agent"*) echo "backup 7 is proven"; exit ${agent} ;;
  "exec database"*) echo "[client]" ;;
  "inspect -f {{range"*) echo APP_ENV=production ;;
  inspect*) exit 1 ;;
  "run --rm"* | "cp - "*) cat > /dev/null ;;
esac`);
    const { status, stderr } = rig.run(
      "cli/migrations",
      {
        ...{ ...ONE_OFF, LABELS: "", NAME: "net-migrate", REPLICA: "app-1", WHAT: "rollback=2" },
        ...{ TIMEOUT: "60", LOCK_SECONDS: "10", REASON: "before-rollback-of-abc" },
        ...{ VOLUME: "backups", DATABASE_USER: "999:999", ENGINE: "mariadb", SCHEMA: "shop", KEEP: "5", ...env },
      },
      "AAAA",
    );
    const calls = rig.calls.split("\n");
    return { status, stderr, calls, ran: calls.some((call) => call.startsWith("start --attach")) };
  };

  it("are after a backup by the agent, wherever the database is", () => {
    for (const DATABASE of ["database", ""]) {
      const { status, stderr, calls, ran } = run({ DATABASE, DATABASE_IMAGE: "", AGENT: "agent" });
      assert.deepEqual([status, stderr, ran], [0, "", true]);
      assert.ok(calls.some((call) => /^exec agent agent run .*before-rollback-of-abc/.test(call)));
    }
  });

  it("are after a dump where there is no agent, and after none, with a word, where the server is elsewhere", () => {
    const here = run({ DATABASE: "database", DATABASE_IMAGE: "mariadb:11" });
    assert.deepEqual([here.status, here.stderr, here.ran], [0, "", true]);
    assert.ok(here.calls.some((call) => call.startsWith("run --rm")));
    rig.write("calls", "");
    const elsewhere = run({ DATABASE: "", DATABASE_IMAGE: "" });
    assert.deepEqual([elsewhere.status, elsewhere.ran], [0, true]);
    assert.match(elsewhere.stderr, /WARNING: no backup is made .*elsewhere/);
  });

  it("stay where the backup fails", () => {
    const { status, stderr, ran } = run({ DATABASE: "", DATABASE_IMAGE: "", AGENT: "agent" }, 1);
    assert.deepEqual([status, ran], [1, false]);
    assert.match(stderr, /could not be backed up .*nothing was rolled back/s);
  });
});
