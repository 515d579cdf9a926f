import { type ChildProcess, spawn } from "node:child_process";
import { defined } from "../../lib/defined.ts";

let stopping: NodeJS.Signals | undefined;
let current: { child: ChildProcess; own: boolean } | undefined;
let held = 0;

/**
 * From here until the answer is called, a signal doesn't end the process: what was taken away for a moment must be put
 * back first. Whoever holds asks `interruption` where it can still turn back.
 */
export function hold(): () => void {
  let released = false;
  held++;
  return () => {
    if (!released) held--;
    released = true;
  };
}

/**
 * Whether somebody holds: then a child is started in a process group of its own, which a terminal sends no signal to.
 */
export const isHeld = (): boolean => held > 0;

/** The signal that the user sent, if any: what was running was stopped by it. */
export function interruption(): NodeJS.Signals | undefined {
  return stopping;
}

/**
 * Pulumi takes the first SIGINT as a request to finish what it has started, and the second as an order to drop it: it
 * gets exactly one. On a terminal the kernel sends it to the whole foreground group; elsewhere Pulumi is a group of its
 * own and is handed the signal here. A SIGTERM that follows another signal is the second one.
 */
export function handSignalsOver(): void {
  let dropped = false;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      const first = stopping === undefined;
      stopping ??= signal;
      if (held > 0) {
        if (first) process.stderr.write(`drydock: ${signal} received; putting things back first\n`);
        return;
      }
      if (current === undefined) process.exit(signal === "SIGINT" ? 130 : 143);
      if (!first) {
        // Who sends SIGTERM to what was told to end already is about to kill it, as GitHub does: Pulumi then drops what
        // is under way, and has its lock taken away and its state written before that.
        if (signal === "SIGTERM" && !dropped) current.child.kill("SIGINT");
        dropped ||= signal === "SIGTERM";
        return;
      }
      process.stderr.write(
        `drydock: ${signal} received; waiting for what has started to finish (pid ${current.child.pid})\n`,
      );
      if (current.own || signal === "SIGTERM") current.child.kill("SIGINT");
    });
  }
}

/** Waits for a child that signals are handed over to; answers its exit code. */
export function finish(child: ChildProcess, own: boolean): Promise<number> {
  current = { child, own };
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  }).finally(() => {
    current = undefined;
  }) as Promise<number>;
}

/** Without a terminal to read from, a child is a process group of its own: then signals are handed over. */
export const ownGroup = (): boolean => process.stdin.isTTY !== true;

/** Runs any program as a child that takes part in the hand-over of signals, with the user's own streams. */
export function foreground(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  cwd?: string,
): Promise<number> {
  const own = ownGroup();
  return finish(spawn(command, args, { env, ...defined({ cwd }), stdio: "inherit", detached: own }), own);
}
