import { PORTS } from "../../contracts/agent.ts";
import type { BinlogPosition, Entry } from "../../contracts/entry.ts";
import { type Agent, placeOf, reading } from "../agent.ts";
import type { Archived, BinlogArchive } from "../binlog/archive.ts";
import { companionSpace, forgetKept, Restore } from "../companion/client.ts";
import { AgentError, messageOf, refused } from "../shared/errors.ts";
import { DUMP, STREAM } from "../store/parts.ts";
import { lineage } from "../store/retention.ts";

/** Up to where the binary log is replayed. */
export type Until = { readonly position: BinlogPosition } | { readonly time: Date } | undefined;

/**
 * Restores a backup's database into a throwaway server, which runs afterwards. The caller takes it away.
 * @param serve false: of a physical backup only the files are made, of the backup's own moment, and no server runs
 */
export async function restoreDatabase(agent: Agent, entry: Entry, until: Until, serve = true): Promise<Restore> {
  return await reading(agent, entry, () => restored(agent, entry, until, serve));
}

async function restored(agent: Agent, entry: Entry, until: Until, serve: boolean): Promise<Restore> {
  const { database } = entry;
  if (database === undefined) throw refused(`backup ${entry.id} holds no database`);
  // Before anything is made: a log with a gap leads nowhere.
  const log = until === undefined ? undefined : await logFor(agent, entry, until);
  await roomFor(entry);
  const { reporter } = agent;
  const restore = await Restore.begin();
  try {
    if (database.format === "logical") {
      await restore.empty();
      await restore.start();
      await restore.sendOutput(`sql?schema=${encodeURIComponent(database.schema)}`, ...stored(agent, entry, DUMP));
    } else {
      const line = lineage((await agent.local.catalogue.list()).entries, entry);
      for (const [index, one] of line.entries()) {
        await restore.sendOutput(`unpack/${index}`, ...stored(agent, one, STREAM));
        reporter.progress("restore", index + 1, line.length, "steps");
      }
      if (!serve) reporter.progress("finish", 1, 1, "steps");
      await restore.prepare(line.length - 1);
      if (serve) await restore.start();
    }
    if (log !== undefined) await replay(restore, log, entry, until!, agent);
    return restore;
  } catch (error) {
    await restore.remove();
    throw error;
  }
}

/** A server's own logs, and what it makes when it starts. */
const SERVER = 256 * 2 ** 20;
/** As much as a restore of its database may take. */
export const needed = ({ database }: Entry): number => SERVER + 1.2 * (database?.bytes ?? 0);

/** Has room for a restore, if need be in the place of the files that the last proof has left. */
async function roomFor(entry: Entry): Promise<void> {
  if ((await companionSpace()) >= needed(entry)) return;
  await forgetKept();
  const free = await companionSpace();
  if (free < needed(entry))
    throw new AgentError(
      `the disk of the volume in which backups are restored has ${Math.round(free / 2 ** 20)} MiB left, ` +
        `and backup ${entry.id} needs more`,
      {
        remedy:
          "make room on the Docker host; what earlier restores have kept goes with: " +
          "./drydock backup restore --forget-previous",
      },
    );
}

/**
 * The files of a verified backup as its proof has left them: what was compared. Undefined where they are not kept.
 * @param serve whether a server is to run on them
 */
export async function copyKept({ reporter }: Agent, entry: Entry, serve: boolean): Promise<Restore | undefined> {
  await roomFor(entry);
  const restore = await Restore.begin();
  try {
    if (await restore.take(entry.id)) {
      reporter.progress(serve ? "restore" : "finish", 1, 1, "steps");
      if (serve) await restore.start();
      return restore;
    }
  } catch (error) {
    reporter.log(
      "warn",
      `what the proof of backup ${entry.id} has left can't be used, so it is read from the repository: ` +
        `${messageOf(error)}`,
    );
  }
  await restore.remove();
  return undefined;
}

/** What writes a backup's database. */
function stored(
  agent: Agent,
  entry: Entry,
  file: string,
): readonly [readonly string[], Readonly<Record<string, string>>] {
  const { restic } = placeOf(agent, entry);
  return [restic.readCommand(entry.id, "database", file), restic.env];
}

/**
 * Where in the log the sums of a backup were taken, if that is after the backup's own place: there it is what it should
 * be.
 */
export function sumsUntil({ database }: Entry): Until {
  const [own, sums] = [database?.position, database?.sumsPosition];
  return own === undefined || sums === undefined || (own.file === sums.file && own.position === sums.position)
    ? undefined
    : { position: sums };
}

interface Log {
  readonly archive: BinlogArchive;
  readonly files: readonly Archived[];
}

async function logFor(agent: Agent, entry: Entry, until: NonNullable<Until>): Promise<Log> {
  const { position } = entry.database!;
  if (position === undefined)
    throw refused(`backup ${entry.id} has no place in the binary log, so it can't be taken to another moment`);
  if ("position" in until) await flushLog(until.position);
  const archive = placeOf(agent, entry).binlogs;
  const before = Date.parse(entry.finished) / 1000;
  const { files, warnings } = await archive.follow(position, before, until);
  for (const one of warnings) agent.reporter.log("warn", one);
  return { archive, files };
}

async function replay(
  restore: Restore,
  { archive, files }: Log,
  entry: Entry,
  until: NonNullable<Until>,
  { reporter }: Agent,
): Promise<void> {
  const { position, format, schema } = entry.database!;
  for (const [index, file] of files.entries()) {
    await restore.send(`binlog/${file.file}`, (to) => archive.read(file, to));
    reporter.progress("replay", index + 1, files.length, "steps");
  }
  await restore.replay({
    files: files.map(({ file }) => file),
    from: position!.position,
    ...("position" in until
      ? { to: until.position.position }
      : { toTime: until.time.toISOString().slice(0, 19).replace("T", " ") }),
    // A dump has one schema; what the log says of others can't be replayed.
    ...(format === "logical" ? { schema } : {}),
  });
}

/** Has the agent put the log into the repository up to here, now. */
export async function flushLog(position: BinlogPosition): Promise<void> {
  const url =
    `http://127.0.0.1:${PORTS.agent}/flush` +
    `?file=${encodeURIComponent(position.file)}&position=${position.position}`;
  const response = await fetch(url, { method: "POST", signal: AbortSignal.timeout(60_000) }).catch(() => undefined);
  if (response?.ok !== true)
    throw new AgentError(`the binary log did not reach ${position.file} at ${position.position} in the repository`, {
      transient: true,
      remedy: "./drydock backup status",
    });
}
