import { Cron } from "croner";
import { isFuture } from "../shared/clock.ts";

type Times = Readonly<Record<string, string>>;

const DAY = 86_400_000;
/** Any Monday: how often a schedule comes is counted from a fixed day on, so that it is the same each time. */
const MONDAY = new Date("2026-01-05T00:00:00Z");

/** The first time after `from` that a schedule means; null where it is switched off or never comes. */
export function nextTime(pattern: string, from: Date): Date | null {
  return pattern === "" ? null : new Cron(pattern, { timezone: "UTC" }).nextRun(from);
}

/** Whether one is due, however long ago it was: a machine that slept, or an agent that was replaced, makes it up. */
export function isDue(pattern: string, last: Date, now: Date): boolean {
  const next = nextTime(pattern, last);
  return next !== null && next <= now;
}

/**
 * On how many days of a period a schedule comes; counted for a little more than a year at most.
 * @param days the length of the period
 */
export function daysWith(pattern: string, days: number): number {
  const end = MONDAY.getTime() + Math.min(days, 400) * DAY;
  let count = 0;
  let from = MONDAY.getTime() - 1;
  for (;;) {
    const next = nextTime(pattern, new Date(from))?.getTime();
    if (next === undefined || next >= end) return count;
    count++;
    from = (Math.floor(next / DAY) + 1) * DAY - 1;
  }
}

/** The longest time between two runs of a schedule in a year, in days; a year where it is switched off. */
export function longestPause(pattern: string): number {
  let longest = 0;
  let from = MONDAY;
  while (from.getTime() < MONDAY.getTime() + 366 * DAY) {
    const next = nextTime(pattern, from);
    if (next === null) return 366;
    longest = Math.max(longest, (next.getTime() - from.getTime()) / DAY);
    // Of one that comes several times a day, one of each day is enough.
    from = new Date(Math.max(next.getTime(), from.getTime() + DAY / 2));
  }
  return Math.ceil(longest);
}

/**
 * When each schedule was last followed. A time in the future is one of a clock that was ahead: it counts as now, so
 * that the next run comes at its time and not when the clock has caught up. `ahead` names those that are no trifle.
 */
export function notInFuture(last: Times, now: Date): { readonly last: Times; readonly ahead: readonly string[] } {
  const names = Object.keys(last).filter((name) => Date.parse(last[name]!) > now.getTime());
  if (names.length === 0) return { last, ahead: [] };
  const changed = Object.fromEntries(names.map((name) => [name, now.toISOString()]));
  const ahead = names.filter((name) => isFuture(Date.parse(last[name]!), now.getTime()));
  return { last: { ...last, ...changed }, ahead };
}
