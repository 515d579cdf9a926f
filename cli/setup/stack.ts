import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { stateFolder } from "../shared/environment.ts";
import { LOCAL, type Paths } from "../shared/project.ts";
import type { Finished } from "../shared/pulumi.ts";
import type { Session } from "../shared/session.ts";
import { selectedStack, settingAt, stackConfig, stackExists } from "../shared/stack.ts";
import { pulumiFailure } from "../shared/translations.ts";
import { type ImageReferences, imageTags } from "./images.ts";
import { ensureLocalFile } from "./local.ts";

export interface StackOptions {
  /** @default what the images' folders say, whether they are built or not */
  readonly images?: ImageReferences | undefined;
  /** Whether the caller holds the stack's lock. @default false */
  readonly locked?: boolean;
}

/**
 * Creates the stack where it isn't there yet, and makes the local stack's file complete. A clone's first stack is
 * selected as well, so that Pulumi's own CLI works without -s; a later one is not: a command for one stack is no choice
 * for the next command.
 */
export async function ensureStack(
  session: Session,
  log: (line: string) => void,
  { images = imageTags(), locked = false }: StackOptions = {},
): Promise<void> {
  const { stack, env, paths } = session;
  // This clone's own state shows whether the stack is there; another one has to be asked.
  if (stateFolder(env) === undefined || !stackExists(stack, env)) {
    const provider = secretsProvider(paths.stackFile(stack));
    const secrets = provider === undefined ? [] : ["--secrets-provider", provider];
    const init = ["stack", "init", stack, "--no-select", ...secrets];
    const { stderr } = await run(session, init, /already exists/);
    if (!/already exists/.test(stderr)) log(`stack ${stack} created`);
  }
  // Who makes an edge first means the stacks behind it afterwards.
  const isEdge = settingAt(stackConfig(paths, stack), "edge") !== undefined;
  if (!isEdge && selectedStack(paths, env) === undefined) await run(session, ["stack", "select", stack]);
  if (stack === LOCAL) await ensureLocalFile(session, images, log, locked);
}

/** What encrypts a stack's secrets where it is no passphrase: `awskms://alias/shop?region=…`, as its file says it. */
function secretsProvider(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const { secretsprovider } = (parse(readFileSync(file, "utf8")) ?? {}) as { secretsprovider?: unknown };
  return typeof secretsprovider === "string" && secretsprovider !== "" ? secretsprovider : undefined;
}

async function run({ pulumi, stack, paths }: Session, args: readonly string[], unless?: RegExp): Promise<Finished> {
  const done = await pulumi.capture(args);
  if (done.code !== 0 && unless?.test(done.stderr) !== true) {
    process.stderr.write(done.stderr);
    throw pulumiFailure(args.slice(0, 2).join(" "), done.stderr, { stack, passphrase: paths.passphrase });
  }
  return done;
}

/** The rules, and the stack's own settings of them; none in a clone that has removed them. */
export function policyArguments({ root }: Paths, stack: string): readonly string[] {
  if (!existsSync(join(root, "policies", "PulumiPolicy.yaml"))) return [];
  const config = join("policies", "config", `${stack}.json`);
  return ["--policy-pack", "policies", ...(existsSync(join(root, config)) ? ["--policy-pack-config", config] : [])];
}
