import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { step } from "./command.ts";
import type { Context } from "./context.ts";
import type { Volumes } from "./volumes.ts";

/**
 * Looks whether the database's image takes its options and reads the data that is there, before the server that serves
 * is stopped.
 */
export class DatabaseCheck extends pulumi.ComponentResource {
  readonly command: command.local.Command;

  /** @param args.options words of the server's command line */
  constructor(
    name: string,
    context: Context,
    args: { image: docker.RemoteImage; volumes: Volumes; options: readonly string[] },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:DatabaseCheck", name, {}, options);
    const { database } = context.settings;
    this.command = step(
      context,
      name,
      {
        script: "database-check",
        environment: {
          IMAGE: database.image!,
          ENGINE: database.engine,
          OPTIONS: args.options.join("\n"),
          RUN_AS: `${database.uid}:${database.gid}`,
          LABELS: `--label drydock.stack=${context.stack}`,
          STACK: context.stack,
          VOLUME: args.volumes.database.name,
          BACKUPS: args.volumes.backups.name,
        },
      },
      { parent: this, dependsOn: [args.image] },
    );
    this.registerOutputs({});
  }
}
