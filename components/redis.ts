import { readFileSync } from "node:fs";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { container } from "./container.ts";
import { fingerprint, type Context } from "./context.ts";
import type { Network } from "./network.ts";
import type { Volumes } from "./volumes.ts";

const RUN = "/run/drydock";
const script = (name: string) => ({ path: `${RUN}/${name}`, content: readFileSync(new URL(`../commands/${name}`, import.meta.url), "utf8") });

/**
 * Redis for sessions, cache and queues: on the internal network only, persistent (known issue 13), and it never evicts a queued job.
 * Its password is no input of the container: it is told to the server while that runs (RedisPassword), so that another one replaces nothing.
 */
export class Redis extends pulumi.ComponentResource {
  readonly container: docker.Container;

  constructor(
    name: string,
    context: Context,
    args: { network: Network; volumes: Volumes; image: docker.RemoteImage },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Redis", name, {}, options);
    const { redis } = context.settings;
    const files = [{ path: `${RUN}/redis.conf`, content: redisConfiguration(redis.maxmemory) }, script("redis-rights.sh"), script("redis-start.sh"), script("redis-cli.sh")];
    this.container = container(
      context,
      name,
      {
        role: "redis",
        release: fingerprint({ image: redis.image, files }),
        image: redis.image,
        user: redis,
        limits: redis,
        networks: [{ network: args.network.data, aliases: ["redis"] }],
        files,
        mounts: [{ type: "volume", source: args.volumes.redis.name, target: "/data" }],
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

/** redis.conf: snapshots as known issue 13 asks for, an append-only file, and a limit that refuses writes instead of dropping jobs. */
export function redisConfiguration(maxmemory: number): string {
  return [
    "bind * -::*",
    "port 6379",
    // Made at each start, from what the volume holds.
    "aclfile /dev/shm/users.acl",
    "dir /data",
    "save 3600 1 300 100 60 10000",
    "appendonly yes",
    "appendfsync everysec",
    `maxmemory ${maxmemory}mb`,
    "maxmemory-policy noeviction",
    "",
  ].join("\n");
}
