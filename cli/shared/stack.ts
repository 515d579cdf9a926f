import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { at } from "../../lib/paths.ts";
import { stateFolder } from "./environment.ts";
import { CliError } from "./errors.ts";
import { type Paths, PROJECT, select } from "./project.ts";
import type { Pulumi } from "./pulumi.ts";

/** What index.ts exports, as far as the verbs use it. */
export interface Outputs {
  readonly stack: string;
  readonly url: string;
  readonly release: string;
  readonly envHash?: string;
  readonly services: readonly StackContainer[];
  /** The Docker host of the settings; null for this machine's own. */
  readonly dockerHost?: string | null;
  /** The volume with the stack's records, and how it is mounted. */
  readonly records?: { readonly volume: string; readonly image: string; readonly user: string };
}

/** A container of the stack, whatever its role; the output is called `services`. */
export interface StackContainer {
  readonly name: string;
  readonly role: string;
  readonly container: string;
  readonly image: string;
}

/**
 * The stack that a command without -s is about: PULUMI_STACK, else the one that `pulumi stack select` chose for this
 * clone. The selection is read where Pulumi's CLI keeps it ($PULUMI_HOME/workspaces): asking the CLI costs half a
 * second.
 */
export function selectedStack(paths: Paths, env: NodeJS.ProcessEnv): string | undefined {
  if (env.PULUMI_STACK) return env.PULUMI_STACK;
  const project = createHash("sha1").update(join(paths.root, "Pulumi.yaml")).digest("hex");
  const file = join(
    env.PULUMI_HOME ?? join(homedir(), ".pulumi"),
    "workspaces",
    `${PROJECT}-${project}-workspace.json`,
  );
  try {
    const { stacks = {}, stack } = JSON.parse(readFileSync(file, "utf8")) as {
      stacks?: Record<string, string>;
      stack?: string;
    };
    const { PULUMI_BACKEND_URL: url = "" } = env;
    // One for each backend, whatever options its URL has; older versions had one altogether.
    const selected = stacks[url] ?? stacks[url.replace(/\?.*$/, "")] ?? stack ?? "";
    return selected === "" ? undefined : selected.split("/").at(-1);
  } catch {
    return undefined;
  }
}

/** False only where it is certain: this clone's own state has no checkpoint of that stack. */
export function stackExists(stack: string, env: NodeJS.ProcessEnv): boolean {
  const state = stateFolder(env);
  return state === undefined || checkpoint(state, stack) !== undefined;
}

/** The file of a stack's state in a file backend, if it is there. */
export function checkpoint(state: string, stack: string): string | undefined {
  const file = join(state, ".pulumi", "stacks", PROJECT, `${stack}.json`);
  return [file, `${file}.gz`].find(existsSync);
}

/**
 * Whether operations were started that never ended, as far as a file backend shows it without asking Pulumi; true where
 * it can't be seen.
 */
export function mayBePending(stack: string, env: NodeJS.ProcessEnv): boolean {
  const state = stateFolder(env);
  const file = state === undefined ? undefined : checkpoint(state, stack);
  if (file === undefined) return state === undefined;
  return file.endsWith(".gz") || /"pending_operations":\s*\[\s*\{/.test(readFileSync(file, "utf8"));
}

/** Whether it is certain that nothing of a stack was deployed: this clone's own state has none of its containers. */
export function isNew(stack: string, env: NodeJS.ProcessEnv): boolean {
  const state = stateFolder(env);
  const file = state === undefined ? undefined : checkpoint(state, stack);
  if (file === undefined) return state !== undefined;
  return !file.endsWith(".gz") && !readFileSync(file, "utf8").includes(`"${CONTAINER}"`);
}

export function notDeployed(stack: string): CliError {
  return new CliError({
    what: `stack ${stack} has not been deployed yet`,
    remedy: `./drydock up${select(stack)}`,
  });
}

/** A stack's file as it is written: secrets stay `{ secure: … }`. Empty where there is none. */
export function stackConfig(paths: Paths, stack: string): Readonly<Record<string, unknown>> {
  const file = paths.stackFile(stack);
  if (!existsSync(file)) return {};
  try {
    return (parse(readFileSync(file, "utf8")) as { config?: Record<string, unknown> } | null)?.config ?? {};
  } catch (error) {
    throw new CliError({
      what: `${file} is not valid YAML: ${(error as Error).message}`,
      remedy: `fix it, or have its last version back: git checkout ${file}`,
    });
  }
}

/** A value below `drydock:`, for example `settingAt(config, "docker.host")`. */
export function settingAt(config: Readonly<Record<string, unknown>>, path: string): unknown {
  const [first = "", ...rest] = path.split(".");
  return at(config[`${PROJECT}:${first}`], rest);
}

/** Whether a stack's file has it measured. On a local stack it is off unless that is said. */
export function isMeasured(paths: Paths, stack: string): boolean {
  return String(settingAt(stackConfig(paths, stack), "monitoring.enabled")) === "true";
}

/**
 * What the last successful deployment left as outputs. Where the first one has not succeeded yet, there are containers,
 * and no services.
 * @throws CliError where there is nothing
 */
export function outputsOf({ resources }: Deployment, stack: string): Outputs {
  const outputs = (resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.outputs ?? {}) as Partial<Outputs>;
  if (outputs.services === undefined && !resources.some(({ type }) => type === CONTAINER)) throw notDeployed(stack);
  return {
    stack,
    url: outputs.url ?? "",
    release: outputs.release ?? "",
    ...outputs,
    services: outputs.services ?? [],
  };
}

/** The type of a container in the state. */
export const CONTAINER = "docker:index/container:Container";

export interface StateResource {
  readonly urn: string;
  readonly id?: string;
  readonly type: string;
  readonly protect?: boolean;
  /** Its successor is there, and it goes when a deployment succeeds. */
  readonly delete?: boolean;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
}

export interface Deployment {
  readonly resources: readonly StateResource[];
  readonly pending: readonly { readonly type: string; readonly resource: StateResource }[];
}

/** What the state says is there; secrets stay encrypted. */
export async function readDeployment(pulumi: Pulumi, stack: string): Promise<Deployment> {
  const { code, stdout, stderr } = await pulumi.capture(["stack", "export", "--stack", stack]);
  if (code !== 0) {
    if (/no stack named/.test(stderr)) throw notDeployed(stack);
    throw new CliError({ what: `the state of stack ${stack} can't be read: ${stderr.trim()}` });
  }
  const { deployment } = JSON.parse(stdout) as {
    deployment?: { resources?: StateResource[]; pending_operations?: Deployment["pending"] };
  };
  return { resources: deployment?.resources ?? [], pending: deployment?.pending_operations ?? [] };
}
