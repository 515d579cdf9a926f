import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Connection } from "mysql2/promise";
import type { Configuration } from "../../contracts/agent.ts";
import { databaseAccount, readConfiguration } from "../shared/configuration.ts";
import { refused } from "../shared/errors.ts";
import { execute } from "../shared/process.ts";
import { rowsOf, versionOf } from "./connection.ts";

/**
 * How a database's own tools are called. What MySQL has written is read by MySQL alone: MariaDB sums a row with a NULL
 * otherwise, and understands neither all of its SQL nor all of its log.
 */
export interface Tools {
  readonly client: string;
  /** SQL of one schema, of one moment, with all that belongs to it. */
  readonly dump: readonly string[];
  /** Has the dump begin with its place in the log, as a comment. */
  readonly dumpPosition: string;
  readonly binlog: string;
  /** The option of `binlog` that names who follows. */
  readonly binlogServerId: string;
  /** What a replay needs besides: the throwaway server counts transactions in its own way, or not at all. */
  readonly replay: readonly string[];
  /** A server whose data nobody needs when the machine stops. */
  readonly server: readonly string[];
  /** Makes an empty server's data. */
  readonly install: (data: string) => readonly [string, ...string[]];
}

const DUMP = [
  "--single-transaction",
  "--quick",
  "--routines",
  "--triggers",
  "--events",
  "--hex-blob",
  "--no-tablespaces",
  "--default-character-set=utf8mb4",
  "--max-allowed-packet=1G",
];
const SERVER = [
  "--skip-networking",
  "--skip-log-bin",
  "--skip-name-resolve",
  "--event-scheduler=OFF",
  "--innodb-buffer-pool-size=128M",
  "--innodb-flush-log-at-trx-commit=0",
  "--innodb-fast-shutdown=1",
  "--max-allowed-packet=1G",
];

const TOOLS: Readonly<Record<Configuration["engine"], Tools>> = {
  mariadb: {
    client: "mariadb",
    dump: ["mariadb-dump", ...DUMP],
    dumpPosition: "--master-data=2",
    binlog: "mariadb-binlog",
    binlogServerId: "--stop-never-slave-server-id",
    replay: [],
    // What was unpacked just now is read from memory, not back from the disk.
    server: ["mariadbd", ...SERVER, "--innodb-data-file-buffering=ON"],
    install: (data) => [
      "mariadb-install-db",
      "--no-defaults",
      `--datadir=${data}`,
      "--auth-root-authentication-method=normal",
      "--skip-test-db",
      "--innodb-log-file-size=16M",
      "--skip-log-bin",
    ],
  },
  mysql: {
    client: "mysql",
    dump: ["mysqldump", ...DUMP, "--set-gtid-purged=OFF"],
    dumpPosition: "--source-data=2",
    binlog: "mysqlbinlog",
    binlogServerId: "--connection-server-id",
    replay: ["--skip-gtids"],
    server: [
      "mysqld",
      ...SERVER,
      "--performance-schema=OFF",
      "--mysqlx=OFF",
      "--secure-file-priv=NULL",
      "--innodb-redo-log-capacity=64M",
    ],
    install: (data) => [
      "mysqld",
      "--no-defaults",
      "--initialize-insecure",
      `--datadir=${data}`,
      "--secure-file-priv=NULL",
      "--innodb-redo-log-capacity=16M",
    ],
  },
};

/**
 * How the tools reach the server: with TLS where it has TLS. MariaDB proves itself by the account's password from 11.4
 * on; an earlier one can't, so nobody is asked for a certificate that no authority has signed. MySQL's tools choose by
 * themselves.
 */
export async function tlsOptions(connection: Connection): Promise<readonly string[]> {
  const { engine, external } = readConfiguration();
  if (engine === "mysql") return [];
  // Its option file says how its certificate is checked, if it is to be.
  if (external === true) return databaseAccount().ssl === undefined ? ["--skip-ssl"] : [];
  const [row] = await rowsOf(connection, "SHOW GLOBAL VARIABLES LIKE 'have_ssl'");
  return tlsOptionsFor(String(row?.["Value"] ?? "NO"), await versionOf(connection));
}

export function tlsOptionsFor(haveSsl: string, server: string): readonly string[] {
  if (haveSsl !== "YES") return ["--skip-ssl"];
  const [major, minor] = seriesOf(server);
  return major > 11 || (major === 11 && minor >= 4) ? [] : ["--ssl", "--skip-ssl-verify-server-cert"];
}

/** The version that the agent's image copies and prepares a server's files with, such as 11.8.9. */
export async function toolsVersion(): Promise<string> {
  let said = "";
  // It says so on standard error.
  const printed = await execute("mariadb-backup", ["--version"], {
    onEnd: (_, errors) => {
      said = errors;
    },
  });
  return /(\d+\.\d+\.\d+)/.exec(`${printed} ${said}`)?.[1] ?? "0.0.0";
}

/** Whether both are of one series, such as 11.8. */
export const fits = (tools: string, server: string): boolean => seriesOf(tools).join() === seriesOf(server).join();

function seriesOf(version: string): readonly [number, number] {
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  return [Number(major), Number(minor)];
}

/** Those of the stack's database. */
export const tools = (): Tools => TOOLS[readConfiguration().engine];

/** @throws AgentError where the image has the tools of another server */
export function requireTools(
  { dump: [program] }: Pick<Tools, "dump"> = tools(),
  path = process.env["PATH"] ?? "",
): void {
  if (path.split(delimiter).some((folder) => existsSync(join(folder, program!)))) return;
  throw refused(
    `the agent's image has no ${program}`,
    "drydock:backup.image has to hold the tools of drydock:database.engine; see MySQL in docs/backups.md",
  );
}
