import { quoted } from "./quoting.ts";

/**
 * The question for a table's checksum, in a column `Checksum`. CHECKSUM TABLE takes for a virtual column whatever the
 * memory of the row has there, which is mostly the same and at times is not. So of a table that has one, the sum of its
 * other columns is taken, row by row.
 * @param at the table, quoted
 * @param columns those that are stored; all of the table without them
 */
export function checksumQuestion(at: string, columns: readonly string[] | undefined, versioned = false): string {
  if (columns === undefined) return `CHECKSUM TABLE ${at}`;
  const parts = columns.map((column) => `COALESCE(MD5(CAST(${quoted(column)} AS BINARY)), '-')`);
  return (
    `SELECT COALESCE(SUM(CRC32(CONCAT_WS('|', ${parts.join(", ")}))), 0) ` +
    `AS Checksum FROM ${at}${versioned ? " FOR SYSTEM_TIME ALL" : ""}`
  );
}

/** TIMESTAMP is shown in the session's time zone. */
export const IN_UTC = "SET time_zone = '+00:00'";
