import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { fpmAddresses } from "./app.ts";
import { step } from "./command.ts";
import type { Laravel } from "./laravel.ts";

export interface OpcacheArgs {
  readonly laravel: Laravel;
  readonly replicas: readonly docker.Container[];
  /** What it waits for: the switch. */
  readonly after: pulumi.Input<pulumi.Resource>[];
}

/**
 * Proves through PHP-FPM that OPcache of every replica has the code that is there, and resets it where not (incident
 * 6). An image that serves HTTP by itself starts afresh anyway.
 */
export class Opcache extends pulumi.ComponentResource {
  /** Undefined where the image serves HTTP by itself. */
  readonly command: command.local.Command | undefined;

  constructor(name: string, { laravel, replicas, after }: OpcacheArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Opcache", name, {}, options);
    const { app, stack, network } = laravel;
    if (app.server === "fpm") {
      this.command = step(
        stack,
        name,
        {
          script: "opcache",
          environment: { REPLICA: replicas[0]!.name, FPM: fpmAddresses(replicas, app.port, network) },
        },
        { parent: this, dependsOn: after },
      );
    }
    this.registerOutputs({ proven: this.command?.id });
  }
}
