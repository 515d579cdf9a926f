import { isLoopback } from "../../config/hosts.ts";
import { setCommand } from "../../config/problems.ts";
import { judgeLimits } from "../../lib/dockerLimits.ts";
import { judgeVersion } from "../../lib/dockerVersion.ts";
import { select } from "../shared/project.ts";
import { alarmOf } from "../shared/redisMemory.ts";
import { UNLIMITED } from "./confinement.ts";
import { broken, inRedis, list, type Rule, retryRemedy, unknown, up } from "./finding.ts";

/** The schedule is run once a minute; a task in it may hold up the next look. */
const OVERDUE = 180_000;

/** What is no known issue, and would be one. */
export const FURTHER: readonly Rule[] = [
  [
    null,
    "redis-memory",
    "Redis has room for more sessions and jobs",
    (facts) => {
      if (facts.redis === undefined) return [];
      return "silent" in facts.redis
        ? [unknown(`Redis can't be asked: ${facts.redis.silent}`, up(facts))]
        : alarmOf(facts.redis.values).map((what) =>
            broken(
              what,
              `see what it holds: ${inRedis(
                facts.containers.find(({ role }) => role === "redis")?.container ?? "REDIS",
                "--bigkeys",
              )}\n` +
                `raise both: pulumi config set --path drydock:redis.maxmemory MIB -s ${facts.stack}; ` +
                `pulumi config set --path drydock:redis.memory MIB -s ${facts.stack}`,
            ),
          );
    },
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
    "limits",
    "Docker holds the limits of containers",
    ({ engine }) => {
      const lost = engine?.limits === undefined ? undefined : judgeLimits(engine.host, engine.limits);
      return lost === undefined ? [] : [broken(lost.what, lost.remedy)];
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
          `${list(facts.containers.filter(({ written }) => written?.includes(folder)).map(({ name }) => name))} ` +
            `has written to ${folder}, which no other ` +
            "container has and the next release takes away: if it is to last, it has to be kept",
          `eval "$(./drydock env)" && pulumi config set -s ${facts.stack} --path ` +
            `'drydock:app.persistent["${folder}"].visibility' ` +
            `${folder.startsWith("public/") ? "public" : "private"}`,
        ),
      );
    },
  ],
  [
    null,
    "confinement",
    "every container is kept in as planned",
    ({ containers, plan, ...facts }) =>
      containers.flatMap(({ name, container, loose: all = [] }) => {
        // Where the engine holds none, no container is at fault.
        const held = facts.engine?.limits?.PidsLimit !== false;
        const loose = held ? all : all.filter((one) => one !== UNLIMITED);
        if (loose.length === 0) return [];
        // Docker takes that one limit while a container runs.
        const remedy =
          loose.length === 1 && loose[0] === UNLIMITED
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
      ...(redis !== undefined && "values" in redis && redis.values.admin === "yes"
        ? [broken("the application may administer Redis", `./drydock up${select(facts.stack)} --replace redis`)]
        : []),
      ...(redis !== undefined && "values" in redis && Number(redis.values.others ?? 0) > 0
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
              "./drydock host prepare closes them to containers\n" +
                "or, on EC2: aws ec2 modify-instance-metadata-options --http-tokens required " +
                "--http-put-response-hop-limit 1 --instance-id ID",
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
    "visitors",
    "visitors have their own addresses",
    ({ plan: { interface: address }, ...facts }) =>
      address?.includes(":") !== true || isLoopback(address)
        ? []
        : [
            unknown(
              `the proxy is published on ${address}: Docker relays IPv6, so to Laravel, ` +
                "to limits and in the log all visitors " +
                "have one address, the gateway's",
              "have what takes IPv6 in front, on the host itself: an edge (./drydock edge up), " +
                "or a proxy of its own, and:\n" +
                `${setCommand("drydock:proxy.interface", "127.0.0.1", facts.stack)}\n` +
                setCommand("drydock:proxy.trustedProxies[0]", "127.0.0.1", facts.stack),
            ),
          ],
  ],
  [
    null,
    "disk",
    "there is room where the application stores files",
    ({ reach, ...facts }) => {
      if ("silent" in reach || reach.free === undefined || reach.free >= 0.1) return [];
      const what =
        `${Math.floor(reach.free * 100)} % of the Docker host's disk is free, and nothing but that limits what the ` +
        "application stores";
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
          `a job of the queue ${queue.connection} is run again after ${queue.retryAfter} s (retry_after in ` +
            `config/queue.php), but may run for ${longestJob} s (longestJob)`,
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
              `release ${unfinished.release} ${unfinished.serves ? "serves, but has" : "has"} not gone through ` +
                "all its steps",
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
            "the schedule was last run " +
              `${schedule.last === undefined ? "never" : `${Math.round((now - since) / 1000)} s ago`}`,
            `./drydock logs scheduler${select(facts.stack)}\n./drydock up${select(facts.stack)} --replace scheduler`,
          ),
        ];
      return schedule.last === undefined
        ? [unknown("the scheduler has just been started: its first minute isn't over")]
        : [];
    },
  ],
];
