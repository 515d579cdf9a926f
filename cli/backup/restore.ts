import { titleOf } from "../../contracts/agent.ts";
import type { Entry } from "../../contracts/entry.ts";
import { audited } from "../shared/audit.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { takeLock } from "../shared/locks.ts";
import { select } from "../shared/project.ts";
import { monitorIn } from "../shared/prometheus.ts";
import { interruption } from "../shared/signals.ts";
import { whileSilent } from "../shared/silence.ts";
import { forget, resume } from "./afterwards.ts";
import { ask, type BackupHost, backupHost } from "./agent.ts";
import { chosen, isComplete, question, type RestoreOptions, volumesAskedFor } from "./choosing.ts";
import type { HostLock } from "./hostLock.ts";
import { type FilesPlace, filesPlaces } from "./places.ts";
import { Progress } from "./progress.ts";
import { type Loaded, loadBeside, previousName, restoredName } from "./restoreDatabase.ts";
import { filesBeside, keptIn, swapFiles } from "./restoreFiles.ts";
import { PhysicalRestore } from "./restorePhysical.ts";
import { type SwappedService, swapService } from "./restoreService.ts";
import { refuseElsewhere, underRestoreLock } from "./resume.ts";
import { confirmWord } from "./run.ts";
import { shownName } from "./shown.ts";
import { type Say, swap } from "./swap.ts";
import { Unsettled } from "./unsettled.ts";
import { restoreMaintenance, withoutWriters } from "./writers.ts";

/** What a restore stops on purpose, and with it the site. */
const RESTORED = ["site", "laravel", "database", "redis", "containers"] as const;

/** Restores a backup. Returns the exit code. */
export async function restore(id: string, options: RestoreOptions): Promise<number> {
  const { into, toTime, db, files, physical, compare } = options;
  const wrong = (what: string): CliError =>
    new CliError({ what, remedy: "./drydock backup restore --help", code: Exit.usage });
  const asked = volumesAskedFor(options);
  const alone = !db && (files === true || asked.length > 0);
  if (into !== undefined && (files || physical || asked.length > 0))
    throw wrong("--into names a schema for the database: it goes with neither files nor --physical");
  if (into !== undefined && !/^[A-Za-z0-9_$]{1,64}$/.test(into)) throw wrong(`--into ${into} is no name for a schema`);
  if (compare && !physical) throw wrong("--compare goes with --physical: everything else is compared anyway");
  if (compare && toTime !== undefined)
    throw wrong("--compare and --to-time don't go together: only the backup's own moment has checksums");
  if (toTime !== undefined && alone)
    throw wrong("--to-time is for the database; files are as they were at their backup");
  const host = await backupHost(options.stack);
  const { stack, paths } = host.session;
  if (options.resume) return await resume(host, options);
  if (options.forgetPrevious) return await forget(host, options);
  if (!alone) refuseElsewhere(host.deployed, `./drydock backup restore ${id} --files`);

  const args = [
    id,
    ...(db ? ["--db"] : []),
    ...(files ? ["--files"] : []),
    ...asked.flatMap(({ kind, name }) => [`--${kind}`, name]),
    ...(physical ? ["--physical"] : []),
    ...(into === undefined ? [] : ["--into", into]),
    ...(toTime === undefined ? [] : ["--to-time", toTime]),
  ];
  return await audited(host.session, "backup", ["restore", ...args], async () => {
    const clone = takeLock(paths.lock(stack), stack);
    const progress = new Progress();
    const about = `a restore of backup ${id}`;
    try {
      const { entry, done } = await whileSilent(
        monitorIn(host.deployed.outputs, host.docker),
        { about: RESTORED, reason: about, minutes: 240 },
        async () =>
          await underRestoreLock(
            host,
            { purpose: "restore", about, say: (line, level) => progress.say(line, level) },
            async (lock) => await underLock(host, id, options, lock, progress),
          ),
        (line) => progress.say(line),
      );
      if (into === undefined && done.schema !== undefined && options.backup) await backUpAgain(host, progress);
      if (options.json) process.stdout.write(`${JSON.stringify({ stack, backup: entry.id, ...done })}\n`);
      else process.stdout.write(`${told(entry, done, stack)}\n`);
      return Exit.ok;
    } finally {
      progress.end();
      clone.release();
    }
  });
}

async function underLock(
  host: BackupHost,
  id: string,
  options: RestoreOptions,
  lock: HostLock,
  progress: Progress,
): Promise<{ readonly entry: Entry; readonly done: Done }> {
  const { db, files, physical, into, toTime } = options;
  const { stack } = host.session;
  const withDatabase = db === true || into !== undefined || isComplete(options);
  const wantsFiles = files === true || volumesAskedFor(options).length > 0 || isComplete(options);
  // Its companion starts while the backup is looked up and confirmed; where nothing is to be asked, the backup is
  // prepared as well.
  const physically = physical && withDatabase ? new PhysicalRestore(host, options, progress) : undefined;
  if (options.yes && !options.fromS3 && id !== "latest") void physically?.prepare(id);
  try {
    // On an empty machine, S3 is all there is.
    if (options.fromS3) await ask(host, "adopt");
    const entry = await chosen(host, id, options);
    const lacks = (what: string): CliError =>
      new CliError({
        what: `backup ${entry.id} holds no ${what}`,
        remedy: `./drydock backup list${select(stack)}`,
        code: Exit.refused,
      });
    const parts = {
      database: entry.database !== undefined && withDatabase,
      places: wantsFiles ? await placesFor(host, entry, options, progress) : [],
    };
    if (db && !parts.database) throw lacks("database");
    if (files && entry.files === undefined) throw lacks("files");
    if (!entry.verified)
      progress.say(`backup ${entry.id} has not been verified; it is checked before anything is replaced`, "warn");
    if (into === undefined && options.yes !== true) await confirmWord(stack, question(entry, parts, toTime), "--yes");
    if (physically !== undefined) physically.early = parts.places.length === 0;
    return { entry, done: await carryOut({ host, entry, parts, options, physically, lock, progress }) };
  } finally {
    await physically?.end();
  }
}

/**
 * The places of which files are restored: those that are asked for, else all that the backup has.
 * @throws CliError (refused) where one that is asked for is not in the backup, or not in the stack
 */
async function placesFor(
  host: BackupHost,
  entry: Entry,
  options: RestoreOptions,
  progress: Progress,
): Promise<readonly FilesPlace[]> {
  const s = select(host.session.stack);
  const all = await filesPlaces(host);
  const asked = volumesAskedFor(options);
  const titles = isComplete(options) ? Object.keys(entry.volumes ?? {}) : asked.map(titleOf);
  for (const title of titles) {
    const there = all.some((place) => place.title === title);
    if (!Object.hasOwn(entry.volumes ?? {}, title))
      throw new CliError({
        what: `backup ${entry.id} holds no ${shownName(title)}`,
        remedy: `./drydock backup show ${entry.id}${s}`,
        code: Exit.refused,
      });
    if (there) continue;
    const what = `${title} of backup ${entry.id} has no place in stack ${host.session.stack}`;
    if (isComplete(options)) progress.say(`${what}: it is not restored`, "warn");
    else
      throw new CliError({
        what: `${what}; nothing was changed`,
        remedy: `have the settings name it (app.persistent, services; backup not false), then: ./drydock up${s}`,
        code: Exit.refused,
      });
  }
  if (isComplete(options))
    for (const { title } of all.filter(({ of }) => of !== undefined))
      if (!titles.includes(title)) progress.say(`backup ${entry.id} has no ${title}: that stays as it is`, "warn");
  const storage = entry.files !== undefined && (options.files === true || isComplete(options));
  return all.filter(({ of, title }) => (of === undefined ? storage : titles.includes(title)));
}

interface Done {
  /** From the command's beginning until what was restored is live. */
  readonly seconds: number;
  readonly reached: string;
  /** Where the restored database is. */
  readonly schema?: string;
  /** What was restored, in words. */
  readonly restored: readonly string[];
  /** What was live, until it is forgotten: a schema, a folder in a volume. */
  readonly previous: readonly string[];
}

interface Work {
  readonly host: BackupHost;
  readonly entry: Entry;
  readonly parts: { readonly database: boolean; readonly places: readonly FilesPlace[] };
  readonly options: RestoreOptions;
  readonly physically: PhysicalRestore | undefined;
  readonly lock: HostLock;
  readonly progress: Progress;
}

/** Everything is made and compared beside what is live first; then all of it is put in place, while nobody writes. */
async function carryOut(work: Work): Promise<Done> {
  const {
    host,
    entry,
    parts,
    options: { into, toTime },
    progress,
  } = work;
  for (const place of parts.places) await filesBeside(host, place, entry, progress);
  let loaded: Loaded | undefined;
  if (parts.database && work.physically === undefined)
    loaded = await loadBeside(host, entry, into ?? restoredName(entry.database!.schema), toTime, progress);
  if (into !== undefined) {
    const events = loaded!.content.objects.filter(({ kind }) => kind === "event");
    if (events.length > 0)
      progress.say(
        `its events are off in ${into}, for it is a copy: ${events.map(({ name }) => shownName(name)).join(", ")}`,
      );
    return { reached: loaded!.reached, seconds: process.uptime(), schema: into, restored: [into], previous: [] };
  }
  const { reached, previous, opened } = await putInPlace(work, loaded);
  if (parts.database && parts.places.some(({ of }) => of === undefined) && (await restoreMaintenance(host, entry)))
    progress.say("maintenance mode is on, as it was at the backup: ./drydock maintenance off opens the site");
  return {
    reached,
    seconds: opened,
    ...(entry.database === undefined || !parts.database ? {} : { schema: entry.database.schema }),
    restored: [...(parts.database ? [entry.database!.schema] : []), ...parts.places.map(({ title }) => title)],
    previous,
  };
}

async function putInPlace(
  { host, entry, parts, physically, lock, progress }: Work,
  loaded: Loaded | undefined,
): Promise<{ readonly reached: string; readonly previous: readonly string[]; readonly opened: number }> {
  const say: Say = (line, level) => progress.say(line, level);
  const previous: string[] = [];
  const prepared = parts.database ? await physically?.ready(entry) : undefined;
  const began = Date.now();
  const { opened } = await withoutWriters(host, say, { lock, background: physically?.takeBackground() }, async () => {
    const swapped: SwappedService[] = [];
    try {
      // What may not become healthy on its files comes first: nothing else has been changed then.
      for (const place of parts.places.filter(({ service }) => service !== undefined)) {
        const one = await swapService(host, place, say);
        swapped.push(one);
        previous.push(keptIn(place, one.previous));
      }
      if (prepared !== undefined) previous.push(await physically!.swap(entry, prepared));
      else if (loaded !== undefined) {
        const name = previousName(entry.database!.schema);
        await swap(
          loaded.database,
          { restored: loaded.content, live: entry.database!.schema, previous: name, backup: entry.id },
          say,
        );
        previous.push(name);
      }
    } catch (error) {
      if (!(error instanceof Unsettled)) for (const one of swapped.reverse()) await one.undo();
      throw error;
    }
    for (const place of parts.places.filter(({ service }) => service === undefined)) {
      const name = await swapFiles(host, place).catch((error: CliError) => {
        throw new Unsettled(
          `${place.title} could not be put in place` +
            (previous.length === 0
              ? ""
              : `, while ${previous.length === 1 ? "another part was" : "other parts were"}`) +
            `: ${error.what}`,
        );
      });
      previous.push(keptIn(place, name));
    }
  });
  if (prepared !== undefined) await physically!.keep();
  else progress.say(`swapped in; writers waited ${((Date.now() - began) / 1000).toFixed(1)} s`);
  return { reached: prepared?.reached ?? loaded?.reached ?? entry.finished, previous, opened };
}

/** Points in time are counted from a backup on, and the data is another one now. */
async function backUpAgain(host: BackupHost, progress: Progress): Promise<void> {
  if (interruption() !== undefined)
    progress.say(
      "interrupted before the backup of what was restored: points in time begin with one (./drydock backup run)",
      "warn",
    );
  else {
    progress.say("backing up what was restored");
    await ask(host, "run", ["--type", "full", "--reason", "after a restore"], { on: progress.on });
  }
}

function told(entry: Entry, { reached, restored, previous }: Done, stack: string): string {
  const words = [...restored.slice(0, -2), restored.slice(-2).join(" and ")].join(", ");
  return [
    `Restored backup ${entry.id}: ${words}, as of ${reached}.`,
    ...previous.map((name) => `What was there before is kept as ${name}.`),
    ...(previous.length === 0
      ? []
      : [`When nobody needs it any more: ./drydock backup restore --forget-previous${select(stack)}`]),
  ].join("\n");
}
