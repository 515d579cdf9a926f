import type { Entry } from "../../backup/protocol.ts";
import { audited } from "../audit.ts";
import { CliError, Exit } from "../errors.ts";
import { takeLock } from "../locks.ts";
import { interruption } from "../pulumi.ts";
import { ask, backupHost, type BackupHost } from "./agent.ts";
import { Progress } from "./progress.ts";
import { loadBeside, previousSchemas, stamp, swapIn } from "./restoreDatabase.ts";
import { FORGET, KEPT, onFiles, restoreFiles } from "./restoreFiles.ts";
import { forgetPhysical, keptPhysical, PhysicalRestore } from "./restorePhysical.ts";
import { databaseOf, query, quoted } from "./sql.ts";
import { confirmWord, type Common } from "./verbs.ts";
import { select } from "./words.ts";
import { restoreMaintenance } from "./writers.ts";

export interface RestoreOptions extends Common {
  readonly db?: true;
  readonly files?: true;
  readonly toTime?: string;
  readonly into?: string;
  readonly physical?: true;
  readonly compare?: true;
  readonly fromS3?: true;
  readonly forgetPrevious?: true;
  readonly backup: boolean;
  readonly yes?: true;
}

/** Restores a backup. Returns the exit code. */
export async function restore(id: string, options: RestoreOptions): Promise<number> {
  const { into, toTime, db, files, physical, compare } = options;
  const wrong = (what: string): CliError => new CliError({ what, remedy: "./drydock backup restore --help", code: Exit.usage });
  if (into !== undefined && (files || physical)) throw wrong("--into names a schema for the database: it goes with neither --files nor --physical");
  if (into !== undefined && !/^[A-Za-z0-9_$]{1,64}$/.test(into)) throw wrong(`--into ${into} is no name for a schema`);
  if (compare && !physical) throw wrong("--compare goes with --physical: everything else is compared anyway");
  if (compare && toTime !== undefined) throw wrong("--compare and --to-time don't go together: only the backup's own moment has checksums");
  if (toTime !== undefined && files && !db) throw wrong("--to-time is for the database; files are as they were at their backup");
  const host = await backupHost(options.stack);
  const { stack, paths } = host.session;
  if (options.forgetPrevious) return await forget(host, options);

  const args = [id, ...(db ? ["--db"] : []), ...(files ? ["--files"] : []), ...(physical ? ["--physical"] : []), ...(into === undefined ? [] : ["--into", into]), ...(toTime === undefined ? [] : ["--to-time", toTime])];
  return await audited(host.session, "backup", ["restore", ...args], async () => {
    const lock = takeLock(paths.lock(stack), stack);
    const progress = new Progress();
    // Its companion starts while the backup is looked up and confirmed; where nothing is to be asked, the backup is prepared as well.
    const physically = physical && (db || !files) ? new PhysicalRestore(host, options, progress) : undefined;
    if (options.yes && !options.fromS3 && id !== "latest") void physically?.prepare(id);
    try {
      // On an empty machine, S3 is all there is.
      if (options.fromS3) await ask(host, "adopt");
      const entry = await chosen(host, id, options);
      const parts = { database: entry.database !== undefined && (db === true || files !== true), files: entry.files !== undefined && into === undefined && (files === true || db !== true) };
      if (db && !parts.database) throw new CliError({ what: `backup ${entry.id} holds no database`, remedy: `./drydock backup list${select(stack)}`, code: Exit.refused });
      if (files && !parts.files) throw new CliError({ what: `backup ${entry.id} holds no files`, remedy: `./drydock backup list${select(stack)}`, code: Exit.refused });
      if (!entry.verified) progress.say(`backup ${entry.id} has not been verified; it is checked before anything is replaced`, "warn");
      if (into === undefined && options.yes !== true) await confirmWord(stack, question(entry, parts, toTime), "--yes");

      const done = await carryOut(host, entry, parts, options, physically, progress);
      if (options.json) process.stdout.write(`${JSON.stringify({ stack, backup: entry.id, ...done })}\n`);
      else process.stdout.write(`${told(entry, done, stack)}\n`);
      return Exit.ok;
    } finally {
      await physically?.end();
      progress.end();
      lock.release();
    }
  });
}

interface Done {
  /** From the command's beginning until what was restored is live. */
  readonly seconds: number;
  readonly reached: string;
  /** Where the restored database is. */
  readonly schema?: string;
  /** What was live, until it is forgotten: a schema, a folder in a volume. */
  readonly previous: readonly string[];
}

async function carryOut(host: BackupHost, entry: Entry, parts: { database: boolean; files: boolean }, options: RestoreOptions, physically: PhysicalRestore | undefined, progress: Progress): Promise<Done> {
  const { into, toTime } = options;
  const previous: string[] = [];
  let [reached, schema] = [entry.finished, entry.database?.schema];
  let live: number | undefined;
  if (parts.database && physically !== undefined) {
    const restored = await physically.restore(entry);
    live = restored.live;
    reached = restored.reached;
    previous.push(restored.previous);
  } else if (parts.database) {
    const loaded = await loadBeside(host, entry, into ?? `${entry.database!.schema}_restore_${stamp()}`, toTime, progress);
    reached = loaded.reached;
    if (into === undefined) previous.push(await swapIn(host, loaded, entry.database!.schema, progress));
    else schema = into;
  }
  if (parts.files) previous.push(await restoreFiles(host, entry, progress));
  const seconds = live === undefined || parts.files ? process.uptime() : live;
  if (parts.database && parts.files && into === undefined && (await restoreMaintenance(host, entry))) progress.say("maintenance mode is on, as it was at the backup: ./drydock maintenance off opens the site");
  // Points in time are counted from a backup on, and the data is another one now.
  if (into === undefined && parts.database && options.backup && interruption() !== undefined) {
    progress.say("interrupted before the backup of what was restored: points in time begin with one (./drydock backup run)", "warn");
  } else if (into === undefined && parts.database && options.backup) {
    progress.say("backing up what was restored");
    await ask(host, "run", ["--type", "full", "--reason", "after a restore"], { on: progress.on });
  }
  return { reached, seconds, ...(schema === undefined ? {} : { schema }), previous };
}

/** `latest` is the newest verified one that has what is asked for; with a time, the newest that was finished before it. */
async function chosen(host: BackupHost, id: string, { db, files, into, physical, toTime }: RestoreOptions): Promise<Entry> {
  if (id !== "latest") return (await ask(host, "show", [id])).backup;
  const time = toTime === undefined ? Infinity : Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(toTime) ? toTime : `${toTime.replace(" ", "T")}Z`);
  if (Number.isNaN(time)) throw new CliError({ what: `--to-time ${toTime} is no time`, remedy: "write it as 2026-01-31T10:29:59Z (UTC)", code: Exit.usage });
  const whole = !db && !files && into === undefined;
  const [needsDatabase, needsFiles] = [whole || db === true || into !== undefined || toTime !== undefined, whole || files === true];
  const found = (await ask(host, "list")).backups.find(({ verified, finished, database, files: stored }) =>
    verified && Date.parse(finished) <= time && (!needsDatabase || database !== undefined) && (!needsFiles || stored !== undefined) && (!physical || database?.format === "physical"));
  if (found !== undefined) return found;
  const what = [...(needsDatabase ? [physical ? "the database server's files" : "the database"] : []), ...(needsFiles ? ["files"] : [])].join(" and ");
  throw new CliError({ what: `there is no verified backup of ${what}${toTime === undefined ? "" : ` from before ${toTime}`}`, remedy: `./drydock backup list${select(host.session.stack)}`, code: Exit.refused });
}

function question(entry: Entry, { database, files }: { database: boolean; files: boolean }, toTime: string | undefined): string {
  const what = [...(database ? [`the database ${entry.database!.schema}`] : []), ...(files ? [`${entry.files!.count} files`] : [])].join(" and ");
  return `This puts ${what} of backup ${entry.id} (${entry.finished})${toTime === undefined ? "" : `, recovered to ${toTime},`} in the place of what is live. What is live now is kept beside it.`;
}

function told(entry: Entry, { reached, schema, previous }: Done, stack: string): string {
  return [
    `Restored backup ${entry.id}: ${schema === undefined ? "the files" : `${schema}`}, as of ${reached}.`,
    ...previous.map((name) => `What was there before is kept as ${name}.`),
    ...(previous.length === 0 ? [] : [`When nobody needs it any more: ./drydock backup restore --forget-previous${select(stack)}`]),
  ].join("\n");
}

/** Takes away what earlier restores have kept. */
async function forget(host: BackupHost, { yes, json }: RestoreOptions): Promise<number> {
  const { stack } = host.session;
  const { backups } = await ask(host, "list");
  const known = backups.find(({ database }) => database !== undefined)?.database;
  const database = known === undefined ? undefined : databaseOf(host, known.engine);
  const schemas = database === undefined ? [] : await previousSchemas(database, known!.schema);
  const physical = database === undefined ? [] : await keptPhysical(database);
  const folders = (await host.docker.run(await onFiles(host, KEPT))).stdout.split("\n").filter((line) => line !== "");
  const all = [...schemas, ...physical, ...folders];
  if (all.length > 0 && yes !== true) await confirmWord(stack, `This removes for good what restores have kept: ${all.join(", ")}.`, "--yes");
  return await audited(host.session, "backup", ["restore", "--forget-previous"], async () => {
    for (const schema of schemas) await query(database!, `DROP DATABASE ${quoted(schema)}`);
    if (physical.length > 0) await forgetPhysical(database!);
    if (folders.length > 0) await host.docker.run(await onFiles(host, FORGET));
    process.stdout.write(json ? `${JSON.stringify({ stack, removed: all })}\n` : all.length === 0 ? "Nothing is kept.\n" : `Removed: ${all.join(", ")}\n`);
    return Exit.ok;
  });
}
