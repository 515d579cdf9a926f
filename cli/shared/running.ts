import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isAtWork } from "./locks.ts";

/** An operation of Pulumi's that is under way in this clone. */
export interface Running {
  /** up, preview, refresh, … */
  readonly operation: string;
  /** The process that started it. */
  readonly pid: number;
  /** ISO 8601. */
  readonly since: string;
  /** The file that Pulumi writes its events to, one in a line, until it has ended. */
  readonly log: string;
}

const fileOf = (root: string, stack: string): string => join(root, ".drydock", `${stack}.running.json`);

/** Notes where an operation's events are while it runs, if that can be written. The answer takes it back. */
export function noteRunning(root: string, stack: string, operation: string, log: string): () => void {
  const running: Running = { operation, pid: process.pid, since: new Date().toISOString(), log };
  try {
    writeFileSync(fileOf(root, stack), JSON.stringify(running), { mode: 0o600 });
  } catch {
    return () => undefined;
  }
  return () => {
    // Another operation may have started meanwhile.
    if (noted(root, stack)?.log === log) rmSync(fileOf(root, stack), { force: true });
  };
}

/** Undefined where none is under way, or its process is gone. */
export function readRunning(
  root: string,
  stack: string,
  atWork: (pid: number) => boolean = isAtWork,
): Running | undefined {
  const running = noted(root, stack);
  return running !== undefined && atWork(running.pid) ? running : undefined;
}

function noted(root: string, stack: string): Running | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(root, stack), "utf8")) as Running;
  } catch {
    return undefined;
  }
}
