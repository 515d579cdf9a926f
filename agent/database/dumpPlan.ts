import type { Connection } from "mysql2/promise";
import { quoted } from "../../lib/sql/quoting.ts";
import { shown } from "../files/names.ts";
import { messageOf } from "../shared/errors.ts";
import { rowsOf, versionOf } from "./connection.ts";
import { isItsOwn } from "./sums.ts";

/** What of a schema can be dumped, and how. */
export interface DumpPlan {
  /** For the dump tool, beside its usual ones. */
  readonly options: readonly string[];
  /** What the dump leaves out: "view NAME", "table NAME". */
  readonly excluded: readonly string[];
  /** The same with the reasons, in words. */
  readonly missing: readonly string[];
}

/**
 * The dump tool stops at the first thing that it can't read: a view whose table has lost a column, a table whose file
 * is damaged, routines in system tables of an earlier version. So each is asked for before, and what doesn't answer is
 * left out.
 * @param target the version of the server that takes the dump. @default the same
 */
export async function planDump(connection: Connection, schema: string, target?: string): Promise<DumpPlan> {
  const options: string[] = [];
  const excluded: string[] = [];
  const missing: string[] = [];
  const named = await rowsOf(
    connection,
    "SELECT table_name AS name, table_type AS type FROM information_schema.tables WHERE table_schema = ?",
    [schema],
  );
  for (const { name, type } of named) {
    const at = `${quoted(schema)}.${quoted(String(name))}`;
    const [kind, question] =
      type === "VIEW" ? ["view", `SHOW FIELDS FROM ${at}`] : ["table", `SELECT 1 FROM ${at} LIMIT 0`];
    const reason = await refusal(connection, question);
    if (reason === undefined) continue;
    options.push(`--ignore-table=${schema}.${String(name)}`);
    excluded.push(`${kind} ${String(name)}`);
    missing.push(`${kind} ${String(name)} can't be dumped: ${reason}`);
  }
  for (const [what, question] of [
    ["routines", "SHOW PROCEDURE STATUS LIKE ''"],
    ["events", `SHOW EVENTS FROM ${quoted(schema)}`],
  ] as const) {
    const reason = await refusal(connection, question);
    if (reason === undefined) continue;
    options.push(`--skip-${what}`);
    missing.push(`${what} can't be dumped: ${reason}`);
  }
  if (keepsHistory(target ?? (await versionOf(connection)))) options.push("--dump-history");
  return { options, excluded, missing: missing.map(shown) };
}

/** Why a statement fails each time; undefined where it works. @throws where another try can help */
async function refusal(connection: Connection, statement: string): Promise<string | undefined> {
  try {
    await connection.query(statement);
    return undefined;
  } catch (error) {
    if (!isItsOwn(error)) throw error;
    return messageOf(error);
  }
}

/**
 * Whether a dump of the server has the rows of the past of a system-versioned table: MariaDB from 11.5 on. An earlier
 * one says otherwise what is not over (in 2038, not in 2106), so that the agent's server, and those of later versions,
 * would take each row for one of the past.
 */
export function keepsHistory(version: string): boolean {
  const [, major = "0", minor = "0"] = /^(\d+)\.(\d+)\..*mariadb/i.exec(version) ?? [];
  return Number(major) > 11 || (major === "11" && Number(minor) >= 5);
}

const DEFINERS = `SELECT DISTINCT definer FROM information_schema.views WHERE table_schema = ?
  UNION SELECT DISTINCT definer FROM information_schema.triggers WHERE trigger_schema = ?
  UNION SELECT DISTINCT definer FROM information_schema.routines WHERE routine_schema = ?
  UNION SELECT DISTINCT definer FROM information_schema.events WHERE event_schema = ?`;

export interface Definers {
  /** user@host, as the server writes it. */
  readonly named: readonly string[];
  /** Those that are no accounts. */
  readonly absent: readonly string[];
}

/** The accounts that views, triggers, routines and events of a schema run as. */
export async function definersOf(connection: Connection, schema: string): Promise<Definers> {
  const rows = await rowsOf(connection, DEFINERS, [schema, schema, schema, schema]);
  const named = rows
    .flatMap((row) => Object.values(row))
    .map(String)
    .filter((definer) => definer.includes("@"))
    .sort();
  const accounts = new Set(
    (await rowsOf(connection, "SELECT CONCAT(user, '@', host) AS account FROM mysql.user")).map(({ account }) =>
      String(account),
    ),
  );
  return { named, absent: named.filter((definer) => !accounts.has(definer)) };
}

/**
 * Makes the accounts that a schema's objects name, locked, in a server that is thrown away: without them a server says
 * of a view's columns in which schema they are, and what it then dumps can be loaded into that schema alone.
 */
export async function makeDefiners(connection: Connection, schema: string): Promise<void> {
  const { absent } = await definersOf(connection, schema);
  for (const definer of absent) {
    // A host has no @; a user may.
    const at = definer.lastIndexOf("@");
    const account = [definer.slice(0, at), definer.slice(at + 1)];
    await connection.query("CREATE USER IF NOT EXISTS ?@? ACCOUNT LOCK", account);
    await connection.query(
      `GRANT ALL ON ${quoted(schema).replaceAll("_", "\\_").replaceAll("%", "\\%")}.* TO ?@?`,
      account,
    );
  }
}
