import assert from "node:assert/strict";
import { beforeEach, describe, it } from "mocha";
import { ScriptRig } from "../../support/commands/scriptRig.ts";

/** backup-user.sh, monitor-user.sh and functions/root-sql.sh; what runs in the database's container runs here. */
describe("an account of Drydock's own in the database", () => {
  const rig = new ScriptRig();
  beforeEach(() => {
    rig.write("root", "root's own");
    rig.docker(`[ "$1 $2 $3" = "exec --interactive db-1" ] || exit 9
shift 5
script=$(printf '%s' "$1" | sed 's#/run/drydock/root-password#${rig.folder}/root#')
shift
PATH=${rig.folder}:/usr/bin:/bin exec sh -euc "$script" "$@"`);
    client("mariadb");
  });
  const client = (name: string, end = "exit 0"): void =>
    rig.program(
      name,
      `echo "${name}|$MYSQL_PWD|$*" >> ${rig.folder}/clients
env > ${rig.folder}/environment
cat > ${rig.folder}/sql
${end}`,
    );
  const run = (script: string, engine = "mariadb", password = "its own") =>
    rig.run(script, { CONTAINER: "db-1", ENGINE: engine }, `${password}\n`);

  const BACKUP = (position: string) => `SET SESSION sql_log_bin = 0;
CREATE USER IF NOT EXISTS drydock_backup@'%' IDENTIFIED BY 'its own';
ALTER USER drydock_backup@'%' IDENTIFIED BY 'its own' WITH MAX_USER_CONNECTIONS 12;
-- The official images once made a root for the whole network, and so did ours. This session is another one.
SET @other = IF(CURRENT_USER() = 'root@localhost', 'DROP USER IF EXISTS root@\`%\`', 'DO 0');
PREPARE other FROM @other;
EXECUTE other;
DEALLOCATE PREPARE other;
GRANT SELECT, RELOAD, PROCESS, LOCK TABLES, ${position}, SHOW VIEW, EVENT, TRIGGER, REPLICATION SLAVE ON *.*
  TO drydock_backup@'%';
`;
  const MONITOR = (rights: string) => `SET SESSION sql_log_bin = 0;
CREATE USER IF NOT EXISTS drydock_monitor@'%' IDENTIFIED BY 'its own';
ALTER USER drydock_monitor@'%' IDENTIFIED BY 'its own' WITH MAX_USER_CONNECTIONS 3;
GRANT PROCESS, ${rights} ON *.* TO drydock_monitor@'%';
GRANT SELECT ON performance_schema.* TO drydock_monitor@'%';
`;

  it("has just the rights that it needs, by either server's names", () => {
    for (const [script, engine, sql] of [
      ["backup-user", "mariadb", BACKUP("BINLOG MONITOR")],
      ["backup-user", "mysql", BACKUP("REPLICATION CLIENT")],
      ["monitor-user", "mariadb", MONITOR("BINLOG MONITOR, SLAVE MONITOR")],
      ["monitor-user", "mysql", MONITOR("REPLICATION CLIENT")],
    ] as const) {
      const { status, stdout } = run(script, engine);
      assert.deepEqual([status, rig.read("sql")], [0, sql], `${script} ${engine}`);
      assert.match(stdout, /^the account drydock_(?:backup|monitor) may .* and (?:change nothing|no data)\n$/);
    }
  });

  it("is made by root through the socket, and no password is on a command line or in the environment", () => {
    assert.equal(run("backup-user").status, 0);
    assert.equal(rig.read("clients"), "mariadb|root's own|--no-defaults --protocol=socket --user=root\n");
    assert.doesNotMatch(rig.calls, /its own|root's own/);
    assert.doesNotMatch(rig.read("environment"), /its own/);
    assert.match(rig.calls, /^exec --interactive db-1 sh -euc/);
  });

  it("is made by MySQL's client where there is no other", () => {
    rig.shell(["-c", `rm ${rig.folder}/mariadb`]);
    client("mysql");
    assert.equal(run("monitor-user", "mysql").status, 0);
    assert.match(rig.read("clients"), /^mysql\|root's own\|/);
  });

  it("is an error that asks after root's password where the server refuses", () => {
    client("mariadb", "exit 1");
    for (const [script, account] of [
      ["backup-user", "drydock_backup"],
      ["monitor-user", "drydock_monitor"],
    ] as const) {
      const { status, stderr, stdout } = run(script);
      assert.deepEqual([status, stdout], [1, ""]);
      assert.match(
        stderr,
        new RegExp(`^${script}: the account ${account} could not be made in db-1: is its root password the one of`),
      );
    }
  });

  it("is not made without a password", () => {
    for (const script of ["backup-user", "monitor-user"]) {
      const { status } = rig.run(script, { CONTAINER: "db-1", ENGINE: "mariadb" }, "");
      assert.deepEqual([status, rig.calls], [1, ""]);
    }
  });
});
