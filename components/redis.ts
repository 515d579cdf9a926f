import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { container } from "./container.ts";
import { fingerprint, type Context } from "./context.ts";
import type { Network } from "./network.ts";
import type { Volumes } from "./volumes.ts";

/** Redis for sessions, cache and queues: on the internal network only, persistent (known issue 13), and it never evicts a queued job. */
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
    const password = context.environment.secret.REDIS_PASSWORD ?? "";
    const run = "/run/drydock";
    const configuration = redisConfiguration(password, redis.maxmemory);
    this.container = container(
      context,
      name,
      {
        role: "redis",
        release: fingerprint({ image: redis.image, configuration: redisConfiguration("", redis.maxmemory) }),
        image: redis.image,
        user: redis,
        limits: redis,
        networks: [{ network: args.network.data, aliases: ["redis"] }],
        files: [
          { path: `${run}/redis.conf`, content: pulumi.secret(configuration) },
          { path: `${run}/password`, content: pulumi.secret(password) },
        ],
        mounts: [{ type: "volume", source: args.volumes.redis.name, target: "/data" }],
        entrypoint: ["redis-server"],
        command: [`${run}/redis.conf`],
        // PONG is refused while the append-only file is still being loaded: alive is not yet ready.
        health: { test: ["CMD-SHELL", `REDISCLI_AUTH="$(cat ${run}/password)" redis-cli -h 127.0.0.1 ping | grep -qx PONG`] },
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
export function redisConfiguration(password: string, maxmemory: number): string {
  return [
    "bind * -::*",
    "port 6379",
    `requirepass "${password.replace(/[\\"]/g, "\\$&")}"`,
    "dir /data",
    "save 3600 1 300 100 60 10000",
    "appendonly yes",
    "appendfsync everysec",
    `maxmemory ${maxmemory}mb`,
    "maxmemory-policy noeviction",
    "",
  ].join("\n");
}
