import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { fpmAddresses } from "./app.ts";
import { step } from "./command.ts";
import type { Context } from "./context.ts";
import type { Network } from "./network.ts";

/**
 * Proves through PHP-FPM that OPcache of every replica has the code that is there, and resets it where not (incident
 * 6). An image that serves HTTP by itself starts afresh anyway.
 */
export class Opcache extends pulumi.ComponentResource {
  readonly command: command.local.Command | undefined;

  constructor(
    name: string,
    context: Context,
    args: { network: Network; replicas: docker.Container[]; after: pulumi.Input<pulumi.Resource>[] },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Opcache", name, {}, options);
    const { app } = context.settings;
    if (app.server === "fpm") {
      this.command = step(
        context,
        name,
        {
          script: "opcache",
          environment: {
            REPLICA: args.replicas[0]!.name,
            FPM: fpmAddresses(args.replicas, app.port, args.network),
          },
        },
        { parent: this, dependsOn: args.after },
      );
    }
    this.registerOutputs({});
  }
}
