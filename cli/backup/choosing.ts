import { type Results, titleOf, type Volume } from "../../contracts/agent.ts";
import type { Entry } from "../../contracts/entry.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { select } from "../shared/project.ts";
import { ask, type BackupHost } from "./agent.ts";
import type { FilesPlace } from "./places.ts";
import { partOf } from "./restoreFiles.ts";
import type { Common } from "./run.ts";

export interface RestoreOptions extends Common {
  readonly db?: true;
  readonly files?: true;
  /** Paths of folders of app.persistent. */
  readonly folder?: readonly string[];
  /** Names of services with a volume. */
  readonly service?: readonly string[];
  readonly toTime?: string;
  readonly into?: string;
  readonly physical?: true;
  readonly compare?: true;
  readonly fromS3?: true;
  readonly forgetPrevious?: true;
  readonly resume?: true;
  readonly backup: boolean;
  readonly yes?: true;
}

/** The volumes that are asked for by name; all, where nothing is. */
export const volumesAskedFor = ({ folder = [], service = [] }: RestoreOptions): readonly Volume[] => [
  ...folder.map((name) => ({ kind: "folder" as const, name })),
  ...service.map((name) => ({ kind: "service" as const, name })),
];

/** Whether all of a backup is to be restored. */
export const isComplete = (options: RestoreOptions): boolean =>
  !options.db && !options.files && options.into === undefined && volumesAskedFor(options).length === 0;

/**
 * `latest` is the newest verified one that has what is asked for; with a time, the newest that was finished before it.
 */
export async function chosen(host: BackupHost, id: string, options: RestoreOptions): Promise<Entry> {
  const { db, files, into, physical, toTime } = options;
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
  const whole = isComplete(options);
  const titles = volumesAskedFor(options).map(titleOf);
  const [needsDatabase, needsFiles] = [
    whole || db === true || into !== undefined || toTime !== undefined,
    whole || files === true,
  ];
  const list = await ask(host, "list");
  const fitting = list.backups.filter(
    ({ finished, database, files: stored, volumes = {} }) =>
      Date.parse(finished) <= time &&
      (!needsDatabase || database !== undefined) &&
      (!needsFiles || stored !== undefined) &&
      titles.every((title) => Object.hasOwn(volumes, title)) &&
      (!physical || database?.format === "physical"),
  );
  const found = fitting.find(({ verified }) => verified);
  if (found !== undefined) return found;
  const what = [
    ...(needsDatabase ? [physical ? "the database server's files" : "the database"] : []),
    ...(needsFiles ? ["files"] : []),
    ...titles,
  ].join(" and ");
  const { s3 } = await ask(host, "status");
  throw noneFor(list, fitting, {
    what: `${what}${toTime === undefined ? "" : ` from before ${toTime}`}`,
    stack: host.session.stack,
    inS3: s3.configured,
  });
}

/** Why there is nothing to restore, and what helps. */
export function noneFor(
  { backups, unreadable }: Results["list"],
  fitting: readonly Entry[],
  { what, stack, inS3 }: { readonly what: string; readonly stack: string; readonly inS3: boolean },
): CliError {
  const s = select(stack);
  const fromS3 = inS3 ? `; what is in the bucket: ./drydock backup restore latest --from-s3${s}` : "";
  const refused = (why: string, remedy: string): CliError => new CliError({ what: why, remedy, code: Exit.refused });
  if (backups.length === 0 && unreadable > 0)
    return refused(
      `none of the ${unreadable} backups that are here can be read with drydock:backup.key`,
      `set the key that they were made with: pulumi config set --secret --path drydock:backup.key${fromS3}`,
    );
  if (backups.length === 0) return refused("there is no backup yet", `make one: ./drydock backup run${s}${fromS3}`);
  const [newest] = fitting;
  if (newest === undefined)
    return refused(`there is no backup of ${what}`, `list them: ./drydock backup list${s}${fromS3}`);
  return refused(
    `there is no verified backup of ${what}; ${fitting.length === 1 ? "one is" : `${fitting.length} are`} not verified`,
    `why the newest isn't: ./drydock backup verify ${newest.id}${s}${fromS3}`,
  );
}

export function question(
  entry: Entry,
  { database, places }: { database: boolean; places: readonly FilesPlace[] },
  toTime: string | undefined,
): string {
  const what = [
    ...(database ? [`the database ${entry.database!.schema}`] : []),
    ...places.map((place) => {
      const { count } = partOf(entry, place)!;
      return place.of === undefined ? `${count} files` : `${place.title} (${count} files)`;
    }),
  ].join(" and ");
  return (
    `This puts ${what} of backup ${entry.id} (${entry.finished})` +
    `${toTime === undefined ? "" : `, recovered to ${toTime},`} in the place of what is live. ` +
    "What is live now is kept beside it."
  );
}
