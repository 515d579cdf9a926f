import { mkdirSync, linkSync, readFileSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { refused } from "./errors.ts";
import { writeWhole } from "./files.ts";

/** Who holds the lock. */
export interface Holder {
  readonly pid: number;
  /** In the kernel's ticks: names the process for good. */
  readonly start: string;
  readonly what: string;
  readonly since: string;
}

const startOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
};

/** Whoever holds it and lives. A process that was killed holds nothing. */
export function holderOf(path: string): Holder | undefined {
  try {
    const holder = JSON.parse(readFileSync(path, "utf8")) as Holder;
    return startOf(holder.pid) === holder.start ? holder : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Does `work` while holding the lock.
 * @param wait milliseconds to wait for another holder; then it is refused, and told who it is
 */
export async function withLock<T>(path: string, what: string, wait: number, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const own: Holder = { pid: process.pid, start: startOf(process.pid) ?? "", what, since: new Date().toISOString() };
  const draft = `${path}.${process.pid}`;
  writeWhole(draft, JSON.stringify(own));
  const until = Date.now() + wait;
  try {
    for (;;) {
      try {
        linkSync(draft, path);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const holder = holderOf(path);
      if (holder === undefined) rmSync(path, { force: true });
      else if (Date.now() > until) throw refused(`${holder.what} is at work since ${holder.since} (process ${holder.pid})`, "wait for it, or see: ./drydock backup status");
      else await new Promise((wake) => setTimeout(wake, 300));
    }
    return await work();
  } finally {
    rmSync(draft, { force: true });
    if (holderOf(path)?.pid === process.pid) rmSync(path, { force: true });
  }
}
