import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { defined } from "../../lib/defined.ts";
import { tryLock, unlock } from "../../lib/lock.ts";
import { CliError, Exit } from "./errors.ts";
import { PROJECT } from "./project.ts";

/** Who holds a lock, as Pulumi's file backend writes it; Drydock's own locks have the same form. */
export interface Holder {
  readonly pid: number;
  readonly username: string;
  readonly hostname: string;
  readonly timestamp: string;
}

/**
 * `free`: nobody; `stale`: its process is gone; `alive`: it is at work; `elsewhere`: another machine's, nobody here can
 * tell.
 */
export type Verdict = "free" | "stale" | "alive" | "elsewhere";

/** A signal of 0 only asks; EPERM means that it exists and is somebody else's. */
export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * A process number is used again after a while: where the system tells (Linux), the command line must be one of ours as
 * well. A zombie has an empty one; it is over.
 */
export function isAtWork(pid: number, exists: (pid: number) => boolean = processExists, proc = "/proc"): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || !exists(pid)) return false;
  try {
    return /pulumi|drydock|start\/cli\.mjs/.test(readFileSync(join(proc, String(pid), "cmdline"), "utf8"));
  } catch {
    return true;
  }
}

export function judge(
  holder: Holder | undefined,
  here: string = hostname(),
  atWork: (pid: number) => boolean = isAtWork,
): Verdict {
  if (holder === undefined) return "free";
  if (holder.hostname !== here) return "elsewhere";
  return atWork(holder.pid) ? "alive" : "stale";
}

/** Undefined for a file that is missing or was cut off while it was written. */
export function readHolder(file: string): Holder | undefined {
  try {
    return parseHolder(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, username, hostname: host, timestamp } = JSON.parse(text) as Partial<Holder>;
    return typeof pid === "number"
      ? { pid, username: username ?? "", hostname: host ?? "", timestamp: timestamp ?? "" }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The locks that Pulumi's file backend has on a stack. */
export function pulumiLocks(state: string, stack: string): readonly Holder[] {
  const folder = join(state, ".pulumi", "locks", "organization", PROJECT, stack);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .flatMap((name) => readHolder(join(folder, name)) ?? []);
}

export function heldBy(stack: string, holder: Holder): CliError {
  const here = holder.hostname === hostname();
  return new CliError({
    what:
      `stack ${stack} is being changed by ${holder.username}@${holder.hostname} (pid ${holder.pid}, ` +
      `since ${holder.timestamp})`,
    remedy: here
      ? `wait until it has ended (ps -p ${holder.pid}), then run the command again`
      : `wait until it has ended; if it never will: eval "$(./drydock env)" && pulumi cancel -s ${stack} --yes`,
    code: Exit.refused,
    held: { holder },
  });
}

export interface Lock {
  /** Whose lock was taken over because his process is gone: what he had started may still be at work. */
  readonly previous?: Holder;
  release(): void;
}

/**
 * Takes Drydock's own lock of a stack: Pulumi's begins only with the update, and set-up and a stack's file come before
 * it. A lock whose process is gone is taken over.
 * @throws CliError (refused) naming the holder
 */
export function takeLock(file: string, stack: string): Lock {
  const timestamp = new Date().toISOString();
  const own: Holder = { pid: process.pid, username: userInfo().username, hostname: hostname(), timestamp };
  const mine = JSON.stringify({ ...own, id: randomUUID() });
  // One that was cut off is nobody's.
  const stale = (text: string): boolean => ["free", "stale"].includes(judge(parseHolder(text)));
  const attempt = tryLock(file, mine, stale);
  if (!attempt.taken) throw heldBy(stack, parseHolder(attempt.holder)!);
  const previous = attempt.previous === undefined ? undefined : parseHolder(attempt.previous);
  const release = (): void => unlock(file, mine);
  process.once("exit", release);
  return {
    ...defined({ previous }),
    release: () => {
      process.off("exit", release);
      release();
    },
  };
}
