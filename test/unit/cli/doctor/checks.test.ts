import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import { lastRun, readLaravel } from "../../../../cli/doctor/ask.ts";
import { judge } from "../../../../cli/doctor/checks.ts";
import type { ContainerFacts, Facts, LaravelFacts } from "../../../../cli/doctor/facts.ts";
import { reportLines } from "../../../../cli/doctor/report.ts";
import { readInfo } from "../../../../cli/shared/redisMemory.ts";

const now = Date.parse("2026-01-31T10:00:00Z");
const startedAt = now - 600_000;
const process: LaravelFacts = {
  sapi: "cli",
  release: "1a2b3c",
  env: { checked: 25, missing: [], differs: [] },
  dbConnection: { value: "mariadb", explicit: true },
  redisPassword: true,
  appKey: true,
  redisExtension: true,
  predis: false,
  redisClient: "phpredis",
  uid: 1000,
  unwritable: [],
  configCache: { exists: true, older: false, differs: [] },
  database: { host: "database", loopback: false, resolves: true, error: null },
  redis: { host: "redis", loopback: false, resolves: true, error: null },
  down: false,
  queue: { connection: "redis", retryAfter: 90 },
};
const { database: _, redis: __, down: ___, queue: ____, ...served } = process;
const fpm: LaravelFacts = {
  ...served,
  sapi: "fpm-fcgi",
  opcache: { enabled: true, since: now / 1000 - 300, stale: [], staleCount: 0, full: false },
};
const one = (name: string, role: string, more: Partial<ContainerFacts> = {}): ContainerFacts => ({
  name,
  role,
  container: `${name}-abc1234`,
  state: "running",
  health: "healthy",
  startedAt,
  healthTest: ["CMD", "true"],
  image: "shop:1",
  mounts: [],
  ...more,
});
const volume = { volume: "volumes-storage-1", path: "/var/www/html/storage/app" };
const healthTest = [
  "CMD",
  "php",
  "-n",
  "/drydock/ready.php",
  "127.0.0.1:9000",
  "/up",
  "/var/www/html/public/index.php",
];
const values = {
  save: "3600 1",
  appendonly: "yes",
  "maxmemory-policy": "noeviction",
  passwords: "1",
  rdb_last_bgsave_status: "ok",
  aof_last_write_status: "ok",
  aof_last_bgrewrite_status: "ok",
};
const healthy: Facts = {
  stack: "local",
  release: "1a2b3c",
  now,
  engine: { host: "ssh://deploy@ship", version: "26.1.5", api: "1.45" },
  plan: {
    path: "/var/www/html",
    uid: 1000,
    gid: 1000,
    port: 9000,
    server: "fpm",
    healthPath: "/up",
    scheduler: true,
    released: true,
    processes: 1024,
    interface: "127.0.0.1",
    longestJob: 60,
  },
  containers: [
    one("app-1", "app", { laravel: { cli: process, fpm }, healthTest, mounts: [volume] }),
    one("horizon", "horizon", { laravel: { cli: process }, mounts: [volume] }),
    one("scheduler", "scheduler", { laravel: { cli: process }, mounts: [volume] }),
    one("proxy", "proxy"),
    one("database", "database"),
    one("redis", "redis", { mounts: [{ volume: "volumes-redis-1", path: "/data" }] }),
  ],
  redis: { values },
  schedule: { running: 1, last: now - 30_000 },
  site: {},
  maintenance: { problems: [], aside: [] },
  reach: { reached: [], grants: [], free: 0.5 },
};
const change = (name: string, more: Partial<ContainerFacts>): Facts => ({
  ...healthy,
  containers: healthy.containers.map((container) => (container.name === name ? { ...container, ...more } : container)),
});
const said = (name: string, more: Partial<LaravelFacts>): Facts =>
  change(name, { laravel: { cli: { ...process, ...more } } });
const served1 = (more: Partial<LaravelFacts>): Facts =>
  change("app-1", { laravel: { cli: process, fpm: { ...fpm, ...more } } });
const of = (facts: Facts, id: string) => judge(facts).find((check) => check.id === id)!;
const bad = (facts: Facts): readonly string[] =>
  judge(facts)
    .filter(({ verdict }) => verdict !== "fine")
    .map(({ id, verdict }) => `${id}: ${verdict}`);

describe("the doctor", () => {
  it("goes through all thirteen known issues", () => {
    const issues = judge(healthy)
      .map(({ issue }) => issue)
      .filter((issue) => issue !== null);
    assert.deepEqual([...new Set(issues)], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  });

  it("finds nothing in a healthy stack", () => assert.deepEqual(bad(healthy), []));
  it("finds nothing where an application brings predis, and its configuration names it", () =>
    assert.deepEqual(bad(said("app-1", { redisExtension: false, predis: true, redisClient: "predis" })), []));
  it("asks nothing of a Redis that is none of the stack's", () => {
    const { redis: _redis, ...elsewhere } = healthy;
    const containers = healthy.containers.filter(({ role }) => role !== "redis");
    assert.deepEqual(bad({ ...elsewhere, containers }), []);
  });

  it("names what the application writes where nothing keeps it, without calling it broken: it may be a cache", () => {
    const check = of(change("app-1", { written: ["storage/uploads"] }), "own-layer");
    assert.deepEqual(
      [check.verdict, check.remedies],
      [
        "unknown",
        [
          'eval "$(./drydock env)" && pulumi config set -s local --path ' +
            "'drydock:app.persistent[\"storage/uploads\"].visibility' private",
        ],
      ],
    );
    assert.match(
      check.details[0]!,
      /^app-1 has written to storage\/uploads, which no other container has and the next release takes away/,
    );
  });

  const cases: readonly [string, Facts, string, RegExp, RegExp][] = [
    [
      "a Docker that is too old",
      { ...healthy, engine: { host: "ssh://deploy@ship", version: "19.03.15", api: "1.40" } },
      "docker-version",
      /^Docker 19\.03\.15 at ssh:\/\/deploy@ship is too old: 20\.10 or newer/,
      /--only-upgrade docker\.io/,
    ],
    [
      "a variable that differs in one role",
      said("horizon", { env: { checked: 25, missing: ["MAIL_HOST"], differs: ["APP_NAME", "DB_HOST"] } }),
      "env-plan",
      /^horizon has no MAIL_HOST and has another APP_NAME, DB_HOST than the configuration$/,
      /^\.\/drydock up --replace horizon$/,
    ],
    [
      "a variable that was not released yet",
      {
        ...said("horizon", { env: { checked: 25, missing: [], differs: ["APP_NAME"] } }),
        plan: { ...healthy.plan, released: false },
      },
      "env-plan",
      /changed since the last release$/,
      /^\.\/drydock up$/,
    ],
    [
      "a variable that only PHP-FPM has not",
      served1({ env: { checked: 25, missing: ["APP_NAME"], differs: [] } }),
      "env-plan",
      /^app-1 \(PHP-FPM\) has no APP_NAME/,
      /--replace app-1/,
    ],
    [
      "no DB_CONNECTION",
      said("scheduler", { dbConnection: { value: null, explicit: false } }),
      "db-connection",
      /scheduler has no DB_CONNECTION: Laravel takes SQLite/,
      /--replace scheduler/,
    ],
    [
      "DB_CONNECTION in the file only",
      said("scheduler", { dbConnection: { value: "mariadb", explicit: false } }),
      "db-connection",
      /in its \.env file only/,
      /--replace scheduler/,
    ],
    [
      "no password for Redis",
      said("horizon", { redisPassword: false }),
      "redis-password",
      /horizon has no REDIS_PASSWORD/,
      /--replace horizon/,
    ],
    [
      "a password that Redis refuses",
      said("horizon", {
        env: { checked: 25, missing: [], differs: ["REDIS_PASSWORD"] },
        redis: { host: "redis", resolves: true, error: "RedisException: WRONGPASS" },
      }),
      "redis-password",
      /Redis refuses the password of horizon/,
      /--replace horizon/,
    ],
    [
      "a Redis that was told another password by hand",
      said("horizon", { redis: { host: "redis", resolves: true, error: "RedisException: WRONGPASS" } }),
      "redis-password",
      /Redis refuses the password of horizon/,
      /--replace redis/,
    ],
    [
      "an earlier password that Redis still takes",
      { ...healthy, redis: { values: { ...values, passwords: "2" } }, plan: { ...healthy.plan, released: false } },
      "redis-password",
      /Redis takes another password as well/,
      /^\.\/drydock up$/,
    ],
    [
      "a password that somebody added to Redis",
      { ...healthy, redis: { values: { ...values, passwords: "2" } } },
      "redis-password",
      /Redis takes another password as well/,
      /^\.\/drydock up --replace redis$/,
    ],
    ["no APP_KEY", said("scheduler", { appKey: false }), "app-key", /no valid APP_KEY/, /--replace scheduler/],
    [
      "another APP_KEY",
      said("scheduler", { env: { checked: 25, missing: [], differs: ["APP_KEY"] } }),
      "app-key",
      /scheduler has another APP_KEY/,
      /--replace scheduler/,
    ],
    [
      "an image without phpredis",
      said("app-1", { redisExtension: false }),
      "phpredis",
      /app-1 has no extension redis/,
      /pecl install redis/,
    ],
    [
      "predis without its package",
      said("app-1", { redisClient: "predis" }),
      "phpredis",
      /app-1 names the client predis/,
      /REDIS_CLIENT/,
    ],
    [
      "old code in OPcache",
      served1({ opcache: { ...fpm.opcache!, stale: ["routes/web.php"], staleCount: 1 } }),
      "opcache",
      /executes old code of 1 files that were changed since: routes\/web\.php/,
      /--replace app-1/,
    ],
    [
      "a full OPcache",
      served1({ opcache: { ...fpm.opcache!, full: true } }),
      "opcache",
      /is full/,
      /memory_consumption/,
    ],
    ["no OPcache", served1({ opcache: { enabled: false } }), "opcache", /without OPcache/, /enable OPcache/],
    [
      "another release",
      said("app-1", { release: "000000" }),
      "opcache",
      /runs release 000000, and 1a2b3c is the last one/,
      /^\.\/drydock up$/,
    ],
    [
      "a health check of localhost",
      change("proxy", { healthTest: ["CMD-SHELL", "curl http://localhost/up"] }),
      "health-ipv4",
      /proxy asks localhost/,
      /--replace proxy/,
    ],
    [
      "no health check",
      change("redis", { healthTest: ["NONE"] }),
      "health-ipv4",
      /redis has no health check/,
      /--replace redis/,
    ],
    [
      "a health check of another path",
      change("app-1", { healthTest: healthTest.map((word) => (word === "/up" ? "/health" : word)) }),
      "health-endpoint",
      /something else than port 9000, path \/up/,
      /up$/,
    ],
    [
      "a site that doesn't answer",
      { ...healthy, site: { error: "3 of 3 requests failed (502)" } },
      "health-endpoint",
      /\/up through the proxy: 3 of 3 requests failed/,
      /logs proxy/,
    ],
    ["another user", said("app-1", { uid: 33 }), "storage", /runs as uid 33, and app\.uid is 1000/, /up$/],
    [
      "a volume that can't be written",
      said("horizon", { unwritable: ["storage/app"] }),
      "storage",
      /can't write to storage\/app/,
      /source=volumes-storage-1,target=\/v shop:1 -c 'chown -R 1000:1000 \/v/,
    ],
    [
      "a folder that can't be written",
      said("horizon", { unwritable: ["storage/logs"] }),
      "storage",
      /can't write to storage\/logs/,
      /--replace horizon/,
    ],
    [
      "a cache that is older",
      said("app-1", { configCache: { exists: true, older: true, differs: [] } }),
      "config-cache",
      /older than its \.env/,
      /--replace app-1/,
    ],
    [
      "a cache with other values",
      said("app-1", { configCache: { exists: true, older: false, differs: ["DB_CONNECTION"] } }),
      "config-cache",
      /the cache has another DB_CONNECTION/,
      /--replace app-1/,
    ],
    [
      "a database on localhost",
      said("app-1", {
        database: { host: "127.0.0.1", loopback: true, resolves: true, error: "nothing answers on port 3306" },
      }),
      "service-hosts",
      /the database's host is 127\.0\.0\.1/,
      /up/,
    ],
    [
      "a name that doesn't resolve",
      said("horizon", {
        redis: { host: "redis", loopback: false, resolves: false, error: "its name does not resolve" },
      }),
      "service-hosts",
      /horizon: redis \(redis\): its name does not resolve/,
      /logs redis/,
    ],
    [
      "an application that doesn't start",
      said("horizon", { boot: "ParseError" }),
      "service-hosts",
      /doesn't start \(ParseError\)/,
      /logs/,
    ],
    [
      "artisan down",
      said("app-1", { down: true }),
      "maintenance-apart",
      /taken down by `artisan down`/,
      /docker exec app-1-abc1234 php artisan up/,
    ],
    [
      "a proxy that can't write",
      { ...healthy, maintenance: { problems: ["the proxy's user can't write to its volume"], aside: [] } },
      "maintenance-apart",
      /can't write/,
      /--replace proxy/,
    ],
    [
      "a damaged maintenance mode",
      { ...healthy, maintenance: { generation: "g-1", problems: ["changed by hand: server.conf"], aside: [] } },
      "maintenance-state",
      /changed by hand: server\.conf/,
      /maintenance on/,
    ],
    [
      "one that was set aside",
      { ...healthy, maintenance: { problems: [], aside: ["damaged-1"] } },
      "maintenance-state",
      /damaged-1 was damaged/,
      /rm -rf \/var\/lib\/drydock\/maintenance\/damaged-1/,
    ],
    [
      "Redis without snapshots",
      { ...healthy, redis: { values: { save: "", appendonly: "yes", "maxmemory-policy": "noeviction" } } },
      "redis-persistence",
      /snapshots are off/,
      /^docker exec redis-abc1234 sh \/run\/drydock\/redis-cli\.sh config set save "3600 1 300 100 60 10000"$/,
    ],
    [
      "Redis without its file",
      { ...healthy, redis: { values: { save: "1 1", appendonly: "no", "maxmemory-policy": "noeviction" } } },
      "redis-persistence",
      /append-only file is off/,
      /config set appendonly yes/,
    ],
    [
      "Redis that drops jobs",
      { ...healthy, redis: { values: { save: "1 1", appendonly: "yes", "maxmemory-policy": "allkeys-lru" } } },
      "redis-persistence",
      /would drop jobs/,
      /maxmemory-policy noeviction/,
    ],
    [
      "Redis that could not save",
      {
        ...healthy,
        redis: {
          values: { save: "1 1", appendonly: "yes", "maxmemory-policy": "noeviction", aof_last_write_status: "err" },
        },
      },
      "redis-persistence",
      /aof_last_write_status is err/,
      /docker system df/,
    ],
    ["Redis without a volume", change("redis", { mounts: [] }), "redis-persistence", /in no volume/, /--replace redis/],
    [
      "a container without a limit of processes",
      change("app-1", { loose: ["has no limit of processes"] }),
      "confinement",
      /^app-1 has no limit of processes$/,
      /^docker update --pids-limit 1024 app-1-abc1234$/,
    ],
    [
      "an engine that holds no limits",
      {
        ...change("app-1", { loose: ["has no limit of processes"] }),
        engine: { ...healthy.engine!, limits: { PidsLimit: false } },
      },
      "limits",
      /does not hold limits of processes: /,
      /cgroup_enable=memory/,
    ],
    [
      "a container that was made by hand",
      change("horizon", { loose: ["is privileged", "has no limit of processes"] }),
      "confinement",
      /^horizon is privileged, has no limit of processes$/,
      /^\.\/drydock up --replace horizon$/,
    ],
    [
      "an account that somebody added to Redis",
      { ...healthy, redis: { values: { ...values, others: "1" } } },
      "accounts",
      /knows 1 more accounts/,
      /--replace redis/,
    ],
    [
      "an application that administers Redis",
      { ...healthy, redis: { values: { ...values, admin: "yes" } } },
      "accounts",
      /may administer Redis/,
      /--replace redis/,
    ],
    [
      "an application that administers the database",
      { ...healthy, reach: { reached: [], grants: ["FILE on *.*"] } },
      "accounts",
      /has FILE on \*\.\*$/,
      /REVOKE/,
    ],
    [
      "a neighbour's PHP-FPM that answers",
      { ...healthy, reach: { reached: ["app-2"], grants: [] } },
      "neighbours",
      /PHP-FPM of app-2 answers/,
      /--replace app-2/,
    ],
    [
      "a disk that is nearly full",
      { ...healthy, reach: { reached: [], grants: [], free: 0.049 } },
      "disk",
      /^4 % of the Docker host's disk is free/,
      /docker system df/,
    ],
    [
      "jobs that would run twice",
      { ...healthy, plan: { ...healthy.plan, longestJob: 300 } },
      "retry-after",
      new RegExp(
        String.raw`^a job of the queue redis is run again after 90 s \(retry_after in config/queue\.php\), but ` +
          String.raw`may run for 300 s \(longestJob\)$`,
      ),
      /drydock:env\.REDIS_QUEUE_RETRY_AFTER 330/,
    ],
    [
      "jobs of a queue of the application's own",
      { ...said("app-1", { queue: { connection: "slow", retryAfter: 60 } }) },
      "retry-after",
      /queue slow is run again after 60 s/,
      /retry_after of slow/,
    ],
    [
      "an unhealthy container",
      change("database", { health: "unhealthy" }),
      "services",
      /database is unhealthy/,
      /logs database/,
    ],
    ["two schedulers", { ...healthy, schedule: { running: 2, last: now } }, "schedule", /2 schedulers run/, /drift/],
    ["no scheduler", { ...healthy, schedule: { running: 0 } }, "schedule", /no scheduler runs/, /up/],
    [
      "a schedule that stands still",
      { ...healthy, schedule: { running: 1, last: now - 200_000 } },
      "schedule",
      /last run 200 s ago/,
      /--replace scheduler/,
    ],
    [
      "a schedule that never ran",
      { ...healthy, schedule: { running: 1 } },
      "schedule",
      /last run never/,
      /--replace scheduler/,
    ],
  ];
  for (const [what, facts, id, detail, remedy] of cases) {
    it(`finds ${what}, with what fixes it`, () => {
      const check = of(facts, id);
      assert.equal(check.verdict, "broken");
      assert.match(check.details.join("\n"), detail);
      assert.match(check.remedies.join("\n"), remedy);
    });
  }

  it("blames no container for limits that its engine does not hold", () => {
    const facts = change("app-1", { loose: ["has no limit of processes"] });
    const engine = { ...healthy.engine!, limits: { PidsLimit: false } };
    assert.equal(of({ ...facts, engine }, "confinement").verdict, "fine");
  });

  it("advises where visitors over IPv6 all have the gateway's address", () => {
    const on = (address: string) => of({ ...healthy, plan: { ...healthy.plan, interface: address } }, "visitors");
    assert.equal(on("::").verdict, "unknown");
    assert.match(on("::").details.join("\n"), /^the proxy is published on ::: .*the gateway's$/);
    assert.match(on("::").remedies.join("\n"), /proxy\.interface.* 127\.0\.0\.1/);
    for (const address of ["0.0.0.0", "127.0.0.1", "::1"]) assert.equal(on(address).verdict, "fine", address);
  });

  it("advises where a cloud's metadata answer, or the disk fills, and claims nothing of what it can't ask", () => {
    const metadata = of({ ...healthy, reach: { reached: ["metadata"], grants: [] } }, "neighbours");
    assert.equal(metadata.verdict, "unknown");
    assert.match(
      metadata.remedies.join("\n"),
      new RegExp(
        String.raw`^\./drydock host prepare closes them to containers\nor, on EC2: aws ec2 ` +
          "modify-instance-metadata-options --http-tokens required",
      ),
    );
    assert.deepEqual(
      [0.1, 0.09, 0.05].map((free) => of({ ...healthy, reach: { reached: [], grants: [], free } }, "disk").verdict),
      ["fine", "unknown", "unknown"],
    );
    const silent: Facts = { ...healthy, reach: { silent: "no replica runs" } };
    assert.deepEqual(
      ["neighbours", "accounts", "disk"].map((id) => of(silent, id).verdict),
      ["unknown", "fine", "fine"],
    );
  });

  it("claims nothing of a container that doesn't run, and says it once where it belongs", () => {
    const { laravel: _gone, ...rest } = healthy.containers[1]!;
    const facts: Facts = {
      ...healthy,
      containers: healthy.containers.map((container) =>
        container.name === "horizon" ? { ...rest, state: "exited", health: "none" } : container,
      ),
    };
    const checks = judge(facts);
    assert.deepEqual(
      checks.filter(({ verdict }) => verdict === "broken").map(({ id, details, remedies }) => [id, details, remedies]),
      [["services", ["horizon is exited"], ["./drydock up"]]],
    );
    assert.deepEqual(of(facts, "env-plan").verdict, "unknown");
    assert.equal(of(facts, "redis-persistence").verdict, "fine");
  });

  it("claims nothing of what can't be asked", () => {
    const facts: Facts = {
      ...healthy,
      redis: { silent: "it doesn't run" },
      site: { silent: "no replica runs" },
      maintenance: { silent: "it doesn't run" },
    };
    assert.deepEqual(bad(facts), [
      "health-endpoint: unknown",
      "maintenance-apart: unknown",
      "maintenance-state: unknown",
      "redis-persistence: unknown",
      "redis-memory: unknown",
    ]);
    assert.equal(
      of(change("app-1", { laravel: { cli: process, fpmSilent: "PHP-FPM does not answer" } }), "opcache").verdict,
      "unknown",
    );
  });

  it("names the stack in its commands", () => {
    const facts: Facts = { ...served1({ env: { checked: 1, missing: ["A"], differs: [] } }), stack: "prod" };
    assert.deepEqual(of(facts, "env-plan").remedies, ["./drydock up -s prod --replace app-1"]);
  });

  it("waits for the first minute of a new scheduler, and needs none that is switched off", () => {
    assert.equal(
      of({ ...change("scheduler", { startedAt: now - 20_000 }), schedule: { running: 1 } }, "schedule").verdict,
      "unknown",
    );
    assert.equal(
      of({ ...healthy, plan: { ...healthy.plan, scheduler: false }, schedule: { running: 0 } }, "schedule").verdict,
      "fine",
    );
  });

  it("is printed line under line, with a count", () => {
    const text = reportLines(judge(said("horizon", { redisPassword: false })), (_style, plain) => plain);
    assert.match(
      text,
      new RegExp(
        String.raw`^ {2}3 {2}every role has Redis's password, and Redis takes it alone +broken\n {7}horizon ` +
          String.raw`has no REDIS_PASSWORD\n {7}remedy: \./drydock up --replace horizon$`,
        "m",
      ),
    );
    assert.match(text, /\n\n26 fine, 1 broken, 0 can't be judged$/);
  });
});

describe("what the doctor reads", () => {
  it("is one JSON object a process, among PHP's warnings", () => {
    const output = `\nWarning: something\n${JSON.stringify(process)}\n${JSON.stringify(fpm)}`;
    assert.deepEqual(readLaravel(output), { cli: process, fpm });
    assert.deepEqual(readLaravel('{"sapi":"cli","rel'), {});
  });
  it("is Redis's INFO", () =>
    assert.deepEqual(
      readInfo("save:3600 1\r\nappendonly:yes\n# Persistence\r\naof_enabled:1\r\nmaxmemory-policy:noeviction\n"),
      { save: "3600 1", appendonly: "yes", aof_enabled: "1", "maxmemory-policy": "noeviction" },
    ));
  it("is when the schedule last looked, whether or not something was due", () => {
    const logs =
      "2026-01-31T09:58:02.912Z   2026-01-31 09:58:01 Running ['artisan' a:b] .. 1s DONE\n" +
      "2026-01-31T09:59:01.5Z  INFO  No scheduled commands are ready to run.\n2026-01-31T09:59:30Z something of " +
      "the application";
    assert.equal(lastRun(logs), Date.parse("2026-01-31T09:59:01.5Z"));
    assert.equal(lastRun("2026-01-31T09:59:30Z something"), undefined);
  });
  it("is never a secret: the script prints names, not values", () => {
    const script = readFileSync("runtime/doctor.php", "utf8");
    assert.doesNotMatch(script, /\$report\[[^\]]*\][^;]*getMessage/);
    assert.match(script, /__halt_compiler\(\);\s*$/);
  });
});
