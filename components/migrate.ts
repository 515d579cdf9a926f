import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
import { step } from "./command.ts";
import type { Laravel } from "./laravel.ts";
import type { MigrationBackup } from "./migrationBackup.ts";
import { oneOff } from "./oneOff.ts";

export interface MigrateArgs {
  readonly laravel: Laravel;
  /** `drydock:migrate`: times in seconds. */
  readonly settings: Settings["migrate"];
  /** Knows what is pending, and what has to wait. */
  readonly backup: MigrationBackup;
  /** What it waits for: the stores, and the backup. */
  readonly after: pulumi.Input<pulumi.Resource>[];
}

/**
 * The migrations: once a release, in a container of the new image with the new environment, before anything is
 * switched.
 */
export class Migrate extends pulumi.ComponentResource {
  /** Undefined where the settings do without. */
  readonly command: command.local.Command | undefined;

  constructor(name: string, args: MigrateArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Migrate", name, {}, options);
    const { laravel, settings, backup, after } = args;
    const { environment, files } = oneOff(laravel, { rehearsal: false });
    if (settings.enabled) {
      this.command = step(
        laravel.stack,
        name,
        {
          script: "migrate",
          environment: {
            ...environment,
            // One name a stack: whoever makes the container holds the lock.
            NAME: pulumi.interpolate`${laravel.network.data.name}-migrate`,
            TIMEOUT: String(settings.timeout),
            LOCK_SECONDS: String(settings.lockTimeout),
            HOLD: backup.hold ?? "",
            PENDING: backup.pending?.apply((pending) => (pending ? "1" : "0")) ?? "1",
          },
          stdin: files,
        },
        { parent: this, dependsOn: after },
      );
    }
    this.registerOutputs({ migrated: this.command?.id });
  }
}
