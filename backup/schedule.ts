import { Cron } from "croner";

/** The first time after `from` that a schedule means; null where it is switched off or never comes. */
export function nextTime(pattern: string, from: Date): Date | null {
  return pattern === "" ? null : new Cron(pattern, { timezone: "UTC" }).nextRun(from);
}

/** Whether one is due, however long ago it was: a machine that slept, or an agent that was replaced, makes it up. */
export function isDue(pattern: string, last: Date, now: Date): boolean {
  const next = nextTime(pattern, last);
  return next !== null && next <= now;
}
