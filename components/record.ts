import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { parseLines } from "../releases/record.ts";
import { step } from "./command.ts";
import { type Context, fingerprint } from "./context.ts";
import { recordsInput } from "./oneOff.ts";
import type { Volumes } from "./volumes.ts";

/** What the stack output `record` says of the release that serves; the whole record is in the volume. */
export interface Recorded {
  readonly sequence: number;
  readonly release: string;
  readonly image: string;
  readonly id: string;
  readonly digest: string | null;
  readonly by: string;
  readonly commit: string | null;
  readonly at: string;
  readonly seconds: number | null;
}

/** Writes the release into the stack's records when all of it has succeeded. */
export class Record extends pulumi.ComponentResource {
  readonly command: command.local.Command;
  readonly recorded: pulumi.Output<Recorded | null>;
  /** How the command line reaches the records. */
  readonly records: pulumi.Output<{ readonly volume: string; readonly image: string; readonly user: string }>;

  constructor(
    name: string,
    context: Context,
    args: {
      volumes: Volumes;
      replicas: docker.Container[];
      probes: pulumi.Output<string>;
      after: pulumi.Input<pulumi.Resource>[];
    },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Record", name, {}, options);
    const { app, proxy } = context.settings;
    const settings = settingsHash(context);
    const key = fingerprint([context.release, context.image, settings]);
    this.command = step(
      context,
      name,
      {
        script: "record",
        environment: {
          ...recordsInput(context, args.volumes),
          REPLICA: args.replicas[0]!.name,
          APP_PATH: app.path,
          IMAGE: context.image,
          KEY: key,
          KEPT: args.volumes.records.name,
          STORAGE: args.volumes.storage.name,
          RELEASE: context.release,
          DAYS: String(context.settings.logs.keepDays),
          RECORD: JSON.stringify({
            key,
            release: context.release,
            image: context.image,
            pinned: app.pinned !== undefined,
            env: context.environment.hash,
            settings,
          }),
          // The proof's input has secrets; what it prints are counts and names.
          PROBES: pulumi.unsecret(args.probes),
        },
      },
      { parent: this, dependsOn: args.after },
    );
    this.recorded = this.command.stdout.apply(recordedIn);
    this.records = args.volumes.records.name.apply((volume) => ({
      volume,
      image: proxy.image,
      user: `${proxy.uid}:${proxy.gid}`,
    }));
    this.registerOutputs({ record: this.recorded });
  }
}

/** Names the settings without variables and secrets. */
function settingsHash({ settings }: Context): string {
  const {
    env: _,
    docker: { registry: __, ...docker },
    database: { rootPassword: ___, ...database },
    backup: ____,
    ...rest
  } = settings;
  return fingerprint({ ...rest, docker, database });
}

/** Reads the line that the step prints. */
export function recordedIn(printed: string): Recorded | null {
  const line = printed.split("\n").findLast((one) => one.startsWith('{"sequence":'));
  // One that was damaged by an earlier version must not stop the release that writes it anew.
  const [recorded] = parseLines<Recorded>(line ?? "");
  if (recorded?.release === undefined) return null;
  const { sequence, release, image, id, digest, by, commit, at, seconds } = recorded;
  return { sequence, release, image, id, digest, by, commit, at, seconds };
}
