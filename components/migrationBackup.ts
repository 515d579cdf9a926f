import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { step } from "./command.ts";
import type { Context } from "./context.ts";
import type { Database } from "./database.ts";
import type { Network } from "./network.ts";
import { oneOff } from "./oneOff.ts";
import type { Volumes } from "./volumes.ts";

/** A verified dump before migrations change the database; without it nothing is migrated. Only where migrations are pending. */
export class MigrationBackup extends pulumi.ComponentResource {
  readonly command: command.local.Command | undefined;

  constructor(
    name: string,
    context: Context,
    args: { network: Network; volumes: Volumes; database: Database; after: pulumi.Input<pulumi.Resource>[] },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:MigrationBackup", name, {}, options);
    const { migrate, database } = context.settings;
    const { environment, files } = oneOff(context, args.network);
    if (migrate.enabled) {
      this.command = step(
        context,
        name,
        {
          script: "backup",
          environment: {
            ...environment,
            NAME: pulumi.interpolate`${args.network.data.name}-pending`,
            RELEASE: context.release,
            DATABASE_IMAGE: database.image,
            DATABASE_USER: `${database.uid}:${database.gid}`,
            ENGINE: database.engine,
            SCHEMA: context.environment.plain.DB_DATABASE ?? "",
            VOLUME: args.volumes.backups.name,
            KEEP: "5",
          },
          stdin: pulumi.interpolate`${files}\n${pulumi.secret(Buffer.from(args.database.clientOptions).toString("base64"))}\n`,
          triggers: [context.image, context.environment.hash],
        },
        { parent: this, dependsOn: args.after },
      );
    }
    this.registerOutputs({});
  }
}
