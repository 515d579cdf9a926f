import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { stageOf } from "../config/stage.ts";
import { step } from "./command.ts";
import type { Context } from "./context.ts";
import { clientOptions } from "./database.ts";
import type { Network } from "./network.ts";
import { oneOff, recordsInput } from "./oneOff.ts";
import type { Volumes } from "./volumes.ts";

/**
 * Where migrations are pending: they are judged, and refused where they would break the release that still serves; then
 * a verified dump before
 * they change the database, without which nothing is migrated.
 */
export class MigrationBackup extends pulumi.ComponentResource {
  readonly command: command.local.Command | undefined;
  /** Names, with commas, of the migrations that have to wait for the next release. */
  readonly hold: pulumi.Output<string> | undefined;
  /** Whether there is anything to migrate. */
  readonly pending: pulumi.Output<boolean> | undefined;

  constructor(
    name: string,
    context: Context,
    args: {
      network: Network;
      volumes: Volumes;
      agent: docker.Container | undefined;
      after: pulumi.Input<pulumi.Resource>[];
    },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:MigrationBackup", name, {}, options);
    const { migrate, database } = context.settings;
    const { environment, files } = oneOff(context, { ...args, rehearsal: true });
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
            AGENT: args.agent?.name ?? "",
            DATABASE_IMAGE: database.external === undefined ? database.image! : "",
            DATABASE_USER: `${database.uid}:${database.gid}`,
            ENGINE: database.engine,
            SCHEMA: context.environment.plain.DB_DATABASE ?? "",
            VOLUME: args.volumes.backups.name,
            KEEP: "5",
            BREAKING:
              migrate.breaking ??
              (stageOf(context.stack, context.environment.plain.APP_ENV) === "local" ? "warn" : "refuse"),
            STACK: context.stack,
            ...recordsInput(context, args.volumes),
          },
          stdin: pulumi.interpolate`${files}\n${pulumi.secret(Buffer.from(clientOptions(context)).toString("base64"))}\n`,
        },
        { parent: this, dependsOn: args.after },
      );
      // Its input has secrets; what it prints are names.
      const said = pulumi.unsecret(this.command.stdout).apply(verdict);
      this.hold = said.hold.apply((names) => names.join(","));
      this.pending = said.pending;
    }
    this.registerOutputs({});
  }
}

/** Reads what the step says last; without it, all is migrated and nothing waits. */
export function verdict(printed: string): { readonly hold: readonly string[]; readonly pending: boolean } {
  const line = printed.split("\n").findLast((one) => one.startsWith('{"hold":'));
  const { hold = [], pending } = (line === undefined ? {} : JSON.parse(line)) as { hold?: string[]; pending?: number };
  return { hold, pending: pending !== 0 };
}
