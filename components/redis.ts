import { readFileSync } from "node:fs";
import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
import { type RedisPurpose, redisConfiguration } from "../servers/redis.ts";
import { labelWords, step } from "./command.ts";
import { container } from "./container.ts";
import type { PulledImage } from "./image.ts";
import type { Network } from "./network.ts";
import { fingerprint, type StackIdentity } from "./stack.ts";

const RUN = "/run/drydock";
const script = (name: string) => ({
  path: `${RUN}/${name}`,
  content: readFileSync(new URL(`../commands/inside/${name}`, import.meta.url), "utf8"),
});

export interface RedisArgs {
  readonly stack: StackIdentity;
  /** Its name in the network. */
  readonly service: "redis" | "redis-cache";
  readonly purpose: RedisPurpose;
  readonly network: Network;
  /** Where it keeps what it has; the cache only whom it lets in. */
  readonly volume: docker.Volume;
  readonly image: PulledImage;
  /** `drydock:redis`: limits in MiB and processors, times in seconds. */
  readonly server: Settings["redis"];
}

/**
 * A Redis server, on the internal network only. The store is persistent (incident 13) and never evicts a queued job;
 * the cache forgets. Its password is no input of the container: it is told to the server while that runs
 * (RedisPassword), so that another one replaces nothing.
 */
export class Redis extends pulumi.ComponentResource {
  readonly container: docker.Container;
  /** Its name in the network. */
  readonly service: string;

  constructor(name: string, args: RedisArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Redis", name, {}, options);
    const { stack, service, purpose, image, server } = args;
    this.service = service;
    const configuration = redisConfiguration(server, purpose);
    const files = [
      { path: `${RUN}/redis.conf`, content: configuration },
      script("redis-rights.sh"),
      script("redis-start.sh"),
      script("redis-cli.sh"),
    ];
    const check = step(
      stack,
      `${name}-check`,
      {
        script: "redis-check",
        environment: {
          IMAGE: image.reference,
          RUN_AS: `${server.uid}:${server.gid}`,
          VOLUME: args.volume.name,
          SERVICE: service,
          LABELS: labelWords(stack),
        },
        stdin: configuration,
      },
      { parent: this, dependsOn: [image.resource] },
    );
    this.container = container(
      stack,
      name,
      {
        role: purpose === "store" ? "redis" : "cache",
        release: fingerprint({ image: image.reference, files }),
        image: image.reference,
        user: server,
        limits: purpose === "store" ? server : server.cache,
        networks: [{ network: args.network.data, aliases: [service] }],
        files,
        mounts: [{ type: "volume", source: args.volume.name, target: "/data" }],
        entrypoint: ["/bin/sh", `${RUN}/redis-start.sh`],
        command: [`${RUN}/redis.conf`],
        // PONG is refused while the append-only file is still being loaded: alive is not yet ready.
        health: { test: ["CMD-SHELL", `sh ${RUN}/redis-cli.sh ping | grep -qx PONG`] },
        stopSignal: "SIGTERM",
        stopTimeout: server.stopTimeout,
        startTimeout: 120,
      },
      // Two servers on one append-only file would destroy it.
      "old-before-new",
      { parent: this, dependsOn: [check] },
    );
    this.registerOutputs({ container: this.container.name });
  }
}
