import { FOLDERS } from "../../contracts/proxy.ts";
import { select } from "../shared/project.ts";
import { broken, each, fpmSilent, inRedis, list, type Rule, replace, unknown, up } from "./finding.ts";

/** The known issues of docs/incidents.md, in their order. */
export const KNOWN_ISSUES: readonly Rule[] = [
  [
    1,
    "env-plan",
    "every role has the planned environment",
    (facts) =>
      each(facts, (one, { env }, process) => {
        // The hashes are keyed with APP_KEY: with another one, nothing else can be compared.
        if (env.differs.includes("APP_KEY"))
          return [
            broken(
              `${process} has another APP_KEY, so that the rest can't be compared`,
              facts.plan.released ? replace(facts, one.name) : up(facts),
            ),
          ];
        const what = [
          ...(env.missing.length > 0 ? [`has no ${list(env.missing)}`] : []),
          ...(env.differs.length > 0 ? [`has another ${list(env.differs)} than the configuration`] : []),
        ].join(" and ");
        if (what === "") return [];
        return [
          facts.plan.released
            ? broken(`${process} ${what}`, replace(facts, one.name))
            : broken(`${process} ${what}: the configuration was changed since the last release`, up(facts)),
        ];
      }),
  ],
  [
    2,
    "db-connection",
    "DB_CONNECTION is set in every role's own environment",
    (facts) =>
      each(facts, (one, { dbConnection }, process) => [
        dbConnection.value === null
          ? broken(`${process} has no DB_CONNECTION: Laravel takes SQLite`, replace(facts, one.name))
          : !dbConnection.explicit &&
            broken(`${process} has DB_CONNECTION in its .env file only`, replace(facts, one.name)),
      ]),
  ],
  [
    3,
    "redis-password",
    "every role has Redis's password, and Redis takes it alone",
    (facts) => [
      ...each(facts, (one, { redisPassword, redis, env }, process) => [
        !redisPassword && broken(`${process} has no REDIS_PASSWORD`, replace(facts, one.name)),
        // Where the container has the right one, Redis has not: a new one is told.
        redis?.error != null &&
          /NOAUTH|WRONGPASS/.test(redis.error) &&
          broken(
            `Redis refuses the password of ${process}`,
            replace(facts, env.differs.includes("REDIS_PASSWORD") ? one.name : "redis"),
          ),
      ]),
      ...(facts.redis !== undefined && "values" in facts.redis && Number(facts.redis.values.passwords) > 1
        ? [
            broken(
              "Redis takes another password as well: the release that changes it has not succeeded, " +
                "or somebody added it",
              facts.plan.released ? replace(facts, "redis") : up(facts),
            ),
          ]
        : []),
    ],
  ],
  [
    4,
    "app-key",
    "every role has the same valid APP_KEY",
    (facts) =>
      each(facts, (one, { appKey, env }, process) => [
        !appKey
          ? broken(`${process} has no valid APP_KEY (32 bytes, as base64)`, replace(facts, one.name))
          : [...env.missing, ...env.differs].includes("APP_KEY") &&
            broken(`${process} has another APP_KEY`, facts.plan.released ? replace(facts, one.name) : up(facts)),
      ]),
  ],
  [
    5,
    "phpredis",
    "the client for Redis that the configuration names is there",
    (facts) =>
      each(facts, (_, { redisExtension, predis, redisClient }, process) => [
        !redisExtension &&
          redisClient !== "predis" &&
          broken(
            `${process} has no extension redis`,
            `add it to the image (pecl install redis, or the package php-redis), then: ${up(facts)}`,
          ),
        // REDIS_CLIENT is phpredis in every container: a configuration that says predis does not read it.
        redisClient === "predis" &&
          !predis &&
          broken(
            `config/database.php of ${process} names the client predis, and the image lacks that package`,
            `have it read REDIS_CLIENT, as Laravel's own does, or: composer require predis/predis; then: ${up(facts)}`,
          ),
      ]),
  ],
  [
    6,
    "opcache",
    "OPcache of every replica has the code that is there",
    (facts) =>
      each(facts, (one, { opcache, release }, process) => [
        release !== null &&
          release !== facts.release &&
          broken(`${process} runs release ${release}, and ${facts.release} is the last one`, up(facts)),
        process === one.name &&
          fpmSilent(one) !== undefined &&
          unknown(
            `PHP-FPM of ${one.name} can't be asked: ${fpmSilent(one)}`,
            `./drydock logs app${select(facts.stack)}`,
          ),
        opcache?.enabled === false &&
          broken(`${process} runs without OPcache`, `enable OPcache in the image, then: ${up(facts)}`),
        (opcache?.staleCount ?? 0) > 0 &&
          broken(
            `${process} executes old code of ${opcache?.staleCount} files that were changed since: ` +
              `${list(opcache?.stale ?? [])}`,
            replace(facts, one.name),
          ),
        opcache?.full === true &&
          broken(
            `${process}: OPcache is full, so new code is compiled at every request`,
            "raise opcache.memory_consumption in the image's php.ini",
          ),
        opcache?.since !== undefined &&
          one.startedAt !== undefined &&
          opcache.since * 1000 < one.startedAt - 5000 &&
          broken(`${process}: OPcache is older than its container`, replace(facts, one.name)),
      ]),
  ],
  [
    7,
    "health-ipv4",
    "health checks ask over IPv4",
    (facts) =>
      facts.containers.flatMap(({ name, healthTest, state }) =>
        state === "missing"
          ? [unknown(`${name} is missing`, up(facts))]
          : healthTest === undefined || healthTest[0] === "NONE"
            ? [broken(`${name} has no health check`, replace(facts, name))]
            : /localhost|\[::1\]/.test(healthTest.join(" "))
              ? [
                  broken(
                    `${name} asks localhost, which may be IPv6: ${healthTest.slice(1).join(" ")}`,
                    replace(facts, name),
                  ),
                ]
              : [],
      ),
  ],
  [
    8,
    "health-endpoint",
    "health checks ask the right port and path, and it answers",
    (facts) => [
      ...facts.containers
        .filter(({ role }) => role === "app")
        .flatMap(({ name, healthTest }) => {
          const { port, healthPath, server } = facts.plan;
          const wanted =
            server === "fpm" ? [`127.0.0.1:${port}`, healthPath] : [`http://127.0.0.1:${port}${healthPath}`];
          return healthTest === undefined || wanted.every((word) => healthTest.includes(word))
            ? []
            : [broken(`${name} asks something else than port ${port}, path ${healthPath}`, up(facts))];
        }),
      ...("silent" in facts.site
        ? [unknown(`the site can't be asked: ${facts.site.silent}`, up(facts))]
        : facts.site.error === undefined
          ? []
          : [
              broken(
                `${facts.plan.healthPath} through the proxy: ${facts.site.error}`,
                `./drydock logs proxy${select(facts.stack)}\n./drydock logs app${select(facts.stack)}`,
              ),
            ]),
    ],
  ],
  [
    9,
    "storage",
    "every role runs as the planned user and writes where Laravel does",
    (facts) =>
      each(facts, (one, { uid, unwritable }, process) => {
        const { path, uid: wanted, gid } = facts.plan;
        const volume = one.mounts.find(({ path: at }) => at === `${path}/storage/app`)?.volume;
        const owner =
          volume === undefined
            ? replace(facts, one.name)
            : `docker run --rm --network none --user 0:0 --entrypoint /bin/sh ` +
              `--mount type=volume,source=${volume},target=/v ` +
              `${one.image} -c 'chown -R ${wanted}:${gid} /v && chmod -R u+rwX /v'`;
        return [
          uid !== null &&
            uid !== wanted &&
            broken(`${process} runs as uid ${uid}, and app.uid is ${wanted}`, up(facts)),
          unwritable.length > 0 &&
            broken(
              `${process} can't write to ${list(unwritable)}`,
              [
                ...(unwritable.some((folder) => folder.startsWith("storage/app")) ? [owner] : []),
                ...(unwritable.some((folder) => !folder.startsWith("storage/app")) ? [replace(facts, one.name)] : []),
              ].join("\n"),
            ),
        ];
      }),
  ],
  [
    10,
    "config-cache",
    "the configuration cache is of the environment that is there",
    (facts) =>
      each(facts, (one, { configCache }, process) => [
        configCache.older && broken(`${process}: the cache is older than its .env file`, replace(facts, one.name)),
        configCache.differs.length > 0 &&
          broken(`${process}: the cache has another ${list(configCache.differs)}`, replace(facts, one.name)),
      ]),
  ],
  [
    11,
    "service-hosts",
    "database and Redis resolve and answer, with what each role has",
    (facts) =>
      each(facts, (_, { database, redis, boot }, process) => [
        boot !== undefined &&
          broken(`${process}: the application doesn't start (${boot})`, `./drydock logs app${select(facts.stack)}`),
        ...(
          [
            ["database", database],
            ["redis", redis],
          ] as const
        ).flatMap(([role, service]) =>
          service === undefined
            ? []
            : [
                service.loopback === true &&
                  broken(`${process}: the ${role}'s host is ${service.host}, which is the container itself`, up(facts)),
                service.error !== null &&
                  broken(
                    `${process}: ${role} (${service.host}): ${service.error}`,
                    `./drydock status${select(facts.stack)}\n./drydock logs ${role}${select(facts.stack)}`,
                  ),
              ],
        ),
      ]),
  ],
  [
    12,
    "maintenance-apart",
    "maintenance mode is the proxy's, and in no application's way",
    (facts) => [
      ...each(facts, (one, { down }, process) => [
        down === true &&
          broken(
            `${process} was taken down by \`artisan down\`, by itself`,
            `docker exec ${one.container} php artisan up`,
          ),
      ]),
      ...("silent" in facts.maintenance
        ? [unknown(`the proxy can't be asked: ${facts.maintenance.silent}`, up(facts))]
        : facts.maintenance.problems
            .filter((problem) => /write/.test(problem))
            .map((problem) => broken(problem, replace(facts, "proxy")))),
    ],
  ],
  [
    13,
    "maintenance-state",
    "maintenance mode is as it was switched on",
    (facts) =>
      "silent" in facts.maintenance
        ? [unknown(`the proxy can't be asked: ${facts.maintenance.silent}`, up(facts))]
        : [
            ...facts.maintenance.problems
              .filter((problem) => !/write/.test(problem))
              .map((problem) =>
                broken(
                  problem,
                  `./drydock maintenance on${select(facts.stack)} (writes all of it anew)\n` +
                    `./drydock maintenance off${select(facts.stack)}`,
                ),
              ),
            ...facts.maintenance.aside.map((name) =>
              broken(
                `${name} was damaged and set aside, which opened the site`,
                `./drydock maintenance on${select(facts.stack)}\n` +
                  `docker exec ${facts.containers.find(({ role }) => role === "proxy")?.container ?? "PROXY"} rm ` +
                  `-rf ${FOLDERS.maintenance}/${name}`,
              ),
            ),
          ],
  ],
  [
    13,
    "redis-persistence",
    "Redis saves what it has",
    (facts) => {
      // Another server's files are looked after elsewhere.
      if (facts.redis === undefined) return [];
      const { container = "REDIS", mounts = [] } = facts.containers.find(({ role }) => role === "redis") ?? {};
      if ("silent" in facts.redis) return [unknown(`Redis can't be asked: ${facts.redis.silent}`, up(facts))];
      const { values } = facts.redis;
      return [
        ...(values.save === ""
          ? [broken("snapshots are off (save)", inRedis(container, 'config set save "3600 1 300 100 60 10000"'))]
          : []),
        ...(values.appendonly !== "yes"
          ? [broken("the append-only file is off (appendonly)", inRedis(container, "config set appendonly yes"))]
          : []),
        ...(values["maxmemory-policy"] !== "noeviction"
          ? [
              broken(
                `full, it would drop jobs and sessions (maxmemory-policy ${values["maxmemory-policy"]})`,
                inRedis(container, "config set maxmemory-policy noeviction"),
              ),
            ]
          : []),
        ...["rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status"]
          .filter((key) => values[key] !== undefined && values[key] !== "ok")
          .map((key) =>
            broken(
              `its last save failed (${key} is ${values[key]}): is the disk full?`,
              `docker system df\n./drydock logs redis${select(facts.stack)}`,
            ),
          ),
        ...(mounts.some(({ path }) => path === "/data")
          ? []
          : [broken("its data is in no volume", replace(facts, "redis"))]),
      ];
    },
  ],
];
