import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readEvents, type EngineEvent } from "./events.ts";
import { colourful } from "./ui.ts";
import { unhealthyIn } from "./unhealthy.ts";

export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Streamed {
  readonly code: number;
  /** What it wrote to stderr and reported as diagnostics: for the translation of errors. */
  readonly complaints: string;
  readonly events: readonly EngineEvent[];
}

/** Pulumi's CLI in this clone, with one environment. */
export interface Pulumi {
  /** Runs quietly and returns what it printed; `input` goes to stdin, for what must not be on a command line. */
  capture(args: readonly string[], input?: string): Promise<Finished>;
  /** Runs before the user's eyes: an operation on a stack. */
  stream(args: readonly string[], options?: { readonly quiet?: boolean; readonly env?: NodeJS.ProcessEnv }): Promise<Streamed>;
}

/** The engine's own notation for colours, in messages of its event log. */
const MARKUP = /<\{%[^%]*%\}>/g;

/** Where an operation is shown. */
let screen: "inherit" | NodeJS.WriteStream = "inherit";

/** Leaves standard output to the command's own answer: operations are shown on standard error. */
export function keepStdout(): void {
  screen = process.stderr;
}

let stopping: NodeJS.Signals | undefined;
let current: { child: ChildProcess; own: boolean } | undefined;
let held = 0;

/**
 * From here until the answer is called, a signal doesn't end the process: what was taken away for a moment must be put back first.
 * Whoever holds asks `interruption` where it can still turn back.
 */
export function hold(): () => void {
  let released = false;
  held++;
  return () => {
    if (!released) held--;
    released = true;
  };
}

/** Whether somebody holds: then a child is started in a process group of its own, which a terminal sends no signal to. */
export const isHeld = (): boolean => held > 0;

/** The signal that the user sent, if any: what was running was stopped by it. */
export function interruption(): NodeJS.Signals | undefined {
  return stopping;
}

/**
 * Pulumi takes the first SIGINT as a request to finish what it has begun, and the second as an order to drop it: so it gets exactly one.
 * On a terminal the kernel sends it to the whole foreground group; elsewhere Pulumi is a group of its own and is handed the signal here.
 * A SIGTERM that follows another signal is the second one.
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
        // Who sends SIGTERM to what was told to end already is about to kill it, as GitHub does: Pulumi then drops what is
        // under way, and has its lock taken away and its state written before that.
        if (signal === "SIGTERM" && !dropped) current.child.kill("SIGINT");
        dropped ||= signal === "SIGTERM";
        return;
      }
      process.stderr.write(`drydock: ${signal} received; waiting for what has begun to finish (pid ${current.child.pid})\n`);
      if (current.own || signal === "SIGTERM") current.child.kill("SIGINT");
    });
  }
}

function finish(child: ChildProcess, own: boolean): Promise<number> {
  current = { child, own };
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  }).finally(() => { current = undefined; }) as Promise<number>;
}

/** Without a terminal to read from, a child is a process group of its own: then signals are handed over. */
const ownGroup = (): boolean => process.stdin.isTTY !== true;

/** Runs any program as a child that takes part in the hand-over of signals, with the user's own streams. */
export function foreground(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env, cwd?: string): Promise<number> {
  const own = ownGroup();
  return finish(spawn(command, args, { env, ...(cwd === undefined ? {} : { cwd }), stdio: "inherit", detached: own }), own);
}

export function pulumiCli(bin: string, root: string, env: NodeJS.ProcessEnv): Pulumi {
  return {
    async capture(args, input) {
      const child = spawn(bin, [...args, "--non-interactive", "--color", "never"], { cwd: root, env, stdio: ["pipe", "pipe", "pipe"], detached: true });
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
      child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
      child.stdin.on("error", () => undefined);
      child.stdin.end(input ?? "");
      const code = await finish(child, true);
      return { code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() };
    },

    async stream(args, { quiet = false, env: more = {} } = {}) {
      const folder = mkdtempSync(join(tmpdir(), "drydock-"));
      const log = join(folder, "events.json");
      const own = ownGroup();
      try {
        const child = spawn(bin, [...args, "--event-log", log, ...(process.stdout.isTTY === true ? [] : ["--suppress-progress"])], {
          cwd: root,
          // The event log is what Pulumi's Automation API reads; the flag is there when debug commands are on.
          env: { ...env, ...more, PULUMI_DEBUG_COMMANDS: "true", ...(colourful(process.stdout) ? {} : { NO_COLOR: "1" }) },
          stdio: [own ? "ignore" : "inherit", quiet ? "pipe" : screen, "pipe"],
          detached: own,
        });
        const printed: Buffer[] = [];
        const complaints: Buffer[] = [];
        child.stdout?.on("data", (chunk: Buffer) => printed.push(chunk));
        child.stderr?.on("data", (chunk: Buffer) => {
          complaints.push(chunk);
          if (!quiet) process.stderr.write(chunk);
        });
        const code = await finish(child, own);
        if (quiet && code !== 0) process.stderr.write(Buffer.concat([...printed, ...complaints]));
        const events = readEvents(log, (file) => readFileSync(file, "utf8"));
        const diagnostics = events.flatMap((event) => event.diagnosticEvent ?? []).filter(({ severity }) => severity === "error");
        const violations = events.flatMap((event) => event.policyEvent ?? []).filter(({ enforcementLevel }) => enforcementLevel === "mandatory");
        return {
          code,
          events,
          complaints: [
            Buffer.concat(complaints).toString(),
            ...unhealthyIn(events).map((name) => `container ${name} is not healthy`),
            ...diagnostics.map(({ message }) => message),
            ...violations.map(({ policyName, message }) => `[mandatory] ${policyName}: ${message}`),
          ].join("\n").replace(MARKUP, ""),
        };
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}
