import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { EngineEvent, StepMetadata } from "../../../cli/shared/events.ts";
import type { Clone } from "../clone.ts";

/** A step of a release as the engine names it: what it does to which resource. */
export interface Step {
  readonly name: string;
  /** Of the resource. */
  readonly type: string;
  /** How long it took, in ms. */
  readonly took: number;
}

/** A plain `pulumi up` in a session of its own, whose steps are seen while they run. */
export class PlainUp {
  private readonly child: ChildProcess;
  private readonly log: string;
  private said = "";

  constructor(clone: Clone) {
    this.log = join(clone.dir, ".drydock", "events.json");
    rmSync(this.log, { force: true });
    const script =
      'eval "$(./drydock env 2>/dev/null)" && exec pulumi up --stack local --yes --skip-preview ' +
      '--suppress-progress --non-interactive --event-log "$0"';
    this.child = spawn("bash", ["-c", script, this.log], {
      cwd: clone.dir,
      env: clone.env({ PULUMI_DEBUG_COMMANDS: "true" }),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    for (const stream of [this.child.stdout, this.child.stderr])
      stream?.on("data", (chunk: Buffer) => {
        this.said += String(chunk);
      });
  }

  get output(): string {
    return this.said;
  }

  get over(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Runs to its end: the steps in their order. */
  async steps(): Promise<readonly Step[]> {
    const seen = new Map<string, { type: string; started: number; ended?: number }>();
    for (;;) {
      const { over } = this;
      for (const { step, type, ends } of this.events()) {
        const known = seen.get(step);
        if (known === undefined) seen.set(step, { type, started: Date.now() });
        else if (ends) known.ended ??= Date.now();
      }
      if (over) break;
      await sleep(20);
    }
    if (this.child.exitCode !== 0) throw new Error(`pulumi up ended with ${this.child.exitCode}\n${this.said}`);
    return [...seen].map(([name, { type, started, ended }]) => ({ name, type, took: (ended ?? started) - started }));
  }

  /** Waits until a step has started; false where the release is over without it. */
  async begins(step: string): Promise<boolean> {
    for (;;) {
      const { over } = this;
      if (this.events().some((event) => event.step === step)) return true;
      if (over) return false;
      await sleep(20);
    }
  }

  /** Ends it as a power failure would: itself, its plugins, and the scripts that they run, at once. */
  async kill(): Promise<void> {
    const { pid } = this.child;
    const exited = this.over ? undefined : once(this.child, "close");
    if (pid !== undefined) killSession(pid);
    await exited;
  }

  private events(): { step: string; type: string; ends: boolean }[] {
    if (!existsSync(this.log)) return [];
    return readFileSync(this.log, "utf8")
      .split("\n")
      .flatMap((line) => {
        try {
          const { resourcePreEvent, resOutputsEvent } = JSON.parse(line) as EngineEvent;
          const metadata = (resourcePreEvent ?? resOutputsEvent)?.metadata;
          return metadata === undefined || isNothing(metadata)
            ? []
            : [
                {
                  step: `${metadata.op} ${metadata.urn.split("::").at(-1)}`,
                  type: metadata.type,
                  ends: resOutputsEvent !== undefined,
                },
              ];
        } catch {
          return []; // an event that is just being written
        }
      });
  }
}

/**
 * Nothing is done in a step of a component, in one that finds all as it was, and at the end of a command that has
 * nothing to undo.
 */
function isNothing({ op, type, old }: StepMetadata): boolean {
  return (
    /^(same|replace|read|refresh|discard)/.test(op) ||
    /^(drydock|pulumi):/.test(type) ||
    (op.startsWith("delete") && type.startsWith("command:") && old?.inputs?.delete === undefined)
  );
}

/** Process groups come and go in a session; the session stays. */
export function killSession(session: number): void {
  for (let left = members(session); left.length > 0; left = members(session)) {
    for (const pid of left) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        /* it has ended meanwhile */
      }
    }
  }
}

/** The same for a process and all that it has started, in whatever session. */
export function killTree(pid: number): void {
  const all = processes();
  const below = (parent: number): Process[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  for (const session of new Set([pid, ...below(pid).map((one) => one.session)])) killSession(session);
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
}

const members = (session: number): number[] =>
  processes()
    .filter((one) => one.session === session)
    .map(({ pid }) => pid);

function processes(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        // After the name in brackets: state, parent, group, session.
        const [state, parent, , session] = readFileSync(`/proc/${name}/stat`, "utf8")
          .replace(/^.*\) /s, "")
          .split(" ");
        return state === "Z" ? [] : [{ pid: Number(name), parent: Number(parent), session: Number(session) }];
      } catch {
        return []; // it has ended meanwhile
      }
    });
}
