import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { hasCacheServer } from "../config/schema/redis.ts";
import type { Environment, Settings } from "../config/settings.ts";
import { Backup } from "./backup.ts";
import type { BackupBucket } from "./backupBucket.ts";
import { Database } from "./database.ts";
import { type PulledImage, pulled } from "./image.ts";
import { accountOf, externalOf } from "./laravel.ts";
import { Limits } from "./limits.ts";
import { Network } from "./network.ts";
import { present } from "./outputs.ts";
import { Proxy } from "./proxy.ts";
import { Redis } from "./redis.ts";
import { Service } from "./service.ts";
import type { StackIdentity } from "./stack.ts";
import { Volumes } from "./volumes.ts";

export interface InfrastructureArgs {
  readonly stack: StackIdentity;
  /** Sizes in MiB, times in seconds, processors as fractions. */
  readonly settings: Pick<
    Settings,
    "app" | "database" | "redis" | "proxy" | "services" | "backup" | "alarms" | "bucket" | "limits" | "domains"
  >;
  /** The database's account is in it, and what backups say of the application's variables. */
  readonly environment: Environment;
  /** Whether the stack is measured. @default false */
  readonly monitored?: boolean;
  /** Makes the bucket for backups: its module brings AWS's SDK. @default there is no bucket */
  readonly makeBucket?: typeof BackupBucket | undefined;
}

/** What lasts from release to release: no release replaces anything of it. */
export class Infrastructure extends pulumi.ComponentResource {
  readonly network: Network;
  readonly volumes: Volumes;
  /** Undefined where the server is elsewhere. */
  readonly database: Database | undefined;
  /** The one that keeps what it has, and the cache's: those of them that are not elsewhere. */
  readonly redis: readonly Redis[];
  readonly proxy: Proxy;
  readonly services: readonly Service[];
  readonly bucket: BackupBucket | undefined;
  readonly backups: Backup;

  constructor(name: string, args: InfrastructureArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Infrastructure", name, {}, options);
    const { stack, settings, environment, makeBucket, monitored = false } = args;
    const { app, proxy, database, backup } = settings;
    const [external, account] = [externalOf(settings), accountOf(environment)];
    const on = { parent: this };
    const named = (part: string) => `${stack.prefix}${part}`;
    const image = (part: string, reference: string) => pulled(named(`${part}-image`), reference, on);

    this.network = new Network(named("network"), { stack, restore: backup.enabled, monitoring: monitored }, on);
    const toolImage = image("proxy", proxy.image);
    const volumesArgs = { app, proxy, database, cache: hasCacheServer(settings.redis), backups: backup.enabled };
    this.volumes = new Volumes(named("volumes"), { stack, toolImage, ...volumesArgs }, on);
    const common = { stack, network: this.network, volumes: this.volumes };
    this.database =
      external.database === undefined
        ? new Database(
            named("database"),
            { ...common, image: image("database", database.image!), server: database, account },
            on,
          )
        : undefined;
    this.redis = this.#redisServers(args, (reference) => image("redis", reference), on);
    this.proxy = new Proxy(
      named("proxy"),
      { ...common, image: toolImage, server: proxy, appPath: app.path, behindEdge: settings.domains.length > 0 },
      on,
    );
    this.services = Object.entries(settings.services).map(
      ([service, one]) =>
        new Service(named(`service-${service}`), { ...common, service, toolImage, settings: one }, on),
    );
    this.bucket = makeBucket && new makeBucket(named("backup-bucket"), { stack, bucket: settings.bucket }, on);
    this.backups = new Backup(
      named("backup-system"),
      {
        ...{ ...common, settings, account, environment, app, external },
        ...{ image: backup.enabled ? image("backup", backup.image!) : undefined, proxyGid: proxy.gid },
        ...{ kept: settings, services: this.services, database: this.database?.container, bucket: this.bucket },
      },
      on,
    );
    new Limits(named("limits"), { stack, containers: this.containers, processes: settings.limits.processes }, on);
    this.registerOutputs({ containers: this.containers.map((container) => container.name) });
  }

  /** Database and Redis, those of them that are not elsewhere. */
  get stores(): docker.Container[] {
    return [...present(this.database?.container), ...this.redis.map(({ container }) => container)];
  }

  get backupContainers(): docker.Container[] {
    return [...present(this.backups.agent), ...present(this.backups.companion), ...this.backups.readers];
  }

  /** All of its containers, the proxy first. */
  get containers(): docker.Container[] {
    const services = this.services.map(({ container }) => container);
    return [this.proxy.container, ...this.stores, ...services, ...this.backupContainers];
  }

  #redisServers(
    { stack, settings: { redis: server } }: InfrastructureArgs,
    imageOf: (reference: string) => PulledImage,
    options: pulumi.ComponentResourceOptions,
  ): Redis[] {
    const { network, volumes } = this;
    const wanted = [
      ...(server.external === undefined
        ? [{ service: "redis", purpose: "store", volume: volumes.redis } as const]
        : []),
      ...present(volumes.redisCache).map((volume) => ({ service: "redis-cache", purpose: "cache", volume }) as const),
    ];
    if (wanted.length === 0) return [];
    const image = imageOf(server.image!);
    return wanted.map(
      (one) => new Redis(`${stack.prefix}${one.service}`, { ...one, stack, network, image, server }, options),
    );
  }
}
