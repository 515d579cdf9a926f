import type { Archived } from "./binlog/archive.ts";
import { forgetKept, keptBackups } from "./companion/client.ts";
import type { Agent, Place } from "./context.ts";
import { messageOf } from "./errors.ts";
import { withLock } from "./lock.ts";
import type { Entry, Results } from "./protocol.ts";
import { choose } from "./retention.ts";
import { LOCK } from "./run.ts";

/** Takes away what has had its time, here and in S3: the entry, then the data; then the log that no kept backup needs. */
export async function cleanUp(agent: Agent, { dryRun, now }: { readonly dryRun: boolean; readonly now: Date }): Promise<Results["cleanup"]> {
  return await withLock(LOCK, "a cleanup", 3_600_000, async () => {
    const { localDays, s3Days } = agent.configuration.retention;
    const here = await cleanPlace(agent.local, localDays, now, dryRun);
    const there = agent.s3 === undefined ? undefined : await cleanPlace(agent.s3, s3Days, now, dryRun);
    const removed = [...here.removed, ...(there?.removed ?? [])];
    if (!dryRun) await forgetRestored(agent, here.removed);
    agent.reporter.log("info", dryRun ? `a cleanup would remove ${removed.length} backups` : `cleanup: ${removed.length} backups removed, ${here.kept.length} kept`);
    return { dryRun, removed, kept: here.kept, removedSegments: here.segments + (there?.segments ?? 0) };
  });
}

/** Takes away what the proof of a removed backup has left. */
async function forgetRestored({ reporter }: Agent, removed: readonly string[]): Promise<void> {
  try {
    if ((await keptBackups()).some((id) => removed.includes(id))) await forgetKept();
  } catch (error) {
    reporter.log("warn", `what the proof of a removed backup has left is still there: ${messageOf(error)}`);
  }
}

async function cleanPlace({ catalogue, restic, binlogs }: Place, days: number, now: Date, dryRun: boolean) {
  const { entries, unreadable } = await catalogue.list();
  const { keep, remove } = choose(entries, days, now);
  const segments = unneeded(await binlogs.files(), entries.filter(({ id }) => keep.includes(id)));
  // With an entry that can't be read nobody knows what it needs.
  const may = unreadable.length === 0;
  if (!dryRun && may) {
    for (const id of remove) await catalogue.remove(id);
    const snapshots = await restic.ids();
    await restic.forget(remove.flatMap((id) => snapshots.get(id) ?? []));
    // Of runs that were killed before they were listed, but not of one that is younger than a day.
    const orphans = [...snapshots].filter(([id]) => !entries.some((entry) => entry.id === id) && now.getTime() - timeOf(id) > 86_400_000);
    await restic.forget(orphans.flatMap(([, ids]) => ids));
    // Also what failed runs have left, which no snapshot names.
    if (snapshots.size > 0) await restic.prune();
    await binlogs.store.remove(segments);
  }
  return { removed: may ? remove : [], kept: may ? keep : entries.map(({ id }) => id), segments: may ? segments.length : 0 };
}

const timeOf = (id: string): number => Date.parse(id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*/, "$1-$2-$3T$4:$5:$6Z"));

/** Pieces of the log before the oldest kept backup. */
export function unneeded(archived: readonly Archived[], kept: readonly Entry[]): readonly string[] {
  const positions = kept.flatMap(({ database, finished }) => (database?.position === undefined ? [] : [{ ...database.position, before: Date.parse(finished) / 1000 }]));
  if (positions.length === 0) return [];
  const firsts = positions.map(({ file, before }) => archived.findLastIndex((one) => one.file === file && one.begun <= before + 1));
  // One whose place isn't known may need all of it.
  if (firsts.includes(-1)) return [];
  return archived.slice(0, Math.min(...firsts)).flatMap(({ segments }) => segments.map(({ name }) => name));
}
