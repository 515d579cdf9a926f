import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type HearOptions, hear, type Said } from "./child.ts";
import { connect } from "./connection.ts";
import { CliError } from "./errors.ts";
import { isHeld } from "./signals.ts";
import { translate } from "./translations.ts";

/**
 * The docker client for one host: it speaks ssh:// with the user's own ssh configuration, which no library here does.
 */
export interface Docker {
  readonly env: NodeJS.ProcessEnv;
  /** Secrets go into `input`, never into `args`. */
  run(args: readonly string[], options?: HearOptions): Promise<Said>;
}

export function dockerFor(host: string | undefined, env: NodeJS.ProcessEnv = process.env): Docker {
  const own = host === undefined ? env : { ...env, DOCKER_HOST: host };
  return {
    env: own,
    async run(args, options = {}) {
      await connect(own.DOCKER_HOST, own);
      return hear(
        spawn("docker", args, {
          env: own,
          detached: isHeld(),
          stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
        }),
        options,
      ).catch((error: NodeJS.ErrnoException) => {
        throw error.code === "ENOENT" ? noClient() : error;
      });
    },
  };
}

/**
 * The host of the docker client's current context, where the user has chosen one: Pulumi's plugins know DOCKER_HOST,
 * but no contexts. Undefined where DOCKER_HOST says it already, or nothing was chosen.
 */
export async function contextHost(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  if (env.DOCKER_HOST !== undefined) return undefined;
  const context = env.DOCKER_CONTEXT ?? currentContext(env.DOCKER_CONFIG ?? join(homedir(), ".docker"));
  if (context === undefined || context === "default") return undefined;
  const { code, stdout } = await dockerFor(undefined, env).run([
    "context",
    "inspect",
    "--format",
    "{{.Endpoints.docker.Host}}",
    context,
  ]);
  return code === 0 && stdout.trim() !== "" ? stdout.trim() : undefined;
}

function currentContext(folder: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(join(folder, "config.json"), "utf8")) as { currentContext?: string })
      .currentContext;
  } catch {
    return undefined;
  }
}

function noClient(): CliError {
  return new CliError({
    what: "the docker command was not found on PATH",
    remedy: "install Docker's client: apt-get install docker-cli (or https://docs.docker.com/engine/install/)",
  });
}

/** What `docker inspect` says, as far as the verbs use it. */
export interface Inspected {
  readonly Id: string;
  readonly Name: string;
  readonly Created: string;
  readonly Config: { readonly Image: string; readonly Labels?: Readonly<Record<string, string>> | null };
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, unknown>> };
  readonly RestartCount?: number;
  readonly State: {
    readonly Status: string;
    readonly StartedAt?: string;
    readonly ExitCode?: number;
    readonly Health?: { readonly Status: string } | null;
  };
}

/** Inspects all of them at once; one that doesn't exist is left out. */
export async function inspect<T extends Inspected>(
  docker: Docker,
  containers: readonly string[],
  stack: string,
  timeout?: number,
): Promise<readonly T[]> {
  if (containers.length === 0) return [];
  const { code, stdout, stderr } = await docker.run(["container", "inspect", ...containers], { timeout });
  const complaints = stderr.split("\n").filter((line) => line !== "" && !/No such container/i.test(line));
  if (code !== 0 && complaints.length > 0) throw dockerFailure(complaints.join("\n"), stack);
  return JSON.parse(stdout === "" ? "[]" : stdout) as T[];
}

/** Undefined where what the docker client says is not that the engine can't be asked at all. */
export function unanswered(stderr: string, stack: string): CliError | undefined {
  const problem = translate(stderr, { stack, passphrase: "" });
  return problem !== undefined && /^Docker does not answer|no permission to use Docker/.test(problem.what)
    ? new CliError(problem)
    : undefined;
}

export function dockerFailure(output: string, stack: string): CliError {
  return new CliError(translate(output, { stack, passphrase: "" }) ?? { what: `docker: ${output.trim()}` });
}
