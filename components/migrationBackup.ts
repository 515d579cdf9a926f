import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
import { clientOptions, type DatabaseAccount } from "../servers/database.ts";
import { step } from "./command.ts";
import type { Laravel } from "./laravel.ts";
import { oneOff, type RecordWriter, recordsInput } from "./oneOff.ts";

export interface MigrationBackupArgs {
  readonly laravel: Laravel;
  /** Whether to migrate, and what is done about migrations that break the release which serves. */
  readonly settings: Pick<Settings["migrate"], "enabled" | "breaking">;
  readonly account: DatabaseAccount;
  /** The server, of whose image the dump is taken where there is no agent; without an image, it is elsewhere. */
  readonly database: Pick<Settings["database"], "engine" | "image" | "uid" | "gid">;
  readonly recordWriter: RecordWriter;
  /** The backup agent. @default there is none */
  readonly agent?: docker.Container | undefined;
  /** What it waits for: the stores. */
  readonly after: pulumi.Input<pulumi.Resource>[];
}

/**
 * The migration backup. Where migrations are pending: they are judged, and refused where they would break the release
 * that still serves; then a backup that was restored to prove it, without which nothing is migrated.
 */
export class MigrationBackup extends pulumi.ComponentResource {
  /** Undefined where the settings do without. */
  readonly command: command.local.Command | undefined;
  /** Names, with commas, of the migrations that have to wait for the next release. */
  readonly hold: pulumi.Output<string> | undefined;
  /** Whether there is anything to migrate. */
  readonly pending: pulumi.Output<boolean> | undefined;

  constructor(name: string, args: MigrationBackupArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:MigrationBackup", name, {}, options);
    const { laravel, settings, account, database, agent, after } = args;
    const { stack, network, volumes, release } = laravel;
    const { environment, files } = oneOff(laravel, { rehearsal: true });
    if (settings.enabled) {
      this.command = step(
        stack,
        name,
        {
          script: "backup",
          environment: {
            ...environment,
            NAME: pulumi.interpolate`${network.data.name}-pending`,
            RELEASE: release,
            AGENT: agent?.name ?? "",
            DATABASE_IMAGE: database.image ?? "",
            DATABASE_USER: `${database.uid}:${database.gid}`,
            ENGINE: database.engine,
            SCHEMA: account.schema,
            VOLUME: volumes.backups.name,
            KEEP: "5",
            BREAKING: settings.breaking ?? (stack.stage === "local" ? "warn" : "refuse"),
            STACK: stack.stack,
            ...recordsInput(stack, volumes, args.recordWriter),
          },
          stdin: pulumi.interpolate`${files}\n${pulumi.secret(
            Buffer.from(clientOptions(account)).toString("base64"),
          )}\n`,
        },
        { parent: this, dependsOn: after },
      );
      // Its input has secrets; what it prints are names.
      const said = pulumi.unsecret(this.command.stdout).apply(verdict);
      this.hold = said.hold.apply((names) => names.join(","));
      this.pending = said.pending;
    }
    this.registerOutputs({ hold: this.hold, pending: this.pending });
  }
}

/** Reads what the step says last; without it, all is migrated and nothing waits. */
export function verdict(printed: string): { readonly hold: readonly string[]; readonly pending: boolean } {
  const line = printed.split("\n").findLast((one) => one.startsWith('{"hold":'));
  const { hold = [], pending } = (line === undefined ? {} : JSON.parse(line)) as { hold?: string[]; pending?: number };
  return { hold, pending: pending !== 0 };
}
