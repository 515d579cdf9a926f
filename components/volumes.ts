import type * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { hasCacheServer } from "../config/schema/redis.ts";
import { step } from "./command.ts";
import { type Context, fingerprint, runtime } from "./context.ts";
import { present } from "./outputs.ts";

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
  /** What else is kept of the application: its path from the application's folder, and whether nginx serves it. */
  readonly persistent: readonly { readonly path: string; readonly public: boolean; readonly volume: docker.Volume }[];
  /**
   * The backups: the agent's repository and the binary log; where there is no agent, dumps that were taken before
   * migrations.
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
   * Docker copies
   * what the image of the first container has at that place, with its owner (incident 9). A mount could say no to that,
   * but
   * the docker plugin refuses any option of a volume before Docker 26.
   */
  readonly ownership: command.local.Command;

  constructor(
    name: string,
    context: Context,
    args: { toolImage: docker.RemoteImage },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Volumes", name, {}, options);
    const { app, proxy, database, redis, backup } = context.settings;
    const volume = (suffix: string, hasData: boolean, more: Readonly<Record<string, string>> = {}) => {
      const labels = Object.entries({ "drydock.stack": context.stack, ...more }).map(([label, value]) => ({
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
    this.redisCache = hasCacheServer(redis) ? volume("cache", false) : undefined;
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
    // itself:
    // the docker plugin would ask Docker once for each file of each container.
    this.runtime = volume("runtime", false, { "drydock.runtime": fingerprint(runtime) });
    this.restore = backup.enabled ? volume("restore", false) : undefined;

    const belongs = (volume: docker.Volume, { uid, gid }: { uid: number; gid: number }, folder = ".drydock") =>
      pulumi.interpolate`${volume.name} ${uid}:${gid} ${folder}`;
    const owners = pulumi
      .all([
        // What Laravel calls the folder of the files that everybody may see.
        belongs(this.storage, app, "public"),
        belongs(this.logs, app),
        ...[this.public, ...this.persistent.map(({ volume }) => volume)].map((one) => belongs(one, app)),
        belongs(this.proxy, proxy),
        belongs(this.backups, backup.enabled ? app : database),
        belongs(this.records, proxy),
        ...present(this.restore).map((restore) => belongs(restore, database)),
      ])
      .apply((lines) => lines.join("\n"));
    this.ownership = step(
      context,
      `${name}-ownership`,
      {
        script: "volumes",
        environment: { IMAGE: proxy.image, OWNERS: owners, LABELS: `--label drydock.stack=${context.stack}` },
      },
      { parent: this, dependsOn: [args.toolImage] },
    );
    this.delivery = step(
      context,
      `${name}-delivery`,
      {
        script: "deliver",
        environment: {
          IMAGE: proxy.image,
          VOLUME: this.runtime.name,
          LABELS: `--label drydock.stack=${context.stack}`,
        },
      },
      { parent: this, dependsOn: [args.toolImage] },
    );
    this.registerOutputs({ database: this.database.name, redis: this.redis.name, storage: this.storage.name });
  }
}
