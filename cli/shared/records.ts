import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defined } from "../../lib/defined.ts";
import { hear, type Said } from "./child.ts";
import { dockerFor, unanswered } from "./docker.ts";
import { CliError } from "./errors.ts";
import { type Paths, ROOT } from "./project.ts";
import type { Session } from "./session.ts";
import type { Outputs } from "./stack.ts";

/**
 * How the stack's records are reached on its Docker host. Kept in the clone: asking Pulumi takes longer than writing a
 * line.
 */
export interface Records {
  readonly stack: string;
  readonly volume: string;
  readonly image: string;
  /** uid:gid */
  readonly user: string;
  /** The Docker engine; this machine's own where there is none. */
  readonly host?: string;
}

const fileOf = (paths: Paths, stack: string): string => join(paths.folder, `${stack}.records.json`);

/** @returns undefined for a stack that was deployed before there were records */
export function recordsOf({ stack, records }: Outputs, host: string | undefined): Records | undefined {
  return records === undefined ? undefined : { stack, ...records, ...defined({ host }) };
}

export function rememberRecords(paths: Paths, records: Records | undefined): void {
  if (records === undefined) return;
  const [file, text] = [fileOf(paths, records.stack), JSON.stringify(records)];
  try {
    if (!existsSync(file) || readFileSync(file, "utf8") !== text) writeFileSync(file, text);
  } catch {
    /* a clone that can't be written to asks Pulumi each time */
  }
}

export function forgetRecords(paths: Paths, stack: string): void {
  rmSync(fileOf(paths, stack), { force: true });
}

export function rememberedRecords({ paths, stack }: Pick<Session, "paths" | "stack">): Records | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(paths, stack), "utf8")) as Records;
  } catch {
    return undefined;
  }
}

/** The input of commands/functions/records.sh. */
function recordsEnvironment({ stack, volume, image, user }: Records): Record<string, string> {
  return {
    RECORDS: volume,
    RECORDS_IMAGE: image,
    RECORDS_USER: user,
    RECORDS_LABELS: `--label drydock.stack=${stack}`,
  };
}

/** The logs of containers that releases have taken away, oldest first; nothing where there are none. */
export async function readLogsBefore(records: Records, env: NodeJS.ProcessEnv): Promise<string> {
  const script =
    `${EXISTS} . commands/functions/records.sh; in_records readonly 'for file in logs/*.log; ` +
    'do [ ! -f "$file" ] || cat "$file"; done\' </dev/null';
  const { code, stdout, stderr } = await runScript(script, {
    ...dockerFor(records.host, env).env,
    ...recordsEnvironment(records),
  });
  if (code !== 0)
    throw (
      unanswered(stderr, records.stack) ??
      new CliError({
        what: `the logs of earlier releases can't be read: ${stderr.trim()}`,
        remedy: `docker volume inspect ${records.volume}`,
      })
    );
  return stdout;
}

/**
 * Reads files of the records, in one container.
 * @throws CliError where they can't be read
 */
export async function readRecords<N extends string>(
  records: Records,
  env: NodeJS.ProcessEnv,
  files: readonly N[],
): Promise<Readonly<Record<N, string>>> {
  const { code, stdout, stderr } = await runScript(
    `${EXISTS} . commands/functions/records.sh; show ${files.join(" ")}`,
    {
      ...dockerFor(records.host, env).env,
      ...recordsEnvironment(records),
    },
  );
  if (code !== 0)
    throw (
      unanswered(stderr, records.stack) ??
      new CliError({
        what: `the records of stack ${records.stack} can't be read: ${stderr.trim()}`,
        remedy: `docker volume inspect ${records.volume}`,
      })
    );
  const parts = stdout.split(/^=== (.*)$/m).slice(1);
  return Object.fromEntries(files.map((file) => [file, parts[parts.indexOf(file) + 1] ?? ""])) as Record<N, string>;
}

// `docker run` would make a volume that is gone, and it would be nobody's.
const EXISTS = 'docker volume inspect "$RECORDS" >/dev/null || exit 1;';

/**
 * Adds a line to a file of the records. It is written by a process of its own, which outlives this one: nothing waits
 * for it longer than `patience`.
 * @returns whether it is known to be written
 */
export function appendRecord(
  records: Records,
  env: NodeJS.ProcessEnv,
  file: string,
  line: object,
  patience: number,
): Promise<boolean> {
  return new Promise((resolve) => {
    const child = spawn("sh", ["-c", `${EXISTS} . commands/functions/records.sh; append ${file}`], {
      cwd: ROOT,
      env: { ...dockerFor(records.host, env).env, ...recordsEnvironment(records) },
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    const timer = setTimeout(() => resolve(false), patience);
    const done = (written: boolean): void => {
      clearTimeout(timer);
      resolve(written);
    };
    child.once("error", () => done(false));
    child.once("close", (code) => done(code === 0));
    child.stdin.on("error", () => undefined);
    child.stdin.end(`${JSON.stringify(line)}\n`);
    child.unref();
  });
}

/** Runs shell of commands/ in the project's folder. */
export function runScript(
  script: string,
  env: NodeJS.ProcessEnv,
  { input, show = false }: { readonly input?: string; readonly show?: boolean } = {},
): Promise<Said> {
  const child = spawn("sh", ["-c", script], { cwd: ROOT, env, stdio: ["pipe", "pipe", "pipe"] });
  return hear(child, { input, ...(show ? { on: (chunk) => void process.stderr.write(chunk) } : {}) });
}
