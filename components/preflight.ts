import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { plannedHashes } from "../config/plan.ts";
import { step } from "./command.ts";
import type { Laravel } from "./laravel.ts";
import { oneOff } from "./oneOff.ts";

export interface PreflightArgs {
  readonly laravel: Laravel;
  /** Horizon's memory limit, in MiB. @default there is no Horizon */
  readonly horizonMemory?: number | undefined;
  /** The longest job of any process that takes jobs, in seconds. */
  readonly longestJob: number;
  /** What it waits for: the image. */
  readonly after: pulumi.Input<pulumi.Resource>[];
}

/**
 * Looks into the image before anything is changed: what it lacks that the release needs, what in it would win over the
 * stack's variables, and what its configuration makes of them.
 */
export class Preflight extends pulumi.ComponentResource {
  readonly command: command.local.Command;

  constructor(name: string, args: PreflightArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Preflight", name, {}, options);
    const { laravel, horizonMemory, longestJob, after } = args;
    const { app, stack, network, environment, external, release } = laravel;
    const { environment: input, files } = oneOff(laravel, { rehearsal: true });
    const plan = {
      names: plannedHashes(environment, release),
      longestJob,
      horizon: horizonMemory ?? 0,
      cached: app.cache,
      elsewhere: (["database", "redis"] as const).filter((server) => external[server] !== undefined),
    };
    this.command = step(
      stack,
      name,
      {
        script: "preflight",
        environment: {
          ...input,
          NAME: pulumi.interpolate`${network.data.name}-preflight`,
          STACK: stack.stack,
          STAGE: environment.plain.APP_ENV ?? "",
          HORIZON: horizonMemory === undefined ? "0" : "1",
          OWN_START: app.server === "http" && app.command === undefined ? "1" : "0",
          SECRETS: Object.keys(environment.secret).join(" "),
        },
        stdin: pulumi.interpolate`${pulumi.secret(JSON.stringify(plan))}\n${files}\n`,
      },
      { parent: this, dependsOn: after },
    );
    this.registerOutputs({ passed: this.command.id });
  }
}
