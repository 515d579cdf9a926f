import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { ScriptRig } from "../../support/commands/scriptRig.ts";

/** The script against a docker of the test's own. */
describe("the look at the database's server", function () {
  this.timeout(60_000);
  const rig = new ScriptRig();

  const run = ({
    server = "mariadbd  Ver 11.8.9-MariaDB-2 from Debian",
    serving = "",
    left = "",
    agent = "backup-agent-1",
    backup = 0,
    options = 0,
    engine = "mariadb",
  }) => {
    rig.write("calls", "");
    rig.docker(`case "$*" in
  *--version) echo "${server}" ;;
  *--verbose\\ --help) [ ${options} = 0 ] || echo "mariadbd: unknown variable 'x=1'" >&2; exit ${options} ;;
  ps*drydock.role=database*) [ -z "${serving}" ] || echo database-1 ;;
  ps*drydock.role=backup*) echo "${agent}" ;;
  exec*database-1*) echo "${serving}" ;;
  exec\\ backup-agent-1*) echo "what the agent says" >&2; exit ${backup} ;;
  run*target=/data*) echo "${left}" ;;
esac`);
    const done = rig.run("database-check", {
      ...{ IMAGE: "mariadb:11.8", ENGINE: engine, OPTIONS: "--max-connections=300\n--sql-mode=A,B\n--init=a b" },
      ...{ RUN_AS: "999:999", LABELS: "--label drydock.stack=prod", STACK: "prod", VOLUME: "data", BACKUPS: "backups" },
    });
    return { ...done, calls: rig.calls };
  };

  it("takes a new database, and data of the same series, without a backup", () => {
    const fresh = run({});
    assert.deepEqual([fresh.status, fresh.stderr, fresh.stdout], [0, "", "a new database, for 11.8.9-MariaDB-2\n"]);
    assert.match(
      fresh.calls,
      /--entrypoint mariadbd mariadb:11\.8 --max-connections=300 --sql-mode=A,B --init=a b --verbose --help/,
    );
    const same = run({ serving: "11.8.2-MariaDB-log" });
    assert.deepEqual([same.status, same.stdout], [0, "the data is of this server's series\n"]);
    assert.ok(!same.calls.includes("agent run"));
  });

  it("has the data backed up before a later server gets it, and goes no further where that fails", () => {
    const fine = run({ serving: "10.11.18-MariaDB-0+deb12u1" });
    assert.equal(fine.status, 0, fine.stderr);
    assert.match(fine.calls, /exec backup-agent-1 agent run --type db --reason before 11\.8\.9/);
    const failed = run({ serving: "10.11.18-MariaDB", backup: 1 });
    assert.equal(failed.status, 1);
    assert.match(
      failed.stderr,
      /could not be backed up before it becomes a later server's; nothing was changed:\nwhat the agent says/,
    );
    const stopped = run({ left: "mariadb 10.11.18-MariaDB" });
    assert.equal(stopped.status, 1);
    assert.match(stopped.stderr, /the database does not run, so its data can't be backed up/);
    const alone = run({ serving: "10.11.18-MariaDB", agent: "" });
    assert.equal(alone.status, 0);
    assert.match(alone.stderr, /WARNING: nothing backs this stack up/);
  });

  it("refuses an earlier server, another engine, a skipped series, and an image of something else", () => {
    for (const [input, message] of [
      [
        { serving: "12.1.0-MariaDB" },
        new RegExp(
          String.raw`written by MariaDB 12\.1\.0, and the older MariaDB 11\.8\.9 can't read it; nothing was ` +
            String.raw`changed\.\nkeep an image of MariaDB 12\.1\.0: pulumi config set --path ` +
            String.raw`drydock:database\.image IMAGE -s prod`,
        ),
      ],
      [{ left: "mysql 8.4.3" }, /written by MySQL 8\.4\.3, and MariaDB 11\.8\.9 can't read it/],
      [
        { server: "mysqld  Ver 9.7.4 for Linux", engine: "mysql", serving: "8.0.40" },
        /MySQL 9\.7\.4 can't read what MySQL 8\.0\.40 has written: first an image of MySQL 8\.4/,
      ],
      [
        { server: "mysqld  Ver 9.7.4 for Linux", serving: "", left: "mariadb 11.8.9-MariaDB" },
        /the image has MySQL 9\.7\.4, and drydock:database\.engine is mariadb/,
      ],
      [{ left: "mysql" }, /written by another engine \(mysql\)/],
    ] as const) {
      const { status, stderr, calls } = run(input);
      assert.notEqual(status, 0, stderr);
      assert.match(stderr, message);
      assert.ok(!calls.includes("agent run"));
    }
  });

  it("refuses options that the server does not take", () => {
    const { status, stderr } = run({ options: 7 });
    assert.equal(status, 1);
    assert.match(
      stderr,
      /does not take its options \(drydock:database\.options\); nothing was changed:\nmariadbd: unknown variable 'x=1'/,
    );
  });
});
