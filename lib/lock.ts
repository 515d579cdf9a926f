import { spawnSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";

/**
 * When a process was started, in the kernel's ticks, or as `ps` says it where there is no /proc (macOS): with its
 * number it names it for good. undefined when it ended.
 */
export function startOf(pid: number, proc = "/proc"): string | undefined {
  if (!existsSync(`${proc}/self`)) {
    const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
    const { stdout } = spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8", env });
    return stdout?.trim().replaceAll(/\s+/g, "-") || undefined;
  }
  try {
    const stat = readFileSync(`${proc}/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}

/** What came of one attempt: it was taken, from a stale holder or from nobody; or somebody else has it. */
export type Attempt =
  | { readonly taken: true; readonly previous?: string }
  | { readonly taken: false; readonly holder: string };

/**
 * Tries once to take the lock file `path`. Whoever reads the file finds all of its holder's text.
 *
 * A stale lock is replaced by nobody but who holds a second lock, named after the text of the stale holder: so of many
 * that find the same stale lock exactly one replaces it, and one that was taken meanwhile is never taken from who
 * lives.
 *
 * @param own the text that names this holder; no other attempt may have the same
 * @param stale whether the holder with this text is gone for good
 */
export function tryLock(path: string, own: string, stale: (holder: string) => boolean): Attempt {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, own, { mode: 0o600 });
  try {
    for (;;) {
      if (linked(draft, path)) return { taken: true };
      const holder = read(path);
      // Released just now.
      if (holder === undefined) continue;
      if (!stale(holder)) return { taken: false, holder };
      const right = `${path}.after-${createHash("sha256").update(holder).digest("hex").slice(0, 16)}`;
      const attempt = tryLock(right, own, stale);
      if (!attempt.taken) return attempt;
      try {
        // Otherwise it was replaced before this process had the right to do so.
        if (read(path) === holder) {
          renameSync(draft, path);
          return { taken: true, previous: holder };
        }
      } finally {
        unlock(right, own);
      }
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Gives the lock back; nothing happens where it is another's. */
export function unlock(path: string, own: string): void {
  if (read(path) === own) rmSync(path, { force: true });
}

export interface Waiting {
  readonly stale: (holder: string) => boolean;
  /**
   * Called whenever somebody else has it, with the text of the holder and how long it has been waited for, in ms. What
   * it throws ends the waiting. @default nothing
   */
  readonly held?: (holder: string, waited: number) => void;
  /** Between two attempts, in ms. @default 300 */
  readonly pause?: number;
}

/** Does `work` while holding the lock file; waits for a holder that lives. */
export async function holding<T>(path: string, own: string, waiting: Waiting, work: () => Promise<T>): Promise<T> {
  const { stale, held, pause = 300 } = waiting;
  // Not by the clock, which may be set meanwhile.
  const began = performance.now();
  for (;;) {
    const attempt = tryLock(path, own, stale);
    if (attempt.taken) break;
    held?.(attempt.holder, performance.now() - began);
    await setTimeout(pause);
  }
  try {
    return await work();
  } finally {
    unlock(path, own);
  }
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** undefined where there is none. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
