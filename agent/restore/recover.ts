import type { Writable } from "node:stream";
import { PORTS, type Results } from "../../contracts/agent.ts";
import type { Entry } from "../../contracts/entry.ts";
import { own } from "../../lib/ownNames.ts";
import { type Agent, placeOf, reading } from "../agent.ts";
import { companionStarted } from "../companion/client.ts";
import { steadyNow } from "../shared/clock.ts";
import { AgentError, refused } from "../shared/errors.ts";
import type { Live } from "../shared/live.ts";
import { DUMP, readVolume } from "../store/parts.ts";
import { noteReplacement } from "../store/state.ts";
import { differences } from "./compare.ts";
import { copyKept, flushLog, restoreDatabase, sumsUntil, type Until } from "./database.ts";

/** The moment that is asked for, if the backup and the log in the repository reach it. @throws AgentError (refused) */
async function untilTime(entry: Entry, toTime: string | undefined): Promise<Until> {
  if (toTime === undefined) return undefined;
  // Without a zone it is UTC, as everything here.
  const time = new Date(/(Z|[+-]\d\d:?\d\d)$/.test(toTime) ? toTime : `${toTime.replace(" ", "T")}Z`);
  if (Number.isNaN(time.getTime())) throw refused(`${toTime} is no time`, "write it as 2026-11-22T16:29:59Z (UTC)");
  if (time.getTime() < Date.parse(entry.finished))
    throw refused(
      `backup ${entry.id} was finished at ${entry.finished}, after ${time.toISOString()}`,
      "choose an earlier backup: ./drydock backup list",
    );
  if (time.getTime() > Date.now()) throw refused(`${time.toISOString()} has not come yet`);
  const live = await fetch(`http://127.0.0.1:${PORTS.agent}/live`)
    .then(async (response) => (await response.json()) as Live)
    .catch(() => undefined);
  const { position, reached } = live?.binlog ?? { position: null, reached: null };
  // The last pieces may still be on their way.
  if (position !== null && reached !== null && Date.parse(reached) < time.getTime())
    await flushLog(position).catch(() => undefined);
  return { time };
}

/** The newest backup that was finished before a moment, for `latest` with a time. */
async function entryFor(agent: Agent, id: string, toTime: string | undefined): Promise<Entry> {
  if (id !== "latest" || toTime === undefined) return await agent.local.catalogue.find(id, "database");
  const time = new Date(/(Z|[+-]\d\d:?\d\d)$/.test(toTime) ? toTime : `${toTime.replace(" ", "T")}Z`).getTime();
  const { entries } = await agent.local.catalogue.list();
  const found = entries.find(
    ({ verified, database, finished }) => verified && database !== undefined && Date.parse(finished) <= time,
  );
  if (found === undefined)
    throw refused(`no verified backup of the database is older than ${toTime}`, "./drydock backup list");
  return found;
}

/**
 * The database as SQL: what was dumped, or what a restored and recovered server dumps. Whether it is complete is known
 * before the first byte where it is restored.
 */
export async function dumpBackup(
  agent: Agent,
  id: string,
  toTime: string | undefined,
  to: Writable,
): Promise<Results["dump"]> {
  const entry = await entryFor(agent, id, toTime);
  const { database } = entry;
  if (database === undefined) throw refused(`backup ${entry.id} holds no database`);
  const until = (await untilTime(entry, toTime)) ?? sumsUntil(entry);
  // A view of an account that isn't there names its schema, and can't be loaded into another one: see makeDefiners.
  if (until === undefined && database.format === "logical" && (database.absentDefiners ?? []).length === 0) {
    await reading(agent, entry, () => placeOf(agent, entry).restic.read(entry.id, "database", DUMP, to));
    return { backup: entry, reached: entry.finished, sums: database.sums };
  }
  const restore = await restoreDatabase(agent, entry, until);
  try {
    const { sums } = await restore.sums(database.schema);
    await restore.dump(database, to);
    return { backup: entry, reached: toTime ?? entry.finished, sums };
  } finally {
    await restore.remove();
  }
}

/**
 * Files as tar.
 * @param title of a volume. @default storage/app
 */
export async function filesOf(
  agent: Agent,
  id: string,
  title: string | undefined,
  to: Writable,
): Promise<Results["files"]> {
  const entry = await agent.local.catalogue.find(id, title === undefined ? "files" : { title });
  const part = title === undefined ? entry.files : own(entry.volumes ?? {}, title);
  if (part === undefined) throw refused(`backup ${entry.id} holds no ${title ?? "files"}`);
  await reading(agent, entry, async () => {
    const { restic } = placeOf(agent, entry);
    if (title === undefined) await restic.readFolder(entry.id, "files", to);
    else await readVolume(restic, entry.id, title, to);
  });
  return { backup: entry, count: part.count };
}

/**
 * A database's data, recovered and on the disk, ready to be put in the live data's place: a copy of what the proof has
 * left, else from the repository. What was proven is not compared again: what is read there has the sums of what was
 * proven, or restic and mbstream fail.
 * @param compare has it compared all the same
 */
export async function prepareBackup(
  agent: Agent,
  id: string,
  { toTime, compare = false }: { readonly toTime?: string; readonly compare?: boolean },
): Promise<Results["prepare"]> {
  const began = steadyNow();
  const entry = await entryFor(agent, id, toTime);
  if (entry.database?.format !== "physical")
    throw refused(
      `backup ${entry.id} is not physical, so it has no files of a server`,
      `./drydock backup restore ${entry.id} without --physical`,
    );
  const { schema } = entry.database;
  // Another moment has no sums to be compared with.
  const compared = toTime === undefined && (compare || !entry.verified);
  const until = compared ? sumsUntil(entry) : await untilTime(entry, toTime);
  await companionStarted();
  const copied = toTime === undefined && entry.verified ? await copyKept(agent, entry, compared) : undefined;
  const restore = copied ?? (await restoreDatabase(agent, entry, until, compared || until !== undefined));
  try {
    const problems = compared ? differences(entry.database, await restore.sums(schema)) : [];
    if (problems.length > 0)
      throw new AgentError(`what was restored is not what was backed up: ${problems.join("; ")}`, { code: 4 });
    if (compared || until !== undefined) agent.reporter.progress("finish", 1, 1, "steps");
    const { folder, objects } = await restore.finish(schema);
    // From here on they may take the live ones' place, and nobody comes back to say so.
    await noteReplacement(agent.local.catalogue);
    return {
      backup: entry,
      folder,
      reached: toTime ?? entry.finished,
      seconds: (steadyNow() - began) / 1000,
      copied: copied !== undefined,
      compared,
      objects,
    };
  } catch (error) {
    await restore.remove();
    throw error;
  }
}
