import { type Account, definerOf, type Schema, withDefiner } from "../backup/objects.ts";
import { shownName } from "../backup/shown.ts";
import { type Database, is, query, text } from "../backup/sql.ts";
import { CliError, Exit } from "../shared/errors.ts";

/**
 * All that runs with its owner's rights gets the application's account as its owner: the dump's accounts are another
 * server's, and root is nobody's here.
 */
export function ownedBy(
  schema: Schema,
  account: Account,
): { readonly content: Schema; readonly definers: readonly string[] } {
  const changed = new Set<string>();
  const objects = schema.objects.map((object) => {
    const definer = definerOf(object);
    if (definer === undefined || (definer.user === account.user && definer.host === account.host)) return object;
    changed.add(`${shownName(definer.user)}@${shownName(definer.host)}`);
    return withDefiner(object, account);
  });
  return { content: { ...schema, objects }, definers: [...changed].sort() };
}

/**
 * @throws CliError (refused) where an owner is unknown to this server: what he owns could not be used, and no dump be
 * made of it
 */
export async function definersExist(database: Database, { objects }: Schema): Promise<void> {
  const wanted = new Map(
    objects.flatMap((object) => {
      const definer = definerOf(object);
      return definer === undefined ? [] : [[JSON.stringify(definer), definer] as const];
    }),
  );
  const missing: string[] = [];
  for (const { user, host } of wanted.values()) {
    const found = await query(database, `SELECT 1 FROM mysql.user WHERE ${is("user", user)} AND host = ${text(host)}`);
    if (found.length === 0) missing.push(`${shownName(user)}@${shownName(host)}`);
  }
  if (missing.length > 0)
    throw new CliError({
      what:
        "views, triggers, routines or events of the dump belong to accounts that this server has not: " +
        `${missing.join(", ")}; nothing that is live was touched`,
      remedy: "without --keep-definers they become the application's",
      code: Exit.refused,
    });
}
