import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { step } from "./command.ts";
import type { Context } from "./context.ts";
import type { MigrationBackup } from "./migrationBackup.ts";
import type { Network } from "./network.ts";
import { oneOff } from "./oneOff.ts";
import type { Volumes } from "./volumes.ts";

/**
 * The migrations: once a release, in a container of the new image with the new environment, before anything is
 * switched.
 */
export class Migrate extends pulumi.ComponentResource {
  readonly command: command.local.Command | undefined;

  constructor(
    name: string,
    context: Context,
    args: { network: Network; volumes: Volumes; backup: MigrationBackup; after: pulumi.Input<pulumi.Resource>[] },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Migrate", name, {}, options);
    const { migrate } = context.settings;
    const { environment, files } = oneOff(context, { ...args, rehearsal: false });
    if (migrate.enabled) {
      this.command = step(
        context,
        name,
        {
          script: "migrate",
          environment: {
            ...environment,
            // One name a stack: whoever makes the container holds the lock.
            NAME: pulumi.interpolate`${args.network.data.name}-migrate`,
            TIMEOUT: String(migrate.timeout),
            LOCK_SECONDS: String(migrate.lockTimeout),
            HOLD: args.backup.hold ?? "",
            PENDING: args.backup.pending?.apply((pending) => (pending ? "1" : "0")) ?? "1",
          },
          stdin: files,
        },
        { parent: this, dependsOn: args.after },
      );
    }
    this.registerOutputs({});
  }
}
