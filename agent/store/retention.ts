import type { Entry } from "../../contracts/entry.ts";
import { TOLERANCE } from "../shared/clock.ts";

const DAY = 86_400_000;

export interface Choice {
  readonly keep: readonly string[];
  readonly remove: readonly string[];
}

export interface Rules {
  /** How long a backup is kept, counted from the newest verified one. */
  readonly days: number;
  /** On how many different days the newest verified ones stay, however old they seem to be. @default 1 */
  readonly atLeast?: number;
  /** The titles of the volumes that are backed up now. @default none */
  readonly volumes?: readonly string[];
}

/**
 * Which backups have had their time. Never the newest verified ones, whatever the clock says and said: a clock that is
 * ahead must not make them old, nor a week of backups that failed. Never what a kept one is an increment of.
 * @param entries newest first, in the order in which they were made
 */
export function choose(entries: readonly Entry[], { days, atLeast = 1, volumes = [] }: Rules, now: Date): Choice {
  const times = timesOf(entries, now.getTime());
  const proven = entries.filter(({ verified }) => verified).map(({ id }) => times.get(id)!);
  const limit = Math.min(now.getTime(), ...proven.slice(0, 1)) - days * DAY;
  const keep = new Set<string>();
  for (const { id } of entries) if (times.get(id)! >= limit) keep.add(id);
  // Of each kind, so that neither the files nor the database are lost because the other was backed up later.
  const kinds = [
    (entry: Entry) => entry.database !== undefined,
    (entry: Entry) => entry.files !== undefined,
    ...volumes.map((title) => (entry: Entry) => Object.hasOwn(entry.volumes ?? {}, title)),
  ];
  for (const has of kinds) {
    const dates = new Set<number>();
    for (const entry of entries) {
      if (!entry.verified || !has(entry)) continue;
      const date = Math.floor(times.get(entry.id)! / DAY);
      if (dates.size >= atLeast && !dates.has(date)) break;
      dates.add(date);
      keep.add(entry.id);
    }
  }
  for (const { id, database } of entries) if (keep.has(id) && database?.base !== undefined) keep.add(database.base);
  const ids = entries.map(({ id }) => id);
  return { keep: ids.filter((id) => keep.has(id)), remove: ids.filter((id) => !keep.has(id)) };
}

/**
 * When each was made, as far as the others tell. One that seems to have been made before an earlier one was made when
 * the clock was behind: it is as new as that one. One from the future was made when it was ahead: as old as the next.
 */
function timesOf(entries: readonly Entry[], now: number): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  let newest = -Infinity;
  for (const { id, started } of [...entries].reverse()) {
    const time = Date.parse(started);
    if (time > now + TOLERANCE) continue;
    newest = Math.max(newest, time);
    times.set(id, newest);
  }
  let next = now;
  for (const { id } of entries) {
    next = times.get(id) ?? next;
    times.set(id, next);
  }
  return times;
}

/** The backup and everything that it is an increment of, the full one first. */
export function lineage(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  const base = entry.database?.base;
  if (base === undefined) return [entry];
  const found = entries.find(({ id }) => id === base);
  if (found === undefined) throw new Error(`${entry.id} is an increment of ${base}, which is gone`);
  return [...lineage(entries, found), entry];
}
