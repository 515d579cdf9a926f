import type { Entry } from "../../backup/protocol.ts";
import { CliError, Exit } from "../errors.ts";
import { ask, type BackupHost } from "./agent.ts";
import type { RestoreOptions } from "./restore.ts";
import { select } from "./words.ts";

/**
 * `latest` is the newest verified one that has what is asked for; with a time, the newest that was finished before it.
 */
export async function chosen(
  host: BackupHost,
  id: string,
  { db, files, into, physical, toTime }: RestoreOptions,
): Promise<Entry> {
  if (id !== "latest") return (await ask(host, "show", [id])).backup;
  const time =
    toTime === undefined
      ? Infinity
      : Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(toTime) ? toTime : `${toTime.replace(" ", "T")}Z`);
  if (Number.isNaN(time))
    throw new CliError({
      what: `--to-time ${toTime} is no time`,
      remedy: "write it as 2026-01-31T10:29:59Z (UTC)",
      code: Exit.usage,
    });
  const whole = !db && !files && into === undefined;
  const [needsDatabase, needsFiles] = [
    whole || db === true || into !== undefined || toTime !== undefined,
    whole || files === true,
  ];
  const found = (await ask(host, "list")).backups.find(
    ({ verified, finished, database, files: stored }) =>
      verified &&
      Date.parse(finished) <= time &&
      (!needsDatabase || database !== undefined) &&
      (!needsFiles || stored !== undefined) &&
      (!physical || database?.format === "physical"),
  );
  if (found !== undefined) return found;
  const what = [
    ...(needsDatabase ? [physical ? "the database server's files" : "the database"] : []),
    ...(needsFiles ? ["files"] : []),
  ].join(" and ");
  throw new CliError({
    what: `there is no verified backup of ${what}${toTime === undefined ? "" : ` from before ${toTime}`}`,
    remedy: `./drydock backup list${select(host.session.stack)}`,
    code: Exit.refused,
  });
}

export function question(
  entry: Entry,
  { database, files }: { database: boolean; files: boolean },
  toTime: string | undefined,
): string {
  const what = [
    ...(database ? [`the database ${entry.database!.schema}`] : []),
    ...(files ? [`${entry.files!.count} files`] : []),
  ].join(" and ");
  return `This puts ${what} of backup ${entry.id} (${entry.finished})${toTime === undefined ? "" : `, recovered to ${toTime},`} in the place of what is live. What is live now is kept beside it.`;
}
