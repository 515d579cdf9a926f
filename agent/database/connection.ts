import { setTimeout } from "node:timers/promises";
import { type Connection, createConnection, type RowDataPacket } from "mysql2/promise";
import type { BinlogPosition } from "../../contracts/entry.ts";
import { databaseAccount, readConfiguration } from "../shared/configuration.ts";
import { AgentError, messageOf } from "../shared/errors.ts";
import { isTransient } from "../shared/transience.ts";

/** Does `work` with a connection of the agent's own account. */
export async function withDatabase<T>(
  work: (connection: Connection) => Promise<T>,
  options: { socketPath?: string; user?: string; password?: string } = {},
): Promise<T> {
  let connection: Connection | undefined;
  try {
    const account = options.socketPath === undefined ? databaseAccount() : options;
    connection = await createConnection({
      ...account,
      connectTimeout: 10_000,
      supportBigNumbers: true,
      bigNumberStrings: true,
      dateStrings: true,
    });
    return await work(connection);
  } catch (error) {
    if (error instanceof AgentError) throw error;
    const code = (error as { code?: string }).code ?? "";
    throw new AgentError(`the database: ${messageOf(error)}`, {
      transient:
        isTransient({ text: messageOf(error) }) ||
        /ECONN|PROTOCOL_CONNECTION_LOST|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|DEF_CHANGED/.test(code),
      cause: error,
    });
  } finally {
    // A connection that is only cut is a warning in the server's log, every few seconds.
    if (connection !== undefined) await Promise.race([connection.end(), setTimeout(1_000, undefined, { ref: false })]);
    connection?.destroy();
  }
}

export async function rowsOf(
  connection: Connection,
  sql: string,
  values: unknown[] = [],
): Promise<Record<string, string | number | null>[]> {
  const [rows] = await connection.query<RowDataPacket[]>(sql, values);
  return rows as Record<string, string | number | null>[];
}

/** Where the server writes its log; undefined where it writes none. */
export async function logPosition(connection: Connection): Promise<BinlogPosition | undefined> {
  // MySQL 8.4 knows only the second.
  for (const statement of ["SHOW MASTER STATUS", "SHOW BINARY LOG STATUS"]) {
    try {
      const [row] = await rowsOf(connection, statement);
      return row === undefined ? undefined : { file: String(row["File"]), position: Number(row["Position"]) };
    } catch (error) {
      if ((error as { errno?: number }).errno !== 1064) throw error;
    }
  }
  return undefined;
}

export async function versionOf(connection: Connection): Promise<string> {
  return String((await rowsOf(connection, "SELECT VERSION() AS version"))[0]?.["version"]);
}

export async function sizeOf(connection: Connection, schema: string): Promise<number> {
  const [row] = await rowsOf(
    connection,
    "SELECT COALESCE(SUM(data_length + index_length), 0) AS bytes FROM information_schema.tables WHERE " +
      "table_schema = ?",
    [schema],
  );
  return Number(row?.["bytes"] ?? 0);
}

/**
 * MariaDB knows where in the log its snapshot stands. MySQL is asked for it while nobody can write, as its own dump
 * does it: for a moment, and not at all where somebody writes for long.
 */
export async function beginSnapshot(connection: Connection): Promise<BinlogPosition | undefined> {
  const begin = "START TRANSACTION WITH CONSISTENT SNAPSHOT";
  if (readConfiguration().external === true) return void (await connection.query(begin));
  if (readConfiguration().engine === "mysql") {
    await connection.query("SET SESSION lock_wait_timeout = 5");
    await connection.query("FLUSH TABLES WITH READ LOCK");
    await connection.query(begin);
    const position = await logPosition(connection);
    await connection.query("UNLOCK TABLES");
    return position;
  }
  await connection.query(begin);
  const status = Object.fromEntries(
    (await rowsOf(connection, "SHOW STATUS LIKE 'binlog_snapshot_%'")).map((row) => [
      String(row["Variable_name"]).toLowerCase(),
      row["Value"],
    ]),
  );
  const file = status["binlog_snapshot_file"];
  return file === undefined || file === ""
    ? undefined
    : { file: String(file), position: Number(status["binlog_snapshot_position"]) };
}
