import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { longestJob } from "../config/capacity.ts";
import { plannedHashes } from "../config/plan.ts";
import { step } from "./command.ts";
import type { Context } from "./context.ts";
import type { Network } from "./network.ts";
import { oneOff } from "./oneOff.ts";
import type { Volumes } from "./volumes.ts";

/**
 * Looks into the image before anything is changed: what it lacks that the release needs, what in it would win over the
 * stack's variables,
 * and what its configuration makes of them.
 */
export class Preflight extends pulumi.ComponentResource {
  readonly command: command.local.Command;

  constructor(
    name: string,
    context: Context,
    args: { network: Network; volumes: Volumes; after: pulumi.Input<pulumi.Resource>[] },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Preflight", name, {}, options);
    const { settings, environment } = context;
    const { environment: input, files } = oneOff(context, { ...args, rehearsal: true });
    const { app, horizon } = settings;
    const plan = {
      names: plannedHashes(environment, context.release),
      longestJob: longestJob(settings),
      horizon: horizon.enabled ? horizon.memory : 0,
      cached: app.cache,
      elsewhere: (["database", "redis"] as const).filter((name) => settings[name].external !== undefined),
    };
    this.command = step(
      context,
      name,
      {
        script: "preflight",
        environment: {
          ...input,
          NAME: pulumi.interpolate`${args.network.data.name}-preflight`,
          STACK: context.stack,
          STAGE: environment.plain.APP_ENV ?? "",
          HORIZON: horizon.enabled ? "1" : "0",
          OWN_START: app.server === "http" && app.command === undefined ? "1" : "0",
          SECRETS: Object.keys(environment.secret).join(" "),
        },
        stdin: pulumi.interpolate`${pulumi.secret(JSON.stringify(plan))}\n${files}\n`,
      },
      { parent: this, dependsOn: args.after },
    );
    this.registerOutputs({});
  }
}
