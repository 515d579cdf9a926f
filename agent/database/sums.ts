import type { Connection } from "mysql2/promise";
import type { BinlogPosition, SequenceRange, TableSum, TableSums } from "../../contracts/entry.ts";
import { defined } from "../../lib/defined.ts";
import { checksumQuestion, IN_UTC } from "../../lib/sql/checksum.ts";
import { quoted } from "../../lib/sql/quoting.ts";
import { messageOf } from "../shared/errors.ts";
import { beginSnapshot, rowsOf } from "./connection.ts";

/** What a schema holds, by which a restored one is compared with it. */
export interface Summed {
  /** Of each table; one that can't be proven says why. */
  readonly sums: TableSums;
  /** Between which two values the next one of a sequence was, while the sums were taken. */
  readonly sequences: Readonly<Record<string, SequenceRange>>;
  /** As in an entry. */
  readonly objects: readonly string[];
  readonly migrations: readonly string[];
  /** Tables whose rows are in memory alone: nothing of them is in a server's files. */
  readonly inMemory: readonly string[];
  /** Tables with a history of their own. */
  readonly versioned: readonly string[];
  /** Kinds of objects that the server can't list, and why. */
  readonly unlisted: readonly string[];
  /** Where in the log the snapshot stands. */
  readonly position: BinlogPosition | undefined;
}

export interface SumsOptions {
  readonly onBegin?: (position: BinlogPosition | undefined) => void;
  readonly onTable?: (done: number, total: number) => void;
}

interface Table {
  readonly name: string;
  readonly type: string;
  readonly engine: string;
  /** Where it has virtual columns: the others. */
  readonly stored?: readonly string[];
}

/** Their rows are somewhere else, or are made up when they are asked for. */
const ELSEWHERE = new Set(["FEDERATED", "CONNECT", "SPIDER", "S3", "OQGRAPH", "SPHINX"]);

const OBJECTS: Readonly<Record<string, string>> = {
  views: "SELECT 'view' AS kind, table_name AS name FROM information_schema.views WHERE table_schema = ?",
  triggers: "SELECT 'trigger' AS kind, trigger_name AS name FROM information_schema.triggers WHERE trigger_schema = ?",
  routines:
    "SELECT LOWER(routine_type) AS kind, routine_name AS name FROM information_schema.routines WHERE " +
    "routine_schema = ?",
  events: "SELECT 'event' AS kind, event_name AS name FROM information_schema.events WHERE event_schema = ?",
};

/**
 * Rows and checksum of every table, all of one moment, and what else there is: nobody who writes waits, and nothing
 * that is written meanwhile counts. Engines without transactions know no such moment: their tables are read before and
 * after it, and are proven where that is the same. What can't be read is named, and is no reason not to have the rest.
 */
export async function sumsOf(
  connection: Connection,
  schema: string,
  { onBegin, onTable }: SumsOptions = {},
): Promise<Summed> {
  await connection.query(IN_UTC);
  const transactional = await enginesWithTransactions(connection);
  const before = await tablesOf(connection, schema);
  const settled = new Map<string, TableSum>();
  for (const table of before) {
    if (table.type !== "SEQUENCE" && !transactional.has(table.engine))
      settled.set(table.name, await sumOf(connection, schema, table));
  }
  const first = await valuesOf(connection, schema, before);
  await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  const position = await beginSnapshot(connection);
  onBegin?.(position);
  const all = await tablesOf(connection, schema);
  const tables = all.filter(({ type }) => type !== "SEQUENCE");
  const { objects, unlisted } = await objectsOf(connection, schema);
  const sums: [string, TableSum][] = [];
  for (const [index, table] of tables.entries()) {
    const { name, engine } = table;
    const sum = await sumOf(connection, schema, table);
    sums.push([name, transactional.has(engine) ? sum : ifSettled(sum, settled.get(name), engine)]);
    onTable?.(index + 1, tables.length);
  }
  const last = await valuesOf(connection, schema, all);
  const migrations = tables.some(({ name }) => name === "migrations") ? await migrationsOf(connection, schema) : [];
  await connection.query("COMMIT");
  return {
    sums: Object.fromEntries(sums),
    objects,
    migrations,
    unlisted,
    position,
    sequences: Object.fromEntries([...last].map(([name, value]) => [name, [first.get(name) ?? value, value] as const])),
    inMemory: tables.filter(({ engine }) => engine === "MEMORY").map(({ name }) => name),
    versioned: tables.filter(({ type }) => type === "SYSTEM VERSIONED").map(({ name }) => name),
  };
}

/** The tables of which no one moment can be read while somebody writes. */
export async function withoutTransactions(connection: Connection, schema: string): Promise<readonly string[]> {
  const transactional = await enginesWithTransactions(connection);
  const tables = (await tablesOf(connection, schema)).filter(({ type }) => type !== "SEQUENCE");
  // What is in memory alone is in a dump, and in no copy of the server's files.
  return tables.filter(({ engine }) => !transactional.has(engine) && engine !== "MEMORY").map(({ name }) => name);
}

/**
 * Why the server's files can't be copied, in words; undefined where they can. mariadb-backup pastes the names of tables
 * without transactions into SQL as they are, whatever schema they are in: one with a backtick ends each copy.
 */
export async function uncopied(connection: Connection): Promise<string | undefined> {
  const [found] = await rowsOf(
    connection,
    `SELECT table_schema AS at, table_name AS name FROM information_schema.tables WHERE (table_name LIKE '%\`%' OR
      table_schema LIKE '%\`%')
     AND table_type <> 'VIEW' AND engine NOT IN (SELECT engine FROM information_schema.engines WHERE transactions =
       'YES') LIMIT 1`,
  );
  return found === undefined
    ? undefined
    : `mariadb-backup can't lock the table ${String(found["name"])} of ${String(found["at"])}, ` +
        "for there is a backtick in its name";
}

async function enginesWithTransactions(connection: Connection): Promise<ReadonlySet<string>> {
  const rows = await rowsOf(
    connection,
    "SELECT engine AS name FROM information_schema.engines WHERE transactions = 'YES'",
  );
  return new Set(rows.map(({ name }) => String(name)));
}

async function tablesOf(connection: Connection, schema: string): Promise<readonly Table[]> {
  const rows = await rowsOf(
    connection,
    `SELECT table_name AS name, table_type AS type, COALESCE(engine, '') AS engine FROM information_schema.tables
     WHERE table_schema = ? AND table_type IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE') ORDER BY 1`,
    [schema],
  );
  const stored = await storedColumns(connection, schema);
  return rows.map(({ name, type, engine }) => {
    const columns = stored.get(String(name));
    return { name: String(name), type: String(type), engine: String(engine), ...defined({ stored: columns }) };
  });
}

/** Of the tables with virtual columns, the others. */
async function storedColumns(connection: Connection, schema: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await rowsOf(
    connection,
    `SELECT table_name AS name, column_name AS col, extra LIKE '%VIRTUAL%' AS made FROM information_schema.columns
     WHERE table_schema = ? ORDER BY table_name, ordinal_position`,
    [schema],
  );
  const virtual = new Set(rows.filter(({ made }) => Number(made) === 1).map(({ name }) => String(name)));
  const stored = new Map([...virtual].map((name): [string, string[]] => [name, []]));
  for (const { name, col, made } of rows) if (Number(made) !== 1) stored.get(String(name))?.push(String(col));
  return stored;
}

/** One that can't be read has its reason. @throws what was lost with the connection, or dropped or changed meanwhile */
async function sumOf(connection: Connection, schema: string, { name, type, engine, stored }: Table): Promise<TableSum> {
  if (ELSEWHERE.has(engine))
    return { rows: 0, checksum: null, unproven: `its rows are not in this server (${engine})` };
  const at = `${quoted(schema)}.${quoted(name)}`;
  // The savepoint gives the table's metadata lock back, so that a migration need not wait for all tables.
  await connection.query("SAVEPOINT one");
  try {
    const [count] = await rowsOf(connection, `SELECT COUNT(*) AS n FROM ${at}`);
    const [sum] = await rowsOf(connection, checksumQuestion(at, stored, type === "SYSTEM VERSIONED"));
    const checksum = sum?.["Checksum"] ?? null;
    return {
      rows: Number(count?.["n"]),
      checksum: checksum === null ? null : String(checksum),
      ...(stored === undefined ? {} : { columns: [...stored] }),
    };
  } catch (error) {
    if (!isItsOwn(error)) throw error;
    return { rows: 0, checksum: null, unproven: `it can't be read: ${messageOf(error)}` };
  } finally {
    await connection.query("ROLLBACK TO SAVEPOINT one").catch(() => undefined);
  }
}

/** Whether what went wrong is the table's own fault, and will be the same next time. */
export function isItsOwn(error: unknown): boolean {
  const { errno, fatal } = error as { errno?: number; fatal?: boolean };
  // Gone or changed since it was listed, locked for too long, or the connection was ended: another try can help.
  return errno !== undefined && fatal !== true && ![1146, 1412, 1205, 1213, 1317, 1927, 3024].includes(errno);
}

/** What is the same before and after a moment was the same at it. */
function ifSettled(sum: TableSum, before: TableSum | undefined, engine: string): TableSum {
  if (sum.unproven !== undefined || (before?.rows === sum.rows && before.checksum === sum.checksum)) return sum;
  return { ...sum, unproven: `it was written to while it was read, and ${engine} has no transactions` };
}

async function valuesOf(
  connection: Connection,
  schema: string,
  tables: readonly Table[],
): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  for (const { name, type } of tables) {
    if (type !== "SEQUENCE") continue;
    const [row] = await rowsOf(
      connection,
      `SELECT next_not_cached_value AS next FROM ${quoted(schema)}.${quoted(name)}`,
    );
    values.set(name, String(row?.["next"]));
  }
  return values;
}

/** A table of that name that is not Laravel's says nothing of migrations. */
async function migrationsOf(connection: Connection, schema: string): Promise<readonly string[]> {
  try {
    const rows = await rowsOf(connection, `SELECT migration FROM ${quoted(schema)}.migrations ORDER BY id`);
    return rows.map(({ migration }) => String(migration));
  } catch (error) {
    if (!isItsOwn(error)) throw error;
    return [];
  }
}

async function objectsOf(connection: Connection, schema: string): Promise<Pick<Summed, "objects" | "unlisted">> {
  const objects: string[] = [];
  const unlisted: string[] = [];
  for (const [kind, statement] of Object.entries(OBJECTS)) {
    try {
      objects.push(
        ...(await rowsOf(connection, statement, [schema])).map(({ kind, name }) => `${String(kind)} ${String(name)}`),
      );
    } catch (error) {
      if (!isItsOwn(error)) throw error;
      unlisted.push(`${kind} can't be listed: ${messageOf(error)}`);
    }
  }
  return { objects: objects.sort(), unlisted };
}
