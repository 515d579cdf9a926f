import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EngineEvent, readEvents } from "./events.ts";
import { noteRunning } from "./running.ts";
import { finish, ownGroup } from "./signals.ts";
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
  stream(
    args: readonly string[],
    options?: { readonly quiet?: boolean; readonly env?: NodeJS.ProcessEnv },
  ): Promise<Streamed>;
}

/** The engine's own notation for colours, in messages of its event log. */
export const MARKUP = /<\{%[^%]*%\}>/g;

/** Where an operation is shown. */
let screen: "inherit" | NodeJS.WriteStream = "inherit";

/** Leaves standard output to the command's own answer: operations are shown on standard error. */
export function keepStdout(): void {
  screen = process.stderr;
}

export function pulumiCli(bin: string, root: string, env: NodeJS.ProcessEnv): Pulumi {
  return {
    async capture(args, input) {
      const child = spawn(bin, [...args, "--non-interactive", "--color", "never"], {
        cwd: root,
        env,
        stdio: ["pipe", "pipe", "pipe"],
        detached: true,
      });
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
      const named = args.indexOf("--stack");
      const ended = named < 0 ? undefined : noteRunning(root, args[named + 1] ?? "", args[0] ?? "", log);
      try {
        const child = spawn(
          bin,
          [...args, "--event-log", log, ...(process.stdout.isTTY === true ? [] : ["--suppress-progress"])],
          {
            cwd: root,
            // The event log is what Pulumi's Automation API reads; the flag is there when debug commands are on.
            env: {
              ...env,
              ...more,
              PULUMI_DEBUG_COMMANDS: "true",
              ...(colourful(process.stdout) ? {} : { NO_COLOR: "1" }),
            },
            stdio: [own ? "ignore" : "inherit", quiet ? "pipe" : screen, "pipe"],
            detached: own,
          },
        );
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
        const diagnostics = events
          .flatMap((event) => event.diagnosticEvent ?? [])
          .filter(({ severity }) => severity === "error");
        const violations = events
          .flatMap((event) => event.policyEvent ?? [])
          .filter(({ enforcementLevel }) => enforcementLevel === "mandatory");
        return {
          code,
          events,
          complaints: [
            Buffer.concat(complaints).toString(),
            ...unhealthyIn(events).map((name) => `container ${name} is not healthy`),
            ...diagnostics.map(({ message }) => message),
            ...violations.map(({ policyName, message }) => `[mandatory] ${policyName}: ${message}`),
          ]
            .join("\n")
            .replace(MARKUP, ""),
        };
      } finally {
        ended?.();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  };
}
