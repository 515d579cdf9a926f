import { spawn } from "node:child_process";
import type { TableSums } from "../../contracts/entry.ts";
import { checksumQuestion, IN_UTC } from "../../lib/sql/checksum.ts";
import { quoted } from "../../lib/sql/quoting.ts";
import type { Docker } from "../shared/docker.ts";
import { CliError } from "../shared/errors.ts";
import { type BackupHost, containerOf } from "./agent.ts";
import { shown, shownName } from "./shown.ts";

/**
 * The database's own client as root, in the database's container: the password stays there. $1 names the client, $2 is
 * for how many seconds a server that is not there yet is waited for; it is asked from inside, because there it costs
 * little. $3 is the number of bytes of the SQL: whoever sends it may be killed in the midst of a statement, and what
 * has arrived of it must not run.
 */
const SCRIPT = `
umask 077
MYSQL_PWD=$(cat /run/drydock/root-password); export MYSQL_PWD
client=$1; tries=$(($2 * 20)); bytes=$3; shift 3
ask() { "$client" --no-defaults --protocol=socket --user=root --default-character-set=utf8mb4 "$@"; }
file=$(mktemp); trap 'rm -f "$file"' EXIT
cat > "$file"
[ "$(wc -c < "$file")" -eq "$bytes" ] || { echo "the SQL did not arrive" >&2; exit 1; }
while [ "$tries" -gt 0 ]; do
  tries=$((tries - 1))
  said=$(ask --execute "SELECT 1" 2>&1 < /dev/null) && break
  case $said in *"ERROR 2002"*) sleep 0.05 ;; *) break ;; esac
done
trap '' HUP PIPE
ask --binary-mode --comments --local-infile=0 --batch --skip-column-names "$@" < "$file"`;

/**
 * Reads the password of an account from the first line, and SQL from the rest. $1 names the client, $2 the account, $3
 * the schema. A dump from elsewhere can ask the client for files of its container, where root's password is one: it
 * gives none.
 */
const LOAD = `
read -r MYSQL_PWD; export MYSQL_PWD
exec "$1" --no-defaults --protocol=socket --user="$2" --default-character-set=utf8mb4 --binary-mode --comments \\
  --local-infile=0 --max-allowed-packet=1G --database="$3"`;

export interface Database {
  readonly docker: Docker;
  readonly container: string;
  readonly client: "mariadb" | "mysql";
}

export function databaseOf(
  { docker, deployed }: Pick<BackupHost, "docker" | "deployed">,
  engine: Database["client"],
): Database {
  return { docker, container: containerOf(deployed, "database"), client: engine };
}

export interface QueryOptions {
  /** For how many seconds a server that is starting is waited for. @default 0 */
  readonly patience?: number;
  /** Goes on after a statement that fails. @default false */
  readonly force?: boolean;
}

/**
 * Runs statements and answers the rows, each a list of fields: the bytes, one a character ("latin1"), so that nothing
 * is lost whatever they are. NULL is the text `NULL`.
 * @param statements bytes, one a character
 * @throws CliError with what the server said
 */
export async function queryBytes(
  { docker, container, client }: Database,
  statements: string,
  { patience = 0, force = false }: QueryOptions = {},
): Promise<string[][]> {
  const input = Buffer.from(statements, "latin1");
  const args = [
    "exec",
    "--interactive",
    container,
    "sh",
    "-c",
    SCRIPT,
    "sql",
    client,
    String(patience),
    String(input.length),
    ...(force ? ["--force"] : []),
  ];
  const { code, stdout, stderr } = await docker.run(args, { input, encoding: "latin1" });
  if (code !== 0 && !force)
    throw new CliError({
      what: `the database said: ${shown(utf8(stderr).trim())}`,
      remedy: "./drydock status; ./drydock logs database",
    });
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t").map(unescaped));
}

/** The same with texts. */
export async function query(database: Database, statements: string, options: QueryOptions = {}): Promise<string[][]> {
  return (await queryBytes(database, bytes(statements), options)).map((row) => row.map(utf8));
}

/** What the client writes for the signs that would break its lines. */
const unescaped = (field: string): string =>
  field.replace(/\\([0nt\\])/g, (_, sign: string) => ({ 0: "\0", n: "\n", t: "\t", "\\": "\\" })[sign]!);

/** A text as its bytes, one a character; and back. */
export const bytes = (value: string): string => Buffer.from(value, "utf8").toString("latin1");
export const utf8 = (value: string): string => Buffer.from(value, "latin1").toString("utf8");

export interface Account {
  readonly user: string;
  readonly password: string;
}

/** Starts a client that reads SQL, with an account of its own; `done` tells how it ended. */
export function load(
  { docker, container, client }: Database,
  { user, password }: Account,
  schema: string,
): { readonly input: import("node:stream").Writable; readonly done: Promise<void> } {
  const child = spawn("docker", ["exec", "--interactive", container, "sh", "-c", LOAD, "sql", client, user, schema], {
    env: docker.env,
    stdio: ["pipe", "ignore", "pipe"],
  });
  let said = "";
  child.stdin.write(`${password}\n`);
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  });
  const done = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0
        ? resolve()
        : reject(
            new CliError({
              what: `the database did not take the backup: ${shown(said.trim()) || `exit code ${code}`}`,
            }),
          ),
    );
  });
  done.catch(() => undefined); // said by whoever waits for it
  return { input: child.stdin, done };
}

export { quoted };
/** A text in SQL, whatever its signs and the server's mode are. */
export const text = (value: string): string =>
  `CONVERT(X'${Buffer.from(value, "utf8").toString("hex")}' USING utf8mb4)`;
/** Compares a name exactly: the server's own comparison takes `shop` and `Shop` for the same. */
export const is = (column: string, name: string): string =>
  `${column} = ${text(name)} AND CAST(${column} AS BINARY) = X'${Buffer.from(name, "utf8").toString("hex")}'`;

/** Tables that hold rows, as information_schema names their kinds. */
export const TABLES = ["BASE TABLE", "SYSTEM VERSIONED"] as const;

/**
 * What differs between the tables of a schema and what they should be, in words; nothing where they are equal.
 * @param wanted by the table's name
 */
export async function differences(database: Database, schema: string, wanted: TableSums): Promise<string[]> {
  const kinds = TABLES.map((kind) => `'${kind}'`).join(", ");
  const tables = new Map(
    (
      await query(
        database,
        `SELECT table_name, table_type FROM information_schema.tables WHERE ${is("table_schema", schema)} AND ` +
          `table_type IN (${kinds})`,
      )
    ).map(([name, type]) => [name!, type!]),
  );
  const names = [...tables.keys()];
  // What could not be proven has nothing to be compared with, and may not be in a dump.
  const proven = Object.keys(wanted).filter((name) => wanted[name]!.unproven === undefined);
  const missing = proven.filter((name) => !names.includes(name)).map((name) => `table ${shownName(name)} is missing`);
  const extra = names
    .filter((name) => !Object.hasOwn(wanted, name))
    .map((name) => `table ${shownName(name)} was not in the backup`);
  const wrong: string[] = [];
  for (const name of names.filter((name) => proven.includes(name))) {
    const at = `${quoted(schema)}.${quoted(name)}`;
    const { rows, checksum, columns } = wanted[name]!;
    const question = checksumQuestion(at, columns, tables.get(name) === "SYSTEM VERSIONED");
    const [count, sum] = await query(database, `${IN_UTC}; SELECT COUNT(*) FROM ${at}; ${question};`);
    const found = sum?.at(-1) ?? "NULL";
    if (Number(count?.[0]) !== rows) wrong.push(`table ${shownName(name)} has ${count?.[0]} rows instead of ${rows}`);
    else if (found !== (checksum ?? "NULL"))
      wrong.push(`table ${shownName(name)} has the checksum ${found} instead of ${checksum}`);
  }
  return [...missing, ...extra, ...wrong];
}
