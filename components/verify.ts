import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { plannedHashes } from "../config/plan.ts";
import { fpmAddresses } from "./app.ts";
import { step } from "./command.ts";
import { type Context, siteHost } from "./context.ts";
import type { Network } from "./network.ts";
import { wordsOf } from "./outputs.ts";

/** Proves the release: requests through the proxy succeed, and every Laravel container has the planned environment. */
export class Verify extends pulumi.ComponentResource {
  readonly command: command.local.Command;

  constructor(
    name: string,
    context: Context,
    args: {
      network: Network;
      replicas: docker.Container[];
      workers: docker.Container[];
      after: pulumi.Input<pulumi.Resource>[];
    },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Verify", name, {}, options);
    const { app, limits, verify } = context.settings;
    const fpm = app.server === "fpm";
    const others = fpm ? args.workers : [...args.replicas, ...args.workers];
    this.command = step(
      context,
      name,
      {
        script: "verify",
        environment: {
          REPLICA: args.replicas[0]!.name,
          FPM: fpm ? fpmAddresses(args.replicas, app.port, args.network) : "",
          CONTAINERS: wordsOf(others),
          WORKERS: wordsOf(args.workers),
          APP_PATH: app.path,
          HOST: siteHost(context),
          HEALTH_PATH: app.healthPath,
          REQUESTS: String(verify.requests),
          PROCESSES: String(limits.processes),
        },
        stdin: pulumi.secret(JSON.stringify({ names: plannedHashes(context.environment, context.release) })),
      },
      { parent: this, dependsOn: args.after },
    );
    this.registerOutputs({});
  }
}
