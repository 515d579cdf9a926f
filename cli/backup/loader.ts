import { randomBytes } from "node:crypto";
import { type Account, type Database, query, quoted } from "./sql.ts";

const USER = "drydock_loader";

/** Privileges that name others as the owners of views and routines; each server knows some of them. */
const DEFINERS = {
  mariadb: ["SET USER", "BINLOG ADMIN"],
  mysql: ["SET_ANY_DEFINER", "SET_USER_ID", "ALLOW_NONEXISTENT_DEFINER", "SYSTEM_USER"],
} as const;

/**
 * Does something with an account that may write to one schema alone: what a backup says is SQL, and a trigger, for
 * example, may name the live schema in it. The account is gone afterwards.
 */
export async function withLoader<T>(
  database: Database,
  schema: string,
  work: (account: Account) => Promise<T>,
): Promise<T> {
  const password = randomBytes(24).toString("hex");
  const who = `${USER}@localhost`;
  // Neither is a change that a restored backup lacks.
  const quiet = "SET SESSION sql_log_bin = 0;\n";
  const own = schema.replace(/[_%\\]/g, "\\$&");
  await query(
    database,
    `${quiet}DROP USER IF EXISTS ${who}; CREATE USER ${who} IDENTIFIED BY '${password}';
GRANT SELECT, SHOW VIEW, EXECUTE ON *.* TO ${who}; GRANT ALL ON ${quoted(own)}.* TO ${who};`,
  );
  try {
    await query(
      database,
      quiet + DEFINERS[database.client].map((privilege) => `GRANT ${privilege} ON *.* TO ${who};`).join("\n"),
      { force: true },
    );
    // A server that writes a log believes nobody else that a function or a trigger is safe to be repeated.
    const [[trusts] = []] = await query(database, "SELECT @@log_bin AND NOT @@log_bin_trust_function_creators");
    if (trusts === "1") await query(database, `${quiet}GRANT SUPER ON *.* TO ${who};`);
    return await work({ user: USER, password });
  } finally {
    await query(database, `${quiet}DROP USER IF EXISTS ${who};`).catch(() => undefined);
  }
}
