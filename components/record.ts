import type * as command from "@pulumi/command";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
import { parseLines } from "../records/release.ts";
import { step } from "./command.ts";
import type { Laravel } from "./laravel.ts";
import { type RecordWriter, recordsInput } from "./oneOff.ts";
import { fingerprint } from "./stack.ts";
import type { Recorded, RecordsPlace } from "./stackOutputs.ts";

export interface RecordArgs {
  readonly laravel: Laravel;
  /** Names the settings without variables and secrets: see `settingsHash`. */
  readonly settings: string;
  /** How long the last lines of the containers that a release takes away are kept, in days; 0: not at all. */
  readonly keepDays: number;
  readonly recordWriter: RecordWriter;
  readonly replicas: readonly docker.Container[];
  /** What the proof has printed. */
  readonly probes: pulumi.Output<string>;
  /** What it waits for: the proof. */
  readonly after: pulumi.Input<pulumi.Resource>[];
}

/** Writes the release into the stack's records when all of it has succeeded. */
export class Record extends pulumi.ComponentResource {
  readonly command: command.local.Command;
  readonly recorded: pulumi.Output<Recorded | null>;
  readonly records: pulumi.Output<RecordsPlace>;

  constructor(name: string, args: RecordArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Record", name, {}, options);
    const { laravel, settings, keepDays, recordWriter, replicas, probes, after } = args;
    const { app, stack, volumes, environment, release, image } = laravel;
    const key = fingerprint([release, image, settings]);
    this.command = step(
      stack,
      name,
      {
        script: "record",
        environment: {
          ...recordsInput(stack, volumes, recordWriter),
          REPLICA: replicas[0]!.name,
          APP_PATH: app.path,
          IMAGE: image,
          KEY: key,
          KEPT: volumes.records.name,
          STORAGE: volumes.storage.name,
          RELEASE: release,
          DAYS: String(keepDays),
          RECORD: JSON.stringify({
            key,
            release,
            image,
            pinned: app.pinned !== undefined,
            env: environment.hash,
            settings,
          }),
          // The proof's input has secrets; what it prints are counts and names.
          PROBES: pulumi.unsecret(probes),
        },
      },
      { parent: this, dependsOn: after },
    );
    this.recorded = this.command.stdout.apply(recordedIn);
    this.records = volumes.records.name.apply((volume) => ({
      volume,
      image: recordWriter.image,
      user: `${recordWriter.uid}:${recordWriter.gid}`,
    }));
    this.registerOutputs({ record: this.recorded, records: this.records });
  }
}

/** Names the settings without variables and secrets. */
export function settingsHash(settings: Settings): string {
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
