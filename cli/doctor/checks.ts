import { RETRIES } from "../../config/capacity.ts";
import { isLasting } from "../../config/roles.ts";
import { defined } from "../../lib/defined.ts";
import { judgeVersion } from "../../lib/dockerVersion.ts";
import { LOCAL } from "../project.ts";
import { alarmOf } from "../redisMemory.ts";
import type { Check, ContainerFacts, Facts, LaravelFacts, Verdict } from "./facts.ts";

/** What was seen of one thing, and what mends it. */
interface Finding {
  readonly verdict: Exclude<Verdict, "fine">;
  readonly what: string;
  readonly remedy?: string;
}

const broken = (what: string, remedy?: string): Finding => ({ verdict: "broken", what, ...defined({ remedy }) });
const unknown = (what: string, remedy?: string): Finding => ({ verdict: "unknown", what, ...defined({ remedy }) });

const select = (stack: string): string => (stack === LOCAL ? "" : ` -s ${stack}`);
const up = ({ stack }: Facts): string => `./drydock up${select(stack)}`;
/** A successor is made and proven before it goes: no request fails. */
const replace = (facts: Facts, name: string): string => `${up(facts)} --replace ${name}`;
const list = (names: readonly string[]): string => names.join(", ");
const inRedis = (container: string, command: string): string =>
  `docker exec ${container} sh /run/drydock/redis-cli.sh ${command}`;

const laravel = (facts: Facts): readonly ContainerFacts[] => facts.containers.filter(({ role }) => isLasting(role));

/** Asks the same of each Laravel container that could be asked; of those that couldn't, nothing is claimed. */
function each(
  facts: Facts,
  ask: (one: ContainerFacts, facts: LaravelFacts, process: string) => readonly (Finding | false | undefined | null)[],
): Finding[] {
  return laravel(facts).flatMap((one) => {
    if (one.laravel === undefined) return [unknown(`${one.name} is ${one.state}`, up(facts))];
    if ("silent" in one.laravel)
      return [
        unknown(
          `${one.name} can't be asked: ${one.laravel.silent}`,
          `./drydock logs ${one.role}${select(facts.stack)}`,
        ),
      ];
    const { cli, fpm } = one.laravel;
    const found = [...ask(one, cli, one.name), ...(fpm === undefined ? [] : ask(one, fpm, `${one.name} (PHP-FPM)`))];
    return found.filter((finding): finding is Finding => Boolean(finding));
  });
}

const fpmSilent = ({ laravel }: ContainerFacts): string | undefined =>
  laravel !== undefined && "cli" in laravel ? laravel.fpmSilent : undefined;

/** Of Laravel's own queues the number is a variable; of others it is in their configuration. */
function retryRemedy(stack: string, connection: string, longestJob: number): string {
  const name = RETRIES[connection];
  return name === undefined
    ? `set retry_after of ${connection} in config/queue.php above ${longestJob}`
    : `eval "$(./drydock env)" && pulumi config set -s ${stack} --path drydock:env.${name} ${longestJob + 30}\n./drydock up${select(stack)}`;
}

type Rule = readonly [issue: number | null, id: string, title: string, judge: (facts: Facts) => readonly Finding[]];

/** The known issues in their order, then what is not among them. */
const RULES: readonly Rule[] = [
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
      ...("values" in facts.redis && Number(facts.redis.values.passwords) > 1
        ? [
            broken(
              "Redis takes another password as well: the release that changes it has not succeeded, or somebody added it",
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
    "the PHP extension redis is loaded and used",
    (facts) =>
      each(facts, (_, { redisExtension, redisClient }, process) => [
        !redisExtension &&
          broken(
            `${process} has no extension redis`,
            `add it to the image (pecl install redis, or the package php-redis), then: ${up(facts)}`,
          ),
        redisClient != null &&
          redisClient !== "phpredis" &&
          broken(
            `${process} uses the client ${redisClient}`,
            `set REDIS_CLIENT's default in config/database.php to phpredis, then: ${up(facts)}`,
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
            `${process} executes old code of ${opcache?.staleCount} files that were changed since: ${list(opcache?.stale ?? [])}`,
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
            : `docker run --rm --network none --user 0:0 --entrypoint /bin/sh --mount type=volume,source=${volume},target=/v ${one.image} -c 'chown -R ${wanted}:${gid} /v && chmod -R u+rwX /v'`;
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
                  `./drydock maintenance on${select(facts.stack)} (writes all of it anew)\n./drydock maintenance off${select(facts.stack)}`,
                ),
              ),
            ...facts.maintenance.aside.map((name) =>
              broken(
                `${name} was damaged and set aside, which opened the site`,
                `./drydock maintenance on${select(facts.stack)}\ndocker exec ${facts.containers.find(({ role }) => role === "proxy")?.container ?? "PROXY"} rm -rf /var/lib/drydock/maintenance/${name}`,
              ),
            ),
          ],
  ],
  [
    13,
    "redis-persistence",
    "Redis saves what it has",
    (facts) => {
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
  [
    null,
    "redis-memory",
    "Redis has room for more sessions and jobs",
    (facts) =>
      "silent" in facts.redis
        ? [unknown(`Redis can't be asked: ${facts.redis.silent}`, up(facts))]
        : alarmOf(facts.redis.values).map((what) =>
            broken(
              what,
              `see what it holds: ${inRedis(facts.containers.find(({ role }) => role === "redis")?.container ?? "REDIS", "--bigkeys")}
raise both: pulumi config set --path drydock:redis.maxmemory MIB -s ${facts.stack}; pulumi config set --path drydock:redis.memory MIB -s ${facts.stack}`,
            ),
          ),
  ],
  [
    null,
    "docker-version",
    "Docker is new enough",
    ({ engine }) => {
      if (engine === undefined) return [unknown("Docker does not say its version", "docker version")];
      const old = judgeVersion(engine.host, engine.version, engine.api);
      return old === undefined ? [] : [broken(old.what, old.remedy)];
    },
  ],
  [
    null,
    "own-layer",
    "what the application writes outlives its container",
    (facts) => {
      const folders = [...new Set(facts.containers.flatMap(({ written = [] }) => written))].sort();
      return folders.map((folder) =>
        unknown(
          `${list(facts.containers.filter(({ written }) => written?.includes(folder)).map(({ name }) => name))} has written to ${folder}, which no other ` +
            "container has and the next release takes away: if it is to last, it has to be kept",
          `eval "$(./drydock env)" && pulumi config set -s ${facts.stack} --path 'drydock:app.persistent["${folder}"].visibility' ${folder.startsWith("public/") ? "public" : "private"}`,
        ),
      );
    },
  ],
  [
    null,
    "confinement",
    "every container is kept in as planned",
    ({ containers, plan, ...facts }) =>
      containers.flatMap(({ name, container, loose = [] }) => {
        if (loose.length === 0) return [];
        // Docker takes that one limit while a container runs.
        const remedy =
          loose.length === 1 && loose[0] === "has no limit of processes"
            ? `docker update --pids-limit ${plan.processes} ${container}`
            : `./drydock up${select(facts.stack)} --replace ${name}`;
        return [broken(`${name} ${loose.join(", ")}`, remedy)];
      }),
  ],
  [
    null,
    "accounts",
    "the application administers neither Redis nor the database",
    ({ redis, reach, ...facts }) => [
      ...("values" in redis && redis.values.admin === "yes"
        ? [broken("the application may administer Redis", `./drydock up${select(facts.stack)} --replace redis`)]
        : []),
      ...("values" in redis && Number(redis.values.others ?? 0) > 0
        ? [
            broken(
              `Redis knows ${redis.values.others} more accounts than it ought to`,
              `./drydock up${select(facts.stack)} --replace redis`,
            ),
          ]
        : []),
      ...("silent" in reach || reach.grants.length === 0
        ? []
        : [
            broken(
              `the application's account in the database has ${list(reach.grants)}`,
              "REVOKE it as the database's root",
            ),
          ]),
    ],
  ],
  [
    null,
    "neighbours",
    "the application reaches nothing that it ought not to",
    ({ reach, ...facts }) => {
      if ("silent" in reach)
        return [unknown(`no replica can be asked: ${reach.silent}`, `./drydock status${select(facts.stack)}`)];
      return reach.reached.map((name) =>
        name === "metadata"
          ? unknown(
              "the machine's metadata, with the keys of its cloud, answers the application",
              "on the Docker host, at each start: iptables -I DOCKER-USER -d 169.254.169.254 -p tcp --dport 80 -j REJECT\n" +
                "or, on EC2: aws ec2 modify-instance-metadata-options --http-tokens required --http-put-response-hop-limit 1 --instance-id ID",
            )
          : broken(
              `PHP-FPM of ${name} answers on the network of database and Redis`,
              `./drydock up${select(facts.stack)} --replace ${name}`,
            ),
      );
    },
  ],
  [
    null,
    "disk",
    "there is room where the application stores files",
    ({ reach, ...facts }) => {
      if ("silent" in reach || reach.free === undefined || reach.free >= 0.1) return [];
      const what = `${Math.floor(reach.free * 100)} % of the Docker host's disk is free, and nothing but that limits what the application stores`;
      return [(reach.free < 0.05 ? broken : unknown)(what, `docker system df\n./drydock status${select(facts.stack)}`)];
    },
  ],
  [
    null,
    "retry-after",
    "no job is run again while it still runs",
    ({ containers, plan: { longestJob }, ...facts }) => {
      const queue = containers
        .flatMap(({ laravel }) =>
          laravel !== undefined && "cli" in laravel && laravel.cli.queue !== undefined ? [laravel.cli.queue] : [],
        )
        .at(0);
      if (queue?.retryAfter == null || longestJob === 0 || queue.retryAfter > longestJob) return [];
      return [
        broken(
          `a job of the queue ${queue.connection} is run again after ${queue.retryAfter} s (retry_after in config/queue.php), but may run for ${longestJob} s (longestJob)`,
          retryRemedy(facts.stack, queue.connection, longestJob),
        ),
      ];
    },
  ],
  [
    null,
    "services",
    "every container runs and is healthy",
    (facts) =>
      facts.containers.flatMap(({ name, role, state, health }) =>
        state === "running" && (health === "healthy" || health === "none")
          ? []
          : state === "running" && health === "starting"
            ? [unknown(`${name} is starting`)]
            : [
                broken(
                  `${name} is ${state === "running" ? health : state}`,
                  state === "running" ? `./drydock logs ${role}${select(facts.stack)}` : up(facts),
                ),
              ],
      ),
  ],
  [
    null,
    "complete",
    "the last release went through all its steps",
    ({ stack, unfinished }) =>
      unfinished === undefined
        ? []
        : [
            broken(
              `release ${unfinished.release} ${unfinished.serves ? "serves, but has" : "has"} not gone through all its steps`,
              `./drydock status${select(stack)}\n./drydock up${select(stack)}`,
            ),
          ],
  ],
  [
    null,
    "schedule",
    "one scheduler runs the schedule",
    ({ schedule, plan, now, ...facts }) => {
      if (!plan.scheduler) return [];
      if (schedule.running > 1)
        return [
          broken(
            `${schedule.running} schedulers run: every task runs ${schedule.running} times`,
            `./drydock drift${select(facts.stack)}`,
          ),
        ];
      if (schedule.running === 0) return [broken("no scheduler runs", `./drydock up${select(facts.stack)}`)];
      const started = facts.containers.find(({ role }) => role === "scheduler")?.startedAt ?? 0;
      const since = Math.max(schedule.last ?? 0, started);
      if (now - since > OVERDUE)
        return [
          broken(
            `the schedule was last run ${schedule.last === undefined ? "never" : `${Math.round((now - since) / 1000)} s ago`}`,
            `./drydock logs scheduler${select(facts.stack)}\n./drydock up${select(facts.stack)} --replace scheduler`,
          ),
        ];
      return schedule.last === undefined
        ? [unknown("the scheduler has just been started: its first minute isn't over")]
        : [];
    },
  ],
];

/** The schedule is run once a minute; a task in it may hold up the next look. */
const OVERDUE = 180_000;

const unique = (all: readonly string[]): readonly string[] => [...new Set(all)];

/** Judges all of it: each known issue is fine, broken, or can't be judged. */
export function judge(facts: Facts): readonly Check[] {
  return RULES.map(([issue, id, title, rule]) => {
    const findings = rule(facts);
    const verdict: Verdict = findings.some((one) => one.verdict === "broken")
      ? "broken"
      : findings.length > 0
        ? "unknown"
        : "fine";
    const shown = findings.filter((one) => verdict !== "broken" || one.verdict === "broken");
    return {
      issue,
      id,
      title,
      verdict,
      details: unique(shown.map(({ what }) => what)),
      remedies: unique(shown.flatMap(({ remedy }) => remedy?.split("\n") ?? [])),
    };
  });
}
