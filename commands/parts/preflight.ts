/** What runtime/preflight.php answers. */
export interface Preflight {
  /** Variables that Laravel does not read, or reads otherwise than planned. */
  readonly missing: readonly string[];
  readonly differs: readonly string[];
  /** The file from which it has them. */
  readonly file: string;
  /** Names that a variable says and the application's configuration doesn't have. */
  readonly unknown: readonly {
    readonly variable: string;
    readonly value: string;
    readonly where: string;
    readonly has: readonly string[];
  }[];
  /** Logs that are files: the channel, and where. */
  readonly logs: readonly { readonly channel: string; readonly path: string }[];
  /** The queue that is used, where its jobs are run again before the longest one is done. */
  readonly retry?: { readonly connection: string; readonly after: number; readonly longestJob: number } | null;
  /** How many workers Horizon may start, and the MiB that its container may use. */
  readonly horizon?: { readonly processes: number; readonly memory: number } | null;
  /**
   * Settings of Laravel that have what must not be forgotten on the cache's server, and their connections. @default
   * none
   */
  readonly forgotten?: Readonly<Record<string, string>> | readonly [];
  /**
   * Stores of the cache that are on the server of sessions and jobs, where there is another one for them. @default none
   */
  readonly together?: readonly string[];
  /** Servers elsewhere that can't be used, and why. @default none */
  readonly unusable?: readonly { readonly what: "database" | "redis"; readonly why: string }[];
  /** Why the configuration could not be read. */
  readonly error?: string;
}

/** MiB of Horizon's master and supervisors, and of one worker: what a small application takes. */
const HORIZON = { itself: 128, worker: 64 };

/** What a release is refused for, and what is only said. */
export function judgePreflight(
  found: Preflight,
  stack: string,
): { readonly problems: string[]; readonly warnings: string[] } {
  const set = (name: string, value: string) => `pulumi config set --path drydock:env.${name} ${value} -s ${stack}`;
  const wrong = [...found.missing, ...found.differs];
  const problems =
    wrong.length === 0
      ? []
      : [
          `Laravel reads other values than this stack's for ${wrong.join(", ")}, from ${found.file}. ` +
            "Nothing was changed.\n" +
            "See where bootstrap/app.php or a provider of the application takes them from (loadEnvironmentFrom, " +
            "useEnvironmentPath, putenv).",
        ];
  problems.push(
    ...(found.unusable ?? []).map(
      ({ what, why }) =>
        `drydock:${what}.external can't be used: ${why}. Nothing was changed.\nIt was asked from a container on ` +
        "this stack's Docker host, with the " +
        `variables of this stack (${what === "database" ? "DB_*" : "REDIS_*"}).`,
    ),
  );
  const forgotten = Object.entries(found.forgotten ?? {});
  if (forgotten.length > 0)
    problems.push(
      `${forgotten.map(([setting, connection]) => `${setting} (${connection})`).join(", ")}: ` +
        "Redis's connection is that of the cache's server, " +
        "which drops what it has when it is full, and at each restart. Nothing was changed. " +
        "Name another connection there, such as default, " +
        `or do without that server: pulumi config set --path drydock:redis.cache.enabled false -s ${stack}`,
    );
  const warnings = [
    ...(found.together ?? []).map(
      (store) =>
        `the cache's store ${store} is on the server of sessions and jobs, which fail when it fills that: ` +
        "have config/database.php read the host " +
        "of its connection as env('REDIS_CACHE_HOST', env('REDIS_HOST')), without a url",
    ),
    ...(found.error === undefined ? [] : [`the application's configuration could not be read: ${found.error}`]),
    ...found.unknown.map(
      ({ variable, value, where, has }) =>
        `${variable} is ${value}, but ${where} has no such name (it has ${has.join(", ")}): ` +
        `${set(variable, has[0] ?? "VALUE")}`,
    ),
    ...found.logs.map(
      ({ channel, path }) =>
        `what is logged to ${channel} goes into the file ${path}, which \`./drydock logs\` does not show and ` +
        "nobody empties: " +
        set("LOG_CHANNEL", "stderr"),
    ),
    ...(found.retry == null
      ? []
      : [
          `a job of the queue ${found.retry.connection} is run again after ${found.retry.after} s (retry_after ` +
            "in config/queue.php), but may " +
            `run for ${found.retry.longestJob} s (longestJob): it would run twice at once. ` +
            "Set retry_after above that, or the setting below it",
        ]),
    ...horizonMemory(found.horizon ?? undefined, stack),
  ];
  return { problems, warnings };
}

/** It starts all its workers only when jobs wait: too little memory would not show in a release, but at night. */
function horizonMemory(horizon: NonNullable<Preflight["horizon"]> | undefined, stack: string): string[] {
  if (horizon === undefined) return [];
  const { processes, memory } = horizon;
  const wanted = HORIZON.itself + HORIZON.worker * processes;
  return wanted <= memory
    ? []
    : [
        `Horizon may start ${processes} workers (maxProcesses in config/horizon.php), ` +
          `which take about ${wanted} MiB, and its container is ended ` +
          `at ${memory}: pulumi config set --path drydock:horizon.memory ${wanted} -s ${stack}, or fewer processes`,
      ];
}
