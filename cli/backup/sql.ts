import { spawn } from "node:child_process";
import type { TableSums } from "../../backup/protocol.ts";
import { CliError } from "../errors.ts";
import { containerOf, type BackupHost } from "./agent.ts";

/**
 * The database's own client as root, in the database's container: the password stays there. $1 names the client, $2 is for how many seconds a server
 * that is not there yet is waited for; it is asked from inside, because there it costs little.
 */
const SCRIPT = `
MYSQL_PWD=$(cat /run/drydock/root-password); export MYSQL_PWD
client=$1; tries=$(($2 * 20)); shift 2
ask() { "$client" --no-defaults --protocol=socket --user=root --default-character-set=utf8mb4 "$@"; }
while [ "$tries" -gt 0 ]; do
  tries=$((tries - 1))
  said=$(ask --execute "SELECT 1" 2>&1 < /dev/null) && break
  case $said in *"ERROR 2002"*) sleep 0.05 ;; *) break ;; esac
done
ask "$@"`;

export interface Database {
  readonly host: BackupHost;
  readonly container: string;
  readonly client: "mariadb" | "mysql";
}

export function databaseOf(host: BackupHost, engine: "mariadb" | "mysql"): Database {
  return { host, container: containerOf(host.deployed, "database"), client: engine };
}

export const clientArguments = ({ container, client }: Database, args: readonly string[], patience = 0): string[] => ["exec", "--interactive", container, "sh", "-c", SCRIPT, "sql", client, String(patience), ...args];

/**
 * Runs statements and answers the rows, each a list of texts.
 * @param patience for how many seconds a server that is starting is waited for
 * @throws CliError with what the server said
 */
export async function query(database: Database, statements: string, { patience = 0 }: { readonly patience?: number } = {}): Promise<string[][]> {
  const { code, stdout, stderr } = await database.host.docker.run(clientArguments(database, ["--batch", "--skip-column-names"], patience), { input: statements });
  if (code !== 0) throw new CliError({ what: `the database said: ${stderr.trim()}`, remedy: "./drydock status; ./drydock logs database" });
  return stdout.split("\n").filter((line) => line !== "").map((line) => line.split("\t"));
}

/** Starts a client that reads SQL; `done` tells how it ended. */
export function load(database: Database, schema: string): { readonly input: NodeJS.WritableStream & import("node:stream").Writable; readonly done: Promise<void> } {
  const child = spawn("docker", clientArguments(database, ["--binary-mode", "--max-allowed-packet=1G", schema]), { env: database.host.docker.env, stdio: ["pipe", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => { said = (said + chunk.toString()).slice(-4000); });
  const done = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve() : reject(new CliError({ what: `the database did not take the backup: ${said.trim() || `exit code ${code}`}` }))));
  });
  done.catch(() => undefined); // said by whoever waits for it
  return { input: child.stdin, done };
}

export const quoted = (name: string): string => `\`${name.replaceAll("`", "``")}\``;
export const text = (value: string): string => `'${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

/**
 * What differs between the tables of a schema and what they should be, in words; nothing where they are equal.
 * @param by `rows` where the content was compared already, in the same files: the tables are there, can be read and have their rows
 */
export async function differences(database: Database, schema: string, wanted: TableSums, by: "checksums" | "rows" = "checksums"): Promise<string[]> {
  const names = (await query(database, `SELECT table_name FROM information_schema.tables WHERE table_schema = ${text(schema)} AND table_type = 'BASE TABLE'`)).map(([name]) => name!);
  const missing = Object.keys(wanted).filter((name) => !names.includes(name)).map((name) => `table ${name} is missing`);
  const extra = names.filter((name) => wanted[name] === undefined).map((name) => `table ${name} was not in the backup`);
  const wrong: string[] = [];
  for (const name of names.filter((name) => wanted[name] !== undefined)) {
    const at = `${quoted(schema)}.${quoted(name)}`;
    const [count, sum] = await query(database, `SELECT COUNT(*) FROM ${at};${by === "rows" ? "" : ` CHECKSUM TABLE ${at};`}`);
    const { rows, checksum } = wanted[name]!;
    const found = sum?.at(-1) ?? "NULL";
    if (Number(count?.[0]) !== rows) wrong.push(`table ${name} has ${count?.[0]} rows instead of ${rows}`);
    else if (by === "checksums" && found !== (checksum ?? "NULL")) wrong.push(`table ${name} has the checksum ${found} instead of ${checksum}`);
  }
  return [...missing, ...extra, ...wrong];
}
