import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
import { labelWords, step } from "./command.ts";
import type { PulledImage } from "./image.ts";
import type { StackIdentity } from "./stack.ts";
import type { Volumes } from "./volumes.ts";

export interface DatabaseCheckArgs {
  readonly stack: StackIdentity;
  readonly volumes: Volumes;
  readonly image: PulledImage;
  /** Which server, and the user that it runs as. */
  readonly server: Pick<Settings["database"], "engine" | "uid" | "gid">;
  /** Words of the server's command line. */
  readonly options: readonly string[];
}

/**
 * Looks whether the database's image takes its options and reads the data that is there, before the server that serves
 * is stopped.
 */
export class DatabaseCheck extends pulumi.ComponentResource {
  readonly command: command.local.Command;

  constructor(name: string, args: DatabaseCheckArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:DatabaseCheck", name, {}, options);
    const { stack, volumes, image, server } = args;
    this.command = step(
      stack,
      name,
      {
        script: "database-check",
        environment: {
          IMAGE: image.reference,
          ENGINE: server.engine,
          OPTIONS: args.options.join("\n"),
          RUN_AS: `${server.uid}:${server.gid}`,
          LABELS: labelWords(stack),
          STACK: stack.stack,
          VOLUME: volumes.database.name,
          BACKUPS: volumes.backups.name,
        },
      },
      { parent: this, dependsOn: [image.resource] },
    );
    this.registerOutputs({ checked: this.command.id });
  }
}
