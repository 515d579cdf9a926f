import { realpathSync } from "node:fs";
import { relative } from "node:path";
import * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { Role } from "../config/roles.ts";
import type { StepName } from "../contracts/steps.ts";
import { defined } from "../lib/defined.ts";
import type { StackIdentity } from "./stack.ts";

/**
 * The folder with Drydock's scripts, from where the program runs; undefined where that is Drydock's own project. It is
 * relative, because it is kept in the state, and the next update may run on another machine.
 */
export const SCRIPTS: string | undefined =
  relative(realpathSync(process.cwd()), realpathSync(new URL("..", import.meta.url))) || undefined;

/** A path of the program, as a script finds it. */
export function pathForScripts(path: string): string {
  return SCRIPTS === undefined ? path : relative(SCRIPTS, path);
}

/** A step of a release: one script of commands/. It runs again when anything of this changes. */
export interface StepSpec {
  /** Name of the script without its ending. */
  readonly script: StepName;
  /** The script's input: contracts/steps.ts has the names, the top of each script what they mean. */
  readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
  /** Another script that undoes it, where the step is taken away. @default nothing is undone */
  readonly undo?: StepName;
  /** What the script reads on standard input; the place for secrets, which never go on a command line. */
  readonly stdin?: pulumi.Input<string>;
}

/**
 * Runs a step of the release as a command resource, against the stack's Docker host. What it depends on is in its
 * input, never in `triggers`: those replace the resource, and a step that is to be deleted would hold up the old
 * containers, which then go one after the other.
 */
export function step(
  stack: Pick<StackIdentity, "dockerHost">,
  name: string,
  spec: StepSpec,
  options: pulumi.CustomResourceOptions,
): command.local.Command {
  return new command.local.Command(
    name,
    {
      create: `sh commands/${spec.script}.sh`,
      ...(spec.undo === undefined ? {} : { delete: `sh commands/${spec.undo}.sh` }),
      ...defined({ dir: SCRIPTS }),
      environment: { ...defined({ DOCKER_HOST: stack.dockerHost }), ...spec.environment },
      ...defined({ stdin: spec.stdin }),
      // What the last run printed is no input of the next one.
      addPreviousOutputInEnv: false,
    },
    options,
  );
}

/** `docker run` arguments that label a one-off container as the stack's. */
export function labelWords(
  { stack }: Pick<StackIdentity, "stack">,
  more: { readonly role?: Role; readonly release?: string } = {},
): string {
  const { role, release } = more;
  const labels = {
    ...defined({ "drydock.role": role }),
    "drydock.stack": stack,
    ...defined({ "drydock.release": release }),
  };
  return Object.entries(labels)
    .map(([label, value]) => `--label ${label}=${value}`)
    .join(" ");
}
