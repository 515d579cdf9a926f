import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { delimiter } from "node:path";
import { beforeEach, describe, it } from "mocha";
import {
  bytes,
  type Database,
  databaseOf,
  differences,
  is,
  load,
  query,
  queryBytes,
  text,
} from "../../../../cli/backup/sql.ts";
import { dockerFor } from "../../../../cli/shared/docker.ts";
import { CliError } from "../../../../cli/shared/errors.ts";
import { ScriptRig } from "../../../support/commands/scriptRig.ts";

const DELETES = "DELETE FROM users WHERE id = 1";

/** `docker exec` runs its shell on this machine, where root's password is in the test's folder. */
describe("the SQL that the command line has run in a database's container", () => {
  const rig = new ScriptRig();
  let database: Database;
  beforeEach(() => {
    rig.write("password", "root's own");
    rig.docker(`shift 4
script=$(printf '%s' "$2" | sed 's#/run/drydock/root-password#${rig.folder}/password#')
[ -z "$CUT" ] || { head -c "$CUT" | sh -c "$script" "$3" "$4" "$5" "$6"; exit; }
[ "$1" = -c ] || { echo "no shell: $*" >&2; exit 9; }
shift 2
exec sh -c "$script" "$@"`);
    client("cat");
    const env = { ...process.env, DOCKER_HOST: undefined, PATH: `${rig.folder}${delimiter}${process.env.PATH}` };
    database = { docker: dockerFor(undefined, env), container: "database-1", client: "mariadb" };
  });
  /** The database's client is this shell script; it is asked for `SELECT 1` first where a server is waited for. */
  const client = (body: string, alive = "exit 0"): void =>
    rig.program(
      "mariadb",
      `echo "$MYSQL_PWD|$*" >> ${rig.folder}/clients
case "$*" in *"--execute SELECT 1"*) ${alive} ;; esac
${body}`,
    );

  it("goes to the client as root by the socket, with a password that is on no command line", async () => {
    await query(database, "SELECT 2");
    assert.equal(
      rig.read("clients"),
      "root's own|--no-defaults --protocol=socket --user=root --default-character-set=utf8mb4 " +
        "--binary-mode --comments --local-infile=0 --batch --skip-column-names\n",
    );
    assert.match(rig.calls, /^exec --interactive database-1 sh -c [\s\S]* sql mariadb 0 8\n$/);
    assert.ok(!rig.calls.includes("root's own"));
  });

  it("arrives as it is, byte for byte, and so does what is answered", async () => {
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code)).replace(/[\n\t\0\\]/g, "");
    assert.deepEqual(await queryBytes(database, all), [[all]]);
    assert.deepEqual(await query(database, "größer\t日本語\n\nNULL"), [["größer", "日本語"], ["NULL"]]);
  });

  it("is answered with the signs that the client has written otherwise", async () => {
    assert.deepEqual(await query(database, "a\\nb\\tc\\0d\\\\n\\x"), [["a\nb\tc\0d\\n\\x"]]);
  });

  it("is an error with what the server said, without signs that a terminal would obey", async () => {
    client("echo 'ERROR 1064: \u001b[31mno, größer' >&2; exit 1");
    await assert.rejects(query(database, "SELECT 2"), (error: CliError) => {
      assert.ok(error instanceof CliError);
      assert.equal(error.what, "the database said: ERROR 1064: \\u{1b}[31mno, größer");
      assert.equal(error.remedy, "./drydock status; ./drydock logs database");
      return true;
    });
  });

  it("goes on after an error where that was asked for, and only there", async () => {
    client('echo one; case "$*" in *--force*) echo two ;; esac; exit 1');
    assert.deepEqual(await query(database, "SELECT 2", { force: true }), [["one"], ["two"]]);
    await assert.rejects(query(database, "SELECT 2"), /the database said/);
  });

  it("waits for a server that starts, as long as it may, and for no other trouble", async () => {
    rig.write("n", "0");
    client(
      "cat",
      `n=$(cat ${rig.folder}/n); echo $((n + 1)) > ${rig.folder}/n
[ "$n" -ge 3 ] || { echo "ERROR 2002 (HY000): no socket" >&2; exit 1; }
exit 0`,
    );
    assert.deepEqual(await query(database, "SELECT 2", { patience: 5 }), [["SELECT 2"]]);
    assert.equal(rig.read("n"), "4\n");
    rig.write("clients", "");
    client("cat", "echo 'ERROR 1045 (28000): Access denied' >&2; exit 1");
    await query(database, "SELECT 2", { patience: 5 });
    assert.equal(rig.read("clients").split("\n").length - 1, 2);
  });

  it("gives up a server that never starts", async () => {
    client("exit 1", "echo 'ERROR 2002 (HY000): no socket' >&2; exit 1");
    await assert.rejects(query(database, "SELECT 2", { patience: 1 }));
    assert.equal(rig.read("clients").split("\n").length - 1, 21);
  });

  it("is not run where it did not arrive in full", async () => {
    const { status, stderr } = spawnSync("docker", await argumentsOf(database), {
      env: { ...database.docker.env, CUT: "20" },
      input: DELETES,
      encoding: "utf8",
    });
    assert.equal(status, 1);
    assert.match(stderr, /the SQL did not arrive/);
    assert.equal(rig.read("clients"), "");
  });
  /** The arguments with which such SQL is run. */
  async function argumentsOf({ container, client }: Database): Promise<string[]> {
    let taken: readonly string[] = [];
    const docker = {
      env: {},
      run: async (args: readonly string[]) => {
        taken = args;
        return { code: 0, stdout: "", stderr: "" };
      },
    };
    await query({ docker, container, client }, DELETES);
    return [...taken];
  }

  it("is loaded by an account of its own, whose password comes first on standard input", async () => {
    client(`cat > ${rig.folder}/loaded`);
    const { input, done } = load(database, { user: "loader", password: "its own" }, "shop");
    input.end("INSERT INTO a VALUES (1);\n");
    await done;
    assert.equal(rig.read("loaded"), "INSERT INTO a VALUES (1);\n");
    assert.equal(
      rig.read("clients"),
      "its own|--no-defaults --protocol=socket --user=loader --default-character-set=utf8mb4 --binary-mode " +
        "--comments --local-infile=0 --max-allowed-packet=1G --database=shop\n",
    );
    assert.match(rig.calls, /^exec --interactive database-1 sh -c [\s\S]* sql mariadb loader shop\n$/);
    assert.ok(!rig.calls.includes("its own"));
  });

  it("is not loaded where there is no client of Docker", async () => {
    const docker = { ...database.docker, env: { PATH: rig.folder.concat("/nowhere") } };
    const { input, done } = load({ ...database, docker }, { user: "loader", password: "its own" }, "shop");
    input.on("error", () => undefined);
    await assert.rejects(done, /spawn docker ENOENT/);
  });

  it("says why it was not loaded", async () => {
    client("echo 'ERROR 1142: denied \u0007' >&2; exit 1");
    const { input, done } = load(database, { user: "loader", password: "its own" }, "shop");
    input.on("error", () => undefined);
    input.end("SELECT 1;\n");
    await assert.rejects(done, /^CliError: the database did not take the backup: ERROR 1142: denied \\u\{7\}$/);
    client("exit 3");
    const second = load(database, { user: "loader", password: "its own" }, "shop");
    second.input.on("error", () => undefined);
    second.input.end();
    await assert.rejects(second.done, /did not take the backup: exit code 3$/);
  });

  it("is asked of the database's container of the stack", () => {
    const { docker } = database;
    const deployed = { outputs: { services: [{ role: "database", container: "db-1" }] } } as never;
    assert.deepEqual(databaseOf({ docker, deployed }, "mysql"), { docker, container: "db-1", client: "mysql" });
  });
});

describe("a value in SQL", () => {
  it("is its bytes, whatever the server's mode is", () => {
    assert.equal(text("it's ü"), "CONVERT(X'697427732 0c3bc' USING utf8mb4)".replace(" ", ""));
  });

  it("is compared to the letter, where the server's own comparison knows no case", () => {
    assert.equal(
      is("table_schema", "Shop"),
      "table_schema = CONVERT(X'53686f70' USING utf8mb4) AND CAST(table_schema AS BINARY) = X'53686f70'",
    );
  });
});

describe("what differs between tables and what they should be", () => {
  /** Answers questions by what they begin with or have in them. */
  const answering = (answers: readonly (readonly [part: string, rows: string])[]): [Database, string[]] => {
    const asked: string[] = [];
    const run: Database["docker"]["run"] = async (_, options = {}) => {
      const sql = (options.input as Buffer).toString("utf8");
      asked.push(sql);
      return { code: 0, stdout: bytes(answers.find(([part]) => sql.includes(part))![1]), stderr: "" };
    };
    return [{ docker: { env: {}, run }, container: "db", client: "mariadb" }, asked];
  };

  it("is nothing where all is equal, each asked in UTC, its history included", async () => {
    const [database, asked] = answering([
      ["information_schema", "a\tBASE TABLE\nold`s\tSYSTEM VERSIONED\nempty\tBASE TABLE\n"],
      ["FROM `shop`.`a`", "2\nshop.a\t77\n"],
      ["FROM `shop`.`old``s`", "1\n88\n"],
      ["FROM `shop`.`empty`", "0\nshop.empty\tNULL\n"],
    ]);
    assert.deepEqual(
      await differences(database, "shop", {
        a: { rows: 2, checksum: "77" },
        "old`s": { rows: 1, checksum: "88", columns: ["id"] },
        empty: { rows: 0, checksum: null },
      }),
      [],
    );
    assert.equal(
      asked[0],
      `SELECT table_name, table_type FROM information_schema.tables WHERE ${is("table_schema", "shop")} AND ` +
        "table_type IN ('BASE TABLE', 'SYSTEM VERSIONED')",
    );
    assert.equal(asked[1], "SET time_zone = '+00:00'; SELECT COUNT(*) FROM `shop`.`a`; CHECKSUM TABLE `shop`.`a`;");
    assert.match(asked[2]!, /FROM `shop`.`old``s` FOR SYSTEM_TIME ALL;$/);
  });

  it("is said table by table: missing, too many, other rows, another sum", async () => {
    const [database] = answering([
      [
        "information_schema",
        "fewer\tBASE TABLE\nother\tBASE TABLE\nmore\\nx\tBASE TABLE\ntoString\tBASE TABLE\nopen\tBASE TABLE\n",
      ],
      ["FROM `shop`.`fewer`", "1\nshop.fewer\t1\n"],
      ["FROM `shop`.`other`", "3\nshop.other\t2\n"],
    ]);
    assert.deepEqual(
      await differences(database, "shop", {
        fewer: { rows: 2, checksum: "1" },
        other: { rows: 3, checksum: "9" },
        "gone\u001b": { rows: 1, checksum: "1" },
        open: { rows: 1, checksum: "1", unproven: "it was written to" },
        away: { rows: 1, checksum: "1", unproven: "it was written to" },
      }),
      [
        "table gone\\u{1b} is missing",
        "table more\\u{a}x was not in the backup",
        "table toString was not in the backup",
        "table fewer has 1 rows instead of 2",
        "table other has the checksum 2 instead of 9",
      ],
    );
  });
});
