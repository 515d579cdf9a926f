import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { FOLDERS } from "../../contracts/agent.ts";
import { holding, startOf } from "../../lib/lock.ts";
import { refused } from "./errors.ts";

/** Held by whoever writes to the repository or the catalogue: a backup, a cleanup, a repair, a new beginning. */
export const LOCK = `${FOLDERS.backups}/state/lock`;

/** Who holds the lock. */
export interface Holder {
  readonly pid: number;
  /** In the kernel's ticks: names the process for good. */
  readonly start: string;
  readonly what: string;
  readonly since: string;
}

function parse(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
}

/** What was cut off, or is of a process that has ended. */
function isStale(text: string): boolean {
  const holder = parse(text);
  return holder === undefined || startOf(holder.pid) !== holder.start;
}

/** Whoever holds it and lives. A process that was killed holds nothing. */
export function holderOf(path: string): Holder | undefined {
  try {
    const text = readFileSync(path, "utf8");
    return isStale(text) ? undefined : parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Does `work` while holding the lock.
 * @param wait milliseconds to wait for another holder; then it is refused, and told who it is
 */
export async function withLock<T>(path: string, what: string, wait: number, work: () => Promise<T>): Promise<T> {
  const { pid } = process;
  const own = { pid, start: startOf(pid) ?? "", what, since: new Date().toISOString(), id: randomUUID() };
  const held = (text: string, waited: number): void => {
    if (waited <= wait) return;
    const holder = parse(text);
    throw refused(
      `${holder?.what} is at work since ${holder?.since} (process ${holder?.pid})`,
      "wait for it, or see: ./drydock backup status",
    );
  };
  return await holding(path, JSON.stringify(own), { stale: isStale, held }, work);
}
