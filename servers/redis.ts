import type { Settings } from "../config/settings.ts";

/** `store` keeps sessions and jobs, `cache` entries of the cache alone. */
export type RedisPurpose = "store" | "cache";

/**
 * redis.conf. The store: snapshots as incident 13 asks for, an append-only file, and a limit that refuses writes
 * instead of dropping jobs. The cache: nothing on the disk, and a limit at which it drops what was not used for
 * longest.
 */
export function redisConfiguration(
  { maxmemory, cache, options }: Pick<Settings["redis"], "maxmemory" | "cache" | "options">,
  purpose: RedisPurpose,
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
