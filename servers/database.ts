import { databaseWords } from "../config/serverOptions.ts";
import type { Settings } from "../config/settings.ts";
import { BESIDE } from "../contracts/agent.ts";

/** Who uses the database, and which schema of it. */
export interface DatabaseAccount {
  readonly schema: string;
  readonly user: string;
  readonly password: string;
}

/** The words of the server's command line. */
export function databaseCommand(
  database: Pick<Settings["database"], "engine" | "bufferPool" | "binlogDays" | "options">,
): string[] {
  return [
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_unicode_ci",
    `--innodb-buffer-pool-size=${database.bufferPool}M`,
    "--innodb-flush-log-at-trx-commit=1",
    "--log-bin=binlog",
    "--server-id=1",
    "--binlog-format=ROW",
    `--binlog-expire-logs-seconds=${database.binlogDays * 86_400}`,
    "--sync-binlog=1",
    // Otherwise no migration can make a trigger or a function: the application has no SUPER. What it guards against
    // cannot happen where the log holds rows. (loose: MySQL has deprecated it.)
    "--loose-log-bin-trust-function-creators=1",
    // MariaDB's default is off, and then an event is made without a word and never runs.
    "--event-scheduler=ON",
    "--skip-name-resolve",
    // What restores put beside the server's files is no schema.
    ...(database.engine === "mariadb" ? [`--ignore-db-dirs=${BESIDE}`] : []),
    // The last one of a name counts.
    ...databaseWords(database.options),
  ];
}

/**
 * The option file of a client; it holds the password.
 *
 * @param where the server. @default in the client's own container
 * @param more further lines, such as how the server's certificate is checked
 */
export function clientOptions(
  { user, password }: Pick<DatabaseAccount, "user" | "password">,
  where: { readonly host: string; readonly port: number } = { host: "127.0.0.1", port: 3306 },
  more: readonly string[] = [],
): string {
  const quoted = password.replace(/[\\"]/g, "\\$&");
  return [
    "[client]",
    `host=${where.host}`,
    `port=${where.port}`,
    `user="${user}"`,
    `password="${quoted}"`,
    ...more,
    "",
  ].join("\n");
}

/**
 * A shell's line that asks the server as the application does. One that knows another password by now is no less alive:
 * ERROR 1045 is its answer.
 *
 * @param options path of the client's option file
 */
export function databaseAnswers(engine: Settings["database"]["engine"], options: string, schema: string): string {
  const client = engine === "mysql" ? "mysql" : "mariadb";
  return (
    `said=$(${client} --defaults-file=${options} -e "SELECT 1" ${schema} 2>&1) || case $said in *"ERROR 1045"*) ;; ` +
    '*) echo "$said"; exit 1 ;; esac'
  );
}
