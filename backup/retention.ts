import type { Entry } from "./protocol.ts";

export interface Choice {
  readonly keep: readonly string[];
  readonly remove: readonly string[];
}

/**
 * Which backups have had their time. Never the newest verified one, whatever the clock says; never what a kept one is an increment of. A clock
 * that stands before the newest backup is wrong, and then nothing goes.
 * @param entries newest first
 */
export function choose(entries: readonly Entry[], days: number, now: Date): Choice {
  const keep = new Set<string>();
  const newest = entries[0];
  const limit = now.getTime() - days * 86_400_000;
  const clockIsWrong = newest !== undefined && now.getTime() < Date.parse(newest.started);
  for (const { id, started } of entries) if (clockIsWrong || Date.parse(started) >= limit) keep.add(id);
  // One of each kind, so that neither the files nor the database are lost because the other was backed up later.
  for (const has of [(entry: Entry) => entry.database !== undefined, (entry: Entry) => entry.files !== undefined]) {
    const proven = entries.find((entry) => entry.verified && has(entry));
    if (proven !== undefined) keep.add(proven.id);
  }
  for (const { id, database } of entries) if (keep.has(id) && database?.base !== undefined) keep.add(database.base);
  return { keep: entries.filter(({ id }) => keep.has(id)).map(({ id }) => id), remove: entries.filter(({ id }) => !keep.has(id)).map(({ id }) => id) };
}

/** The backup and everything that it is an increment of, the full one first. */
export function lineage(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  const base = entry.database?.base;
  if (base === undefined) return [entry];
  const found = entries.find(({ id }) => id === base);
  if (found === undefined) throw new Error(`${entry.id} is an increment of ${base}, which is gone`);
  return [...lineage(entries, found), entry];
}
