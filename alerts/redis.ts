import type { Alert } from "./alert.ts";

/** Sessions, jobs and the cache. */
export const redis: readonly Alert[] = [
  {
    name: "RedisDown",
    severity: "critical",
    summary: "Redis ({{ $labels.server }}) does not answer",
    why: "sessions and jobs are in it; of the cache's server, whatever is cached",
    remedy: "see what it logs last",
    command: "./drydock status; ./drydock logs redis",
    expression: () => "redis_up == 0",
    for: "1m",
  },
  {
    name: "RedisNotPersisting",
    severity: "critical",
    summary: "Redis can't write what it has to the disk",
    why: "sessions and jobs are in memory alone: a restart loses them, and soon Redis refuses to take more",
    remedy: "see whether its disk is full or broken",
    command: "./drydock logs redis; ./drydock metrics",
    expression: () =>
      'redis_rdb_last_bgsave_status{server="redis"} == 0 or redis_aof_last_write_status{server="redis"} == 0',
    for: "5m",
  },
  {
    name: "RedisFull",
    severity: "warning",
    summary: "Redis holds {{ $value | humanizePercentage }} of what it may",
    why: "full, it refuses to store more: nobody logs in, no job is queued",
    remedy: "see whether a queue has grown, or raise the limit",
    command: "pulumi config set --path drydock:redis.maxmemory N",
    // The cache's server is meant to be full.
    expression: () => 'redis_memory_used_bytes{server="redis"} / (redis_memory_max_bytes{server="redis"} > 0) > 0.9',
    for: "5m",
  },
];
