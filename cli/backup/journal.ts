import { defined } from "../../lib/defined.ts";
import type { Schema } from "./objects.ts";
import { bytes, type Database, query, queryBytes } from "./sql.ts";

/**
 * What a swap of two schemas is about to do, in the server that it is done in: there it survives what the data
 * survives, and goes where the data goes. A swap that was cut off is finished or taken back from it, by whoever comes
 * next.
 */
export interface Plan {
  readonly version: 1;
  readonly backup: string;
  readonly began: string;
  readonly live: Schema;
  readonly restored: Schema;
  /** The name for what was live. */
  readonly previous: string;
}

export interface Journal {
  readonly plan: Plan;
  /**
   * `back`: it is being taken back; `proven`: all of it is in place, and visitors may have written to it; undefined:
   * it is under way.
   */
  readonly turn?: "back" | "proven";
}

/** The schema that the journal is in; it is there only as long as a swap is under way. */
export const JOURNAL = "drydock_restore_journal";
/**
 * Under this name whoever works on a swap has the server to itself; a client that outlives a killed command line ends
 * first.
 */
export const ALONE = "DO GET_LOCK('drydock_restore', 600);\n";
/** Of one packet, in bytes; twice that in SQL. */
const PART = 1 << 20;
// The binary log is for changes that a restored backup lacks.
const QUIET = "SET SESSION sql_log_bin = 0;\n";

const insert = (kind: string, value: string): string => {
  const data = Buffer.from(value, "utf8");
  const parts = Array.from({ length: Math.ceil(data.length / PART) }, (_, index) =>
    data.subarray(index * PART, (index + 1) * PART).toString("hex"),
  );
  return parts.map((part) => `INSERT INTO ${JOURNAL}.entries (kind, entry) VALUES ('${kind}', X'${part}');`).join("\n");
};

/** Writes it in one transaction: it is there, or nothing has been changed. */
export async function writeJournal(database: Database, plan: Plan): Promise<void> {
  await query(
    database,
    `${ALONE}${QUIET}DROP DATABASE IF EXISTS ${JOURNAL};
CREATE DATABASE ${JOURNAL} CHARACTER SET utf8mb4;
CREATE TABLE ${JOURNAL}.entries (id INT PRIMARY KEY AUTO_INCREMENT, kind VARCHAR(8) NOT NULL,
  entry LONGBLOB NOT NULL) ENGINE=InnoDB;
START TRANSACTION;
${insert("plan", JSON.stringify(plan))}
COMMIT;`,
  );
}

export async function noteTurn(database: Database, turn: NonNullable<Journal["turn"]>): Promise<void> {
  await query(database, `${ALONE}${QUIET}${insert(turn, "1")}`);
}

/** Undefined where no swap is under way. One that was cut off before its plan was written has changed nothing. */
export async function readJournal(database: Database): Promise<Journal | undefined> {
  const tables = await query(
    database,
    `${ALONE}SELECT table_name FROM information_schema.tables WHERE table_schema = '${JOURNAL}'`,
  );
  if (tables.length === 0) return undefined;
  const rows = await queryBytes(database, bytes(`SELECT kind, HEX(entry) FROM ${JOURNAL}.entries ORDER BY id`));
  const of = (kind: string): string =>
    Buffer.from(rows.flatMap(([one, part]) => (one === kind ? [part!] : [])).join(""), "hex").toString("utf8");
  const plan = of("plan");
  if (plan === "") return undefined;
  const turn = (["proven", "back"] as const).find((one) => of(one) !== "");
  return { plan: JSON.parse(plan) as Plan, ...defined({ turn }) };
}

export async function clearJournal(database: Database): Promise<void> {
  await query(database, `${QUIET}DROP DATABASE IF EXISTS ${JOURNAL};`);
}
