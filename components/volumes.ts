import type * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
import { labelWords, step } from "./command.ts";
import type { PulledImage } from "./image.ts";
import { present } from "./outputs.ts";
import { fingerprint, runtime, type StackIdentity } from "./stack.ts";

/** A user of a container, by numbers. */
type User = { readonly uid: number; readonly gid: number };

export interface VolumesArgs {
  readonly stack: StackIdentity;
  /** Has a shell, for the steps that give the volumes to their users and fill them. */
  readonly toolImage: PulledImage;
  /** Whom the application's volumes belong to, and which folders of it are kept besides storage/app. */
  readonly app: User & Pick<Settings["app"], "persistent">;
  readonly proxy: User;
  readonly database: User;
  /** Whether the cache has a server of its own. @default false */
  readonly cache?: boolean;
  /** Whether there is a backup agent. @default false */
  readonly backups?: boolean;
}

/**
 * The stack's volumes. Those with data are protected and outlive `pulumi destroy`; the others can be made again by a
 * release.
 */
export class Volumes extends pulumi.ComponentResource {
  readonly database: docker.Volume;
  readonly redis: docker.Volume;
  /** Whom the cache's server lets in; not what it holds. */
  readonly redisCache: docker.Volume | undefined;
  /** The application's storage/app: what users uploaded. */
  readonly storage: docker.Volume;
  /** What else is kept of the application: its path from there, and whether nginx serves it. */
  readonly persistent: readonly {
    readonly path: string;
    readonly public: boolean;
    readonly volume: docker.Volume;
  }[];
  /**
   * The backups: the agent's repository and the binary log; where there is no agent, the dumps of migration backups.
   */
  readonly backups: docker.Volume;
  /** What was released, by whom, and what else was changed; mounted in one-off containers only. */
  readonly records: docker.Volume;
  /**
   * What the application logs into files of its own; what it would log into `laravel.log` goes to the container's log.
   */
  readonly logs: docker.Volume;
  /** The public files of the releases, served by nginx. */
  readonly public: docker.Volume;
  /** The proxy's configuration: written by a step of the release, so that no release replaces the proxy. */
  readonly proxy: docker.Volume;
  /** Drydock's own files for the application's containers: /drydock there, read-only, and root's. */
  readonly runtime: docker.Volume;
  /** Has run when they are in it. */
  readonly delivery: command.local.Command;
  /** Where backups are restored to prove them. */
  readonly restore: docker.Volume | undefined;
  /**
   * Has run when the volumes belong to the users that write to them, and none of them is empty: into an empty one
   * Docker copies what the image of the first container has at that place, with its owner (incident 9). A mount could
   * say no to that, but the docker plugin refuses any option of a volume before Docker 26.
   */
  readonly ownership: command.local.Command;

  constructor(
    name: string,
    { stack, toolImage, app, proxy, database, cache = false, backups = false }: VolumesArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Volumes", name, {}, options);
    const volume = (suffix: string, hasData: boolean, more: Readonly<Record<string, string>> = {}) => {
      const labels = Object.entries({ "drydock.stack": stack.stack, ...more }).map(([label, value]) => ({
        label,
        value,
      }));
      return new docker.Volume(
        `${name}-${suffix}`,
        { labels },
        { parent: this, protect: hasData, retainOnDelete: hasData },
      );
    };
    this.database = volume("database", true);
    this.redis = volume("redis", true);
    this.redisCache = cache ? volume("cache", false) : undefined;
    this.storage = volume("storage", true);
    this.persistent = Object.entries(app.persistent).map(([path, { visibility }]) => ({
      path,
      public: visibility === "public",
      volume: volume(`persistent-${path.replaceAll("/", "-")}`, true),
    }));
    this.backups = volume("backups", true);
    this.records = volume("records", true);
    this.logs = volume("logs", false);
    this.public = volume("public", false);
    this.proxy = volume("proxy", false);
    // Other files make another volume: containers that serve keep theirs until they go. And no container gets them by
    // itself: the docker plugin would ask Docker once for each file of each container.
    this.runtime = volume("runtime", false, { "drydock.runtime": fingerprint(runtime) });
    this.restore = backups ? volume("restore", false) : undefined;

    const belongs = (volume: docker.Volume, { uid, gid }: User, folder = ".drydock") =>
      pulumi.interpolate`${volume.name} ${uid}:${gid} ${folder}`;
    const owners = pulumi
      .all([
        // What Laravel calls the folder of the files that everybody may see.
        belongs(this.storage, app, "public"),
        belongs(this.logs, app),
        ...[this.public, ...this.persistent.map(({ volume }) => volume)].map((one) => belongs(one, app)),
        belongs(this.proxy, proxy),
        belongs(this.backups, backups ? app : database),
        belongs(this.records, proxy),
        ...present(this.restore).map((restore) => belongs(restore, database)),
      ])
      .apply((lines) => lines.join("\n"));
    const tool = { IMAGE: toolImage.reference, LABELS: labelWords(stack) };
    this.ownership = step(
      stack,
      `${name}-ownership`,
      {
        script: "volumes",
        environment: { ...tool, OWNERS: owners },
      },
      { parent: this, dependsOn: [toolImage.resource] },
    );
    this.delivery = step(
      stack,
      `${name}-delivery`,
      {
        script: "deliver",
        environment: { ...tool, VOLUME: this.runtime.name },
      },
      { parent: this, dependsOn: [toolImage.resource] },
    );
    this.registerOutputs({
      database: this.database.name,
      redis: this.redis.name,
      storage: this.storage.name,
      backups: this.backups.name,
      records: this.records.name,
      logs: this.logs.name,
    });
  }
}
