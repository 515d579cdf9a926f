import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { COMPANION, type Event, eventSchema, type Results } from "../../contracts/agent.ts";
import type { Docker } from "../shared/docker.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { select } from "../shared/project.ts";
import { type Deployed, deployed } from "../shared/services.ts";
import { openSession, type Session } from "../shared/session.ts";
import { shown } from "./shown.ts";

/** A stack's backup agent, and what a restore needs besides. */
export interface BackupHost {
  readonly session: Session;
  readonly deployed: Deployed;
  readonly docker: Docker;
  /** The agent's container. */
  readonly agent: string;
}

/** @throws CliError where the stack is not deployed, or has no agent */
export async function backupHost(stack: string | undefined): Promise<BackupHost> {
  const session = await openSession({ stack, brief: true });
  const target = await deployed(session);
  return { session, deployed: target, docker: target.docker, agent: containerOf(target, "backup") };
}

export function containerOf({ outputs }: Deployed, role: string): string {
  const found = outputs.services.find((service) => service.role === role);
  if (found !== undefined) return found.container;
  throw new CliError({
    what: `stack ${outputs.stack} has no container of role ${role}`,
    remedy:
      `turn backups on: eval "$(./drydock env)" && pulumi config set -s ${outputs.stack} --path ` +
      `drydock:backup.enabled true && ./drydock up${select(outputs.stack)}`,
  });
}

/** What `docker inspect` says of a container whose volumes a one-off container is to have. */
export interface Inspection {
  readonly Config: { readonly User: string; readonly Image: string };
  readonly Mounts: readonly { readonly Name?: string; readonly Destination: string }[];
}

export function volumeAt({ Mounts }: Inspection, path: string): string {
  return Mounts.find(({ Destination }) => Destination === path)?.Name ?? "";
}

export type AgentVerb = keyof Results;

export interface AskOptions {
  /** Called with everything that the agent says while it works. @default nothing */
  readonly on?: (event: Event) => void;
  /** Where the data of `dump` and `files` go; then what the agent says comes on its standard error. */
  readonly data?: Writable;
  /** Another companion than the stack's own; the agent begins while it starts. */
  readonly companion?: { readonly alias: string; readonly ready: Promise<void> };
}

/**
 * Has the agent do something and answers its result.
 * @throws CliError with what the agent said, its remedy and its exit code
 */
export async function ask<V extends AgentVerb>(
  { docker, agent, session }: BackupHost,
  verb: V,
  args: readonly string[] = [],
  { on, data, companion }: AskOptions = {},
): Promise<Results[V]> {
  const child = spawn(
    "docker",
    [
      "exec",
      ...(companion === undefined ? [] : ["--interactive", "--env", `${COMPANION.host}=${companion.alias}`]),
      agent,
      "agent",
      verb,
      ...args,
      "--json",
    ],
    { env: docker.env, stdio: ["pipe", "pipe", "pipe"] },
  );
  child.stdin.on("error", () => undefined);
  if (companion === undefined) child.stdin.end();
  else
    companion.ready.then(
      () => child.stdin.end("it answers\n"),
      () => child.stdin.end(),
    );
  let result: Results[V] | undefined;
  let failure: Extract<Event, { event: "error" }> | undefined;
  const rest: string[] = [];
  const read = (line: string): void => {
    const event = eventOf(line);
    if (event === undefined) rest.push(line);
    else if (event.event === "error") failure = event;
    else if (event.event === "result") result = event as unknown as Results[V];
    else on?.(event);
  };
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? Exit.failed));
  });
  createInterface({ input: child.stderr }).on("line", read);
  if (data === undefined) createInterface({ input: child.stdout }).on("line", read);
  const [code] = await Promise.all([
    ended,
    data === undefined
      ? undefined
      : pipeline(child.stdout, data).catch((error: Error) => {
          child.kill();
          throw new CliError({ what: `what the agent sends could not be taken: ${error.message}` });
        }),
  ]);
  // A failed check of health is a result as well.
  if (result !== undefined && failure === undefined) return result;
  const why = shown(failure?.message ?? (rest.join("\n").trim() || `it ended with exit code ${code} and said nothing`));
  if (/is not running|No such container/.test(why))
    throw new CliError({
      what: `the backup agent ${agent} does not run`,
      remedy: `./drydock up${select(session.stack)}`,
    });
  const broken = /the connection to ssh:\/\/\S+ broke/.exec(why)?.[0];
  if (broken !== undefined)
    throw new CliError({
      what: `${broken}; what the agent had started it ends by itself, or puts back`,
      remedy:
        `./drydock backup status${select(session.stack)}, then the same command again\n` +
        "if it breaks again: ssh -v to that host, and its journal (journalctl -u ssh)",
    });
  throw new CliError({
    what: `the backup agent: ${why}`,
    remedy: failure?.remedy ?? `./drydock backup logs${select(session.stack)}`,
    code: failure?.code ?? (code === 0 ? Exit.failed : code),
  });
}

export function eventOf(line: string): Event | undefined {
  try {
    const parsed = eventSchema.safeParse(JSON.parse(line));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}
