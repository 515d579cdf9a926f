import type { Found, LenientSettings } from "./found.ts";
import { joinPath, type Problem, setCommand } from "./problems.ts";
import { bytesOf } from "./serverOptions.ts";

/** Connections that MariaDB and MySQL take unless they are told otherwise. */
const CONNECTIONS = 151;
/** Of the database's options, those that each connection may use for itself. */
const BUFFERS = [
  "sort_buffer_size",
  "join_buffer_size",
  "read_buffer_size",
  "read_rnd_buffer_size",
  "binlog_cache_size",
  "thread_stack",
];
/** MiB of the server without any connection, and of one that uses what is usual. */
const [SERVER, CONNECTION] = [100, 0.5];
/** What agent, health checks, a shell and a migration need beside the application. */
const OTHERS = 15;

/** Whether what runs at once fits what it shares. */
export function checkCapacity(settings: LenientSettings, env: Readonly<Record<string, string>>, stack: string): Found {
  return {
    problems: [],
    warnings: [
      ...connections(settings, stack),
      ...buffers(settings, stack),
      ...saving(settings, stack),
      ...retries(settings, env, stack),
    ],
  };
}

/** In a release, the replicas of both releases are there, and each of their processes may hold a connection. */
function connections({ app, database, workers, horizon, scheduler }: LenientSettings, stack: string): Problem[] {
  // Nobody here knows what a server elsewhere takes.
  if (
    database?.external !== undefined ||
    app?.replicas === undefined ||
    app.maxChildren === undefined ||
    app.server === "http"
  )
    return [];
  const count = known(workers).reduce((sum, { replicas }) => sum + replicas, 0);
  const beside = OTHERS + 2 * count + (horizon?.enabled === false ? 0 : 20) + (scheduler?.enabled === false ? 0 : 1);
  const most = 2 * app.replicas * app.maxChildren + beside;
  const taken = connectionsOf(database?.options);
  if (most <= taken) return [];
  const fits = Math.max(1, Math.floor((taken - beside) / (2 * app.replicas)));
  return [
    {
      path: "drydock:app.maxChildren",
      message:
        `is ${app.maxChildren}: in a release, ${2 * app.replicas} replicas and what runs beside them may want ` +
        `${most} ` +
        `connections of the database, which takes ${taken}; then requests fail with "Too many connections"`,
      remedy:
        `${setCommand("drydock:app.maxChildren", String(fits), stack)}\n` +
        `or ${setCommand("drydock:database.options.max_connections", String(most), stack)}`,
    },
  ];
}

const connectionsOf = (options: Readonly<Record<string, string>> | undefined): number =>
  Number(optionOf(options, "max_connections") ?? CONNECTIONS);

/** Whichever way its name is written. */
function optionOf(options: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  return Object.entries(options ?? {}).find(([one]) => one.toLowerCase().replaceAll("-", "_") === name)?.[1];
}

/**
 * What the database may take in memory, where the user has said how much each connection may. At the limit it is
 * killed.
 */
function buffers({ database }: LenientSettings, stack: string): Problem[] {
  const { memory, bufferPool, options } = database ?? {};
  if (memory === undefined || bufferPool === undefined || database?.external !== undefined) return [];
  const each = CONNECTION + BUFFERS.reduce((sum, name) => sum + bytesOf(optionOf(options, name) ?? "0"), 0) / 2 ** 20;
  const count = connectionsOf(options);
  const most = Math.ceil(SERVER + bufferPool + count * each);
  if (most <= memory) return [];
  return [
    {
      path: "drydock:database.memory",
      message:
        `is ${memory} MiB: the server's own ${SERVER}, drydock:database.bufferPool (${bufferPool}) ` +
        `and ${count} connections of ${each.toFixed(1)} may want ${most} ` +
        "MiB, and at the limit the server is killed",
      remedy: setCommand("drydock:database.memory", String(most), stack),
    },
  ];
}

/**
 * Redis saves from a copy of itself: what is written meanwhile is there twice, and its own buffers come to it. At its
 * limit the container is killed, and with it what was written since the last second.
 */
function saving({ redis }: LenientSettings, stack: string): Problem[] {
  const { memory, maxmemory } = redis ?? {};
  if (memory === undefined || maxmemory === undefined || maxmemory >= memory || 3 * maxmemory <= 2 * memory) return [];
  return [
    {
      path: "drydock:redis.memory",
      message:
        `is ${memory} MiB for drydock:redis.maxmemory of ${maxmemory} MiB: while it saves, ` +
        "Redis needs half as much again, and is killed at the limit",
      remedy: setCommand("drydock:redis.memory", String(Math.ceil(maxmemory * 1.5)), stack),
    },
  ];
}

/** Those of which all is right. */
function known(workers: LenientSettings["workers"]) {
  return Object.values(workers ?? {}).filter((worker) => worker !== undefined);
}

/**
 * Queues of Laravel's own config/queue.php, and after how long their jobs are run again: 90 s where nothing is set.
 */
export const RETRIES: Readonly<Record<string, string>> = {
  redis: "REDIS_QUEUE_RETRY_AFTER",
  database: "DB_QUEUE_RETRY_AFTER",
  beanstalkd: "BEANSTALKD_QUEUE_RETRY_AFTER",
};

/** The longest job of any process that takes jobs, in seconds. */
export function longestJob({ horizon, workers }: LenientSettings): number {
  const each = known(workers)
    .filter(({ http }) => http === undefined)
    .map(({ longestJob }) => longestJob);
  return Math.max(0, ...(horizon?.enabled === false ? [] : [horizon?.longestJob ?? 0]), ...each);
}

/** A job that takes longer than its queue waits is run twice, by two workers at once. */
function retries(settings: LenientSettings, env: Readonly<Record<string, string>>, stack: string): Problem[] {
  const longest = longestJob(settings);
  return Object.values(RETRIES).flatMap((name) => {
    const given = env[name];
    if (given === undefined || !/^\d+$/.test(given) || Number(given) > longest) return [];
    return [
      {
        path: joinPath(["env", name]),
        message:
          `is ${given}, but jobs may run for ${longest} s (longestJob): one that takes longer is run again while ` +
          "it still " +
          "runs",
        remedy: setCommand(joinPath(["env", name]), String(longest + 30), stack),
      },
    ];
  });
}
