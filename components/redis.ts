import { readFileSync } from "node:fs";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
import { container } from "./container.ts";
import { type Context, fingerprint } from "./context.ts";
import type { Network } from "./network.ts";

const RUN = "/run/drydock";
const script = (name: string) => ({
  path: `${RUN}/${name}`,
  content: readFileSync(new URL(`../commands/${name}`, import.meta.url), "utf8"),
});

/** `store` keeps sessions and jobs, `cache` entries of the cache alone. */
type Purpose = "store" | "cache";

/**
 * A Redis server, on the internal network only. The store is persistent (incident 13) and never evicts a queued job;
 * the cache forgets.
 * Its password is no input of the container: it is told to the server while that runs (RedisPassword), so that another
 * one replaces nothing.
 */
export class Redis extends pulumi.ComponentResource {
  readonly container: docker.Container;
  /** Its name in the network, and its container's. */
  readonly service: string;

  constructor(
    name: string,
    context: Context,
    args: { purpose: Purpose; network: Network; volume: docker.Volume; image: docker.RemoteImage },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Redis", name, {}, options);
    const { redis } = context.settings;
    this.service = name;
    const files = [
      { path: `${RUN}/redis.conf`, content: redisConfiguration(context.settings.redis, args.purpose) },
      script("redis-rights.sh"),
      script("redis-start.sh"),
      script("redis-cli.sh"),
    ];
    this.container = container(
      context,
      name,
      {
        role: args.purpose === "store" ? "redis" : "cache",
        release: fingerprint({ image: redis.image, files }),
        image: redis.image!,
        user: redis,
        limits: args.purpose === "store" ? redis : redis.cache,
        networks: [{ network: args.network.data, aliases: [name] }],
        files,
        mounts: [{ type: "volume", source: args.volume.name, target: "/data" }],
        entrypoint: ["/bin/sh", `${RUN}/redis-start.sh`],
        command: [`${RUN}/redis.conf`],
        // PONG is refused while the append-only file is still being loaded: alive is not yet ready.
        health: { test: ["CMD-SHELL", `sh ${RUN}/redis-cli.sh ping | grep -qx PONG`] },
        stopSignal: "SIGTERM",
        stopTimeout: redis.stopTimeout,
        startTimeout: 120,
      },
      // Two servers on one append-only file would destroy it.
      "old-before-new",
      { parent: this, dependsOn: [args.image] },
    );
    this.registerOutputs({ container: this.container.name });
  }
}

/**
 * redis.conf. The store: snapshots as incident 13 asks for, an append-only file, and a limit that refuses writes
 * instead of dropping jobs.
 * The cache: nothing on the disk, and a limit at which it drops what was not used for longest.
 */
export function redisConfiguration(
  { maxmemory, cache, options }: Pick<Settings["redis"], "maxmemory" | "cache" | "options">,
  purpose: Purpose,
): string {
  const own =
    purpose === "cache"
      ? ['save ""', "appendonly no", `maxmemory ${cache.maxmemory}mb`, "maxmemory-policy allkeys-lru"]
      : [
          "save 3600 1 300 100 60 10000",
          "appendonly yes",
          "appendfsync everysec",
          `maxmemory ${maxmemory}mb`,
          "maxmemory-policy noeviction",
        ];
  return [
    "bind * -::*",
    "port 6379",
    // Made at each start, from what the volume holds.
    "aclfile /dev/shm/users.acl",
    "dir /data",
    ...own,
    ...Object.entries(options)
      .filter(([name]) => purpose === "store" || name !== "appendfsync")
      .map(([name, value]) => `${name} ${value === "" ? '""' : value}`),
    "",
  ].join("\n");
}
