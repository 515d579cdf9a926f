import * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { defined } from "../lib/defined.ts";
import type { Context, Role } from "./context.ts";

/** A step of a release: one script of commands/. It runs again when anything of this changes. */
export interface StepSpec {
  /** Name of the script without its ending. */
  readonly script: string;
  /** The script's input; see the top of each script. */
  readonly environment: Readonly<Record<string, pulumi.Input<string>>>;
  /** What the script reads on standard input; the place for secrets, which never go on a command line. */
  readonly stdin?: pulumi.Input<string>;
}

/**
 * Runs a step of the release as a command resource, against the stack's Docker host. What it depends on is in its
 * input, never in `triggers`: those
 * replace the resource, and a step that is to be deleted would hold up the old containers, which then go one after the
 * other.
 */
export function step(
  context: Context,
  name: string,
  spec: StepSpec,
  options: pulumi.CustomResourceOptions,
): command.local.Command {
  const { host } = context.settings.docker;
  return new command.local.Command(
    name,
    {
      create: `sh commands/${spec.script}.sh`,
      environment: { ...defined({ DOCKER_HOST: host }), ...spec.environment },
      ...defined({ stdin: spec.stdin }),
      // What the last run printed is no input of the next one.
      addPreviousOutputInEnv: false,
    },
    options,
  );
}

/** `docker run` arguments that label a one-off container as the stack's. */
export function labelWords(context: Context, role: Role): string {
  return `--label drydock.role=${role} --label drydock.stack=${context.stack} --label drydock.release=${context.release}`;
}
