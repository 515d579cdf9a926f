import { type Results, titleOf } from "../../contracts/agent.ts";
import type { Entry } from "../../contracts/entry.ts";
import { defined } from "../../lib/defined.ts";
import type { Agent, Place } from "../agent.ts";
import { type Archived, chain } from "../binlog/archive.ts";
import { forgetKept, keptBackups } from "../companion/client.ts";
import { daysWith, longestPause } from "../schedule/cron.ts";
import { messageOf, refused } from "../shared/errors.ts";
import { LOCK, withLock } from "../shared/lock.ts";
import { type Choice, choose } from "../store/retention.ts";

export interface CleanupOptions {
  /** Only says what it would remove. */
  readonly dryRun: boolean;
  /** Removes as many verified backups as it finds to be old. @default false: no more than the schedules explain */
  readonly all?: boolean;
  readonly now: Date;
}

/**
 * Removes what is older than the retention, here and in S3: the entry, then the data; then the log that no kept backup
 * needs.
 * @throws AgentError (refused), with nothing removed, where more verified ones would go than the schedules explain
 */
export async function cleanUp(agent: Agent, options: CleanupOptions): Promise<Results["cleanup"]> {
  return await withLock(LOCK, "a cleanup", 3_600_000, async () => {
    const {
      configuration: { retention },
      local,
      s3,
    } = agent;
    const here = await plan(agent, local, retention.localDays, options);
    if (!options.dryRun) await s3?.ownership.hold();
    const there = s3 === undefined ? undefined : await plan(agent, s3, retention.s3Days, options);
    const plans = [here, ...(there === undefined ? [] : [there])];
    const removed = plans.flatMap(({ remove }) => remove);
    if (!options.dryRun) {
      for (const one of plans) await carryOut(one, options.now);
      await forgetRestored(agent, here.remove);
    }
    const removes = options.dryRun ? "would remove" : "removed";
    agent.reporter.log("info", `cleanup: it ${removes} ${removed.length} backups, ${here.keep.length} are kept`);
    const removedSegments = plans.reduce((sum, { segments }) => sum + segments.length, 0);
    return { dryRun: options.dryRun, removed, kept: here.keep, removedSegments };
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

interface Plan extends Choice {
  readonly place: Place;
  readonly entries: readonly Entry[];
  /** Pieces of the binary log that no kept backup needs. */
  readonly segments: readonly string[];
}

async function plan({ configuration }: Agent, place: Place, days: number, options: CleanupOptions): Promise<Plan> {
  const { schedule, volumes } = configuration;
  const { entries, unreadable } = await place.catalogue.list();
  // With an entry that can't be read nobody knows what it needs.
  if (unreadable.length > 0) return { place, entries, keep: entries.map(({ id }) => id), remove: [], segments: [] };
  // On one day more than the schedule needs: two days meet in the time that is counted back.
  const rules = { days, atLeast: 1 + daysWith(schedule.backup, days), ...defined({ volumes: volumes?.map(titleOf) }) };
  const { keep, remove } = choose(entries, rules, options.now);
  const verified = entries.filter(({ id, verified }) => verified && remove.includes(id)).length;
  const most = mostRemoved(schedule);
  if (verified > most && options.all !== true && !options.dryRun) {
    throw refused(
      `a cleanup would remove ${verified} verified backups, and the schedules explain ${most}: nothing was removed`,
      "look at them: ./drydock backup cleanup --dry-run; then: ./drydock backup cleanup --yes",
    );
  }
  const kept = entries.filter(({ id }) => keep.includes(id));
  return { place, entries, keep, remove, segments: unneeded(await place.binlogs.files(), kept) };
}

async function carryOut({ place, entries, remove, segments }: Plan, now: Date): Promise<void> {
  const { catalogue, restic, binlogs } = place;
  for (const id of remove) await catalogue.remove(id);
  const snapshots = await restic.ids();
  await restic.forget(remove.flatMap((id) => snapshots.get(id) ?? []));
  // Of runs that were killed before they were listed, but not of one that is younger than a day.
  const listed = new Set(entries.map(({ id }) => id));
  const orphans = [...snapshots].filter(([id]) => !listed.has(id) && now.getTime() - timeOf(id) > 86_400_000);
  await restic.forget(orphans.flatMap(([, ids]) => ids));
  // Also what failed runs have left, which no snapshot names.
  if (snapshots.size > 0) await restic.prune();
  await binlogs.store.remove(segments);
}

const timeOf = (id: string): number =>
  Date.parse(id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*/, "$1-$2-$3T$4:$5:$6Z"));

/** As many verified backups as may go at once: twice what comes between two cleanups, and some of releases. */
export function mostRemoved({ backup, cleanup }: { readonly backup: string; readonly cleanup: string }): number {
  return 20 + 2 * daysWith(backup, longestPause(cleanup));
}

/** Pieces of the log before the oldest kept backup, which none of the kept ones leads to. */
export function unneeded(archived: readonly Archived[], kept: readonly Entry[]): readonly string[] {
  const positions = kept.flatMap(({ database, finished }) =>
    database?.position === undefined ? [] : [{ ...database.position, before: Date.parse(finished) / 1000 }],
  );
  if (positions.length === 0) return [];
  const needed = new Set<Archived>();
  const firsts: number[] = [];
  for (const { file, position, before } of positions) {
    try {
      const found = chain(archived, { file, position }, before);
      for (const one of found) needed.add(one);
      firsts.push(archived.indexOf(found[0]!));
    } catch {
      // One whose place isn't known may need all of it.
      return [];
    }
  }
  const before = archived.slice(0, Math.min(...firsts)).filter((one) => !needed.has(one));
  return before.flatMap(({ objects }) => objects);
}
