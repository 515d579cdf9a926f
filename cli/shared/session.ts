import { defined } from "../../lib/defined.ts";
import { ensureEngine } from "../setup/engine.ts";
import { ensureState } from "../setup/passphrase.ts";
import { chosenBackend } from "./backend.ts";
import { contextHost } from "./docker.ts";
import { engineVariables, stateVariables, type Variables } from "./environment.ts";
import { CliError, Exit } from "./errors.ts";
import { LOCAL, type Paths, pathsOf } from "./project.ts";
import { type Pulumi, pulumiCli, type Streamed } from "./pulumi.ts";
import { interruption } from "./signals.ts";
import { selectedStack, settingAt, stackConfig } from "./stack.ts";
import { pulumiFailure } from "./translations.ts";
import { onTerminal } from "./ui.ts";

/** One command's view of this clone: the engine is there, its environment is set, and the stack is known. */
export interface Session {
  readonly paths: Paths;
  readonly stack: string;
  /** What `./drydock env` prints. */
  readonly variables: Variables;
  /** The process's environment with `variables` over it. */
  readonly env: NodeJS.ProcessEnv;
  readonly pulumi: Pulumi;
}

export interface SessionOptions {
  /** @default the selected stack, or `local` */
  readonly stack?: string | undefined;
  /** Doesn't say which engine is used. @default false */
  readonly brief?: boolean;
}

export async function openSession({ stack: asked, brief }: SessionOptions = {}): Promise<Session> {
  const paths = pathsOf();
  const engine = await ensureEngine(brief);
  const docker = await contextHost();
  const own = stateVariables(paths);
  const stack = asked ?? selectedStack(paths, { ...process.env, ...engine.variables, ...own }) ?? LOCAL;
  if (!/^[A-Za-z0-9_.-]{1,100}$/.test(stack)) {
    throw new CliError({
      what: `"${stack}" is not the name of a stack`,
      remedy: "letters, digits, - _ and . only: ./drydock up -s staging",
      code: Exit.usage,
    });
  }
  // The plugin for it is large: only a stack with a bucket waits for it.
  if (hasBucket(paths, stack)) await ensureEngine(true, ["aws"]);
  const chosen = own.PULUMI_BACKEND_URL === undefined ? undefined : chosenBackend(paths, stack);
  const variables = {
    ...engine.variables,
    ...own,
    ...defined({ PULUMI_BACKEND_URL: chosen }),
    ...engineVariables(),
    ...defined({ DOCKER_HOST: docker }),
  };
  const env = { ...process.env, ...variables };
  ensureState(paths, stack, env);
  return { paths, stack, variables, env, pulumi: pulumiCli(engine.bin, paths.root, env) };
}

function hasBucket(paths: Paths, stack: string): boolean {
  try {
    return settingAt(stackConfig(paths, stack), "bucket") !== undefined;
  } catch {
    return false; // what is wrong with the file is said by who needs it
  }
}

/**
 * Fails as a person can read it where an operation of Pulumi's failed; an interrupted one ends the command.
 * @param standing what serves after the failure
 */
export function succeeded(command: string, run: Streamed, { stack, paths }: Session, standing?: string): void {
  // On a terminal Pulumi's display reads the keys itself, so that Ctrl-C is no signal for anybody else.
  const signal =
    interruption() ??
    (onTerminal() && /(?:update|preview|destroy|refresh|context) cancell?ed/.test(run.complaints)
      ? "SIGINT"
      : undefined);
  if (signal !== undefined) {
    throw new CliError({
      what: `interrupted; pulumi ${command} has ended, and nothing is left half-recorded`,
      remedy: "run the same command again: it continues from here",
      code: signal === "SIGINT" ? Exit.interrupted : Exit.terminated,
    });
  }
  if (run.code !== 0)
    throw pulumiFailure(command, run.complaints, { stack, passphrase: paths.passphrase, ...defined({ standing }) });
}
