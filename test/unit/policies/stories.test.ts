import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { factsIn } from "../../../config/facts.ts";
import { catalogue, ruleNamed } from "../../../policies/catalogue.ts";
import { analyze, type Diagnostic, type Res, remediate } from "../../support/policies/engine.ts";
import {
  app,
  command,
  database,
  dotenv,
  envs,
  horizon,
  image,
  laravel,
  migration,
  PASSWORDS,
  PLAIN,
  plainContainer,
  proxy,
  redis,
  redisConf,
  SECRET,
  scheduler,
  stackOf,
  volume,
} from "../../support/policies/stack.ts";

/** Not what only production would refuse. */
const isSaid = ({ message }: Diagnostic) => !message.includes("\nIn production this is refused.");

/** The rules that answer to a whole stack in which one mistake was made, and only those. */
async function answer(...mistake: readonly Res[]): Promise<string[]> {
  const diagnostics = (await analyze(catalogue, stackOf(...mistake))).filter(isSaid);
  assert.ok(diagnostics.every(({ message }) => message.includes("\nWhy: ") && message.includes("\nRemedy: ")));
  return [...new Set(diagnostics.map(({ policy }) => policy))].sort();
}
const without = (role: typeof horizon, key: string) =>
  role({
    props: {
      uploads: [{ file: "/var/www/html/.env", content: dotenv({ ...SECRET, [key]: undefined }), permissions: "0400" }],
    },
    dependsOn: ["migrate"],
  });
const after = { dependsOn: ["migrate"] };

describe("policies: the thirteen known issues, each made in a program", () => {
  it("1: a command scales with --no-recreate, and Horizon keeps an old environment", async () => {
    assert.deepEqual(await answer(command("scale", "docker compose up -d --scale app=2 --no-recreate")), [
      "no-compose-no-recreate",
    ]);
    assert.deepEqual(await answer(horizon({ ...after, env: { SESSION_DRIVER: "file" } })), ["env-block-identical"]);
  });

  it("2: DB_CONNECTION is left out, and Laravel takes SQLite", async () => {
    const role = (name: string) => laravel(name, name, { ...after, env: { DB_CONNECTION: undefined } });
    assert.deepEqual(await answer(role("app"), role("horizon"), role("scheduler")), [
      "core-env-complete",
      "db-connection-explicit",
    ]);
  });

  it("3: REDIS_PASSWORD is given to the app only", async () => {
    assert.deepEqual(await answer(without(horizon, "REDIS_PASSWORD"), without(scheduler, "REDIS_PASSWORD")), [
      "core-env-complete",
      "env-block-identical",
      "redis-password-every-role",
    ]);
    assert.deepEqual(await answer(redis({ conf: redisConf(PASSWORDS.ROOT) })), ["redis-password-matches-server"]);
  });

  it("4: APP_KEY is missing in a worker, or differs", async () => {
    assert.deepEqual(await answer(without(scheduler, "APP_KEY")), [
      "app-key-every-role",
      "core-env-complete",
      "env-block-identical",
    ]);
    assert.deepEqual(
      await answer(horizon({ ...after, file: { APP_KEY: `base64:${Buffer.alloc(32, 1).toString("base64")}` } })),
      ["app-key-identical", "env-block-identical"],
    );
  });

  it("5: predis in place of phpredis", async () => {
    const role = (name: string) => laravel(name, name, { ...after, env: { REDIS_CLIENT: "predis" } });
    assert.deepEqual(await answer(role("app"), role("horizon"), role("scheduler")), ["phpredis-client"]);
  });

  it("6: the code is mounted, so that OPcache keeps the old one; a cache command never runs again", async () => {
    assert.deepEqual(
      await answer(app({ ...after, props: { mounts: [{ type: "volume", source: "code", target: "/var/www/html" }] } })),
      ["code-from-image-only"],
    );
    assert.deepEqual(await answer(command("optimize", "docker exec app php artisan view:cache")), [
      "artisan-command-triggers",
    ]);
  });

  it("7: a health check asks localhost; the pack repairs it", async () => {
    const asked = proxy({
      props: { healthcheck: { tests: ["CMD", "wget", "--quiet", "--tries=1", "--spider", "http://localhost/up"] } },
    });
    assert.deepEqual(await answer(asked), ["healthcheck-ipv4"]);
    const fixed = (await remediate(catalogue, asked)) as { healthcheck: { tests: string[] } };
    assert.equal(fixed.healthcheck.tests.at(-1), "http://127.0.0.1/up");
  });

  it("8: a health check of another project: port 8081, path /health", async () => {
    assert.deepEqual(await answer(app({ ...after, props: { healthcheck: { tests: ["CMD-SHELL", "php-fpm -t"] } } })), [
      "healthcheck-endpoint",
    ]);
    const facts = factsIn({ app: {}, database: {}, redis: {}, proxy: {} }, "staging")!;
    const copied = app({ props: { healthcheck: { tests: ["CMD-SHELL", "curl -f -s http://127.0.0.1:8081/health"] } } });
    assert.deepEqual(
      [...new Set((await analyze([ruleNamed("healthcheck-endpoint")!], [copied], facts)).map(({ policy }) => policy))],
      ["healthcheck-endpoint"],
    );
  });

  it("9: uid 1002 where the files belong to 1000; a read-only root without a place for compiled views", async () => {
    assert.deepEqual(await answer(app({ ...after, props: { user: "1002" } })), ["laravel-uid-identical"]);
    assert.deepEqual(await answer(app({ ...after, props: { tmpfs: { "/var/www/html/bootstrap/cache": "" } } })), [
      "storage-writable",
    ]);
  });

  it("10: config:cache before the migration, without config:clear", async () => {
    assert.deepEqual(
      await answer(
        command("cache", "docker exec app php artisan config:cache", {
          props: { triggers: [`shop@sha256:${"a".repeat(64)}`] },
        }),
      ),
      ["config-cache-after-start"],
    );
  });

  it("11: DB_HOST is localhost, or a name that nobody has", async () => {
    const role = (DB_HOST: string) =>
      ["app", "horizon", "scheduler"].map((name) => laravel(name, name, { ...after, env: { DB_HOST } }));
    assert.deepEqual(await answer(...role("localhost")), ["service-host-not-loopback"]);
    assert.deepEqual(await answer(...role("mysql")), ["service-host-resolves"]);
  });

  it("12: artisan down, and replicas that go before their successors come", async () => {
    const down = command("down", "docker exec app php artisan down", {
      props: { triggers: [`shop@sha256:${"a".repeat(64)}`] },
    });
    assert.deepEqual(await answer(down), ["no-artisan-down"]);
    assert.deepEqual(await answer(app({ ...after, deleteBeforeReplace: undefined })), ["web-no-delete-before-replace"]);
  });

  it("13: Redis without persistence, migrate:fresh as a rollback, the password in mysqldump's arguments", async () => {
    assert.deepEqual(await answer(redis({ conf: redisConf(PASSWORDS.REDIS, 'save ""\n') })), ["redis-persistent"]);
    assert.deepEqual(
      await answer(
        command("rollback", "docker compose exec app php artisan migrate:fresh --seed", {
          props: { triggers: [`shop@sha256:${"a".repeat(64)}`] },
        }),
      ),
      ["no-destructive-artisan"],
    );
    assert.deepEqual(
      await answer(
        command(
          "dump",
          "docker compose exec mysql mysqldump -u paradocks -ppassword paradocks settings > settings.sql",
        ),
      ),
      ["no-password-argv"],
    );
  });

  it("its checklist and history: strong passwords, a tight .env, no published database, no debug", async () => {
    assert.deepEqual(
      await answer(database({ props: { ports: [{ internal: 3306, external: 3306, ip: "10.0.0.1" }] } })),
      ["datastore-not-published"],
    );
    assert.deepEqual(
      await answer(
        app({
          ...after,
          props: { uploads: [{ file: "/var/www/html/.env", content: dotenv(SECRET), permissions: "0644" }] },
        }),
      ),
      ["secret-files-tight"],
    );
    const folder = mkdtempSync(join(tmpdir(), "drydock-policies-"));
    try {
      // A file of this machine in place of text.
      const source = join(folder, "shop.env");
      writeFileSync(source, dotenv({ ...SECRET, APP_KEY: undefined }));
      const uploads = (file: string) => ({
        ...after,
        props: { uploads: [{ file: "/var/www/html/.env", source: file, permissions: "0400" }] },
      });
      assert.deepEqual(await answer(horizon(uploads(source))), [
        "app-key-every-role",
        "core-env-complete",
        "env-block-identical",
      ]);
    } finally {
      rmSync(folder, { recursive: true });
    }
    const weak = (name: string) => laravel(name, name, { ...after, file: { DB_PASSWORD: "password" } });
    assert.deepEqual(await answer(weak("app"), weak("horizon"), weak("scheduler")), ["strong-secrets"]);
    const debug = (name: string) =>
      laravel(name, name, { ...after, env: { APP_ENV: "production", APP_DEBUG: "true" } });
    assert.deepEqual(await answer(debug("app"), debug("horizon"), debug("scheduler")), ["production-mode"]);
  });
});

describe("policies: one scheduler", () => {
  it("each replica runs a scheduler of its own", async () => {
    assert.deepEqual(
      await answer(laravel("scheduler-2", "scheduler", { ...after, props: { networksAdvanced: [{ name: "data" }] } })),
      ["single-scheduler"],
    );
  });
});

describe("policies: the forty-eight hours", () => {
  const stories: readonly (readonly [string, readonly Res[], readonly string[]])[] = [
    [
      "docker compose down on production",
      [command("deploy", "sudo docker compose down\nsudo docker compose up -d")],
      ["no-destructive-docker"],
    ],
    ["plexus:latest", [plainContainer("plexus", { props: { image: "plexus:latest" } })], ["image-pinned"]],
    ["a volume that one command deletes", [volume("plexus-data", { protect: false })], ["stateful-protected"]],
    [
      "a second container on port 8080",
      [plainContainer("pr", { props: { ports: [{ internal: 4000, external: 8080, ip: "127.0.0.1" }] } })],
      ["unique-ports-and-names"],
    ],
    [
      "DATABASE_URL for a database of another kind",
      ["app", "horizon", "scheduler"].map((name) => laravel(name, name, { ...after, env: { DB_CONNECTION: "pgsql" } })),
      ["engine-matches-env"],
    ],
    ["docker build from PR-work", [image("pr", { build: { context: "PR-work" } })], ["build-context-root"]],
    [
      "./config from wherever it is started",
      [plainContainer("plexus", { props: { volumes: [{ hostPath: "./config", containerPath: "/app/config" }] } })],
      ["absolute-host-path"],
    ],
    [
      "SQLite's file as a mount",
      [
        plainContainer("plexus", {
          props: { volumes: [{ hostPath: "/srv/plexus.db", containerPath: "/app/config/plexus.db" }] },
        }),
      ],
      ["no-single-file-db-bind"],
    ],
    [
      "one variable from two places",
      [app({ ...after, props: { envs: [...envs(PLAIN), "DB_PORT=3306"] } })],
      ["env-no-conflict"],
    ],
    [
      "a password in a URL",
      [
        plainContainer("plexus", {
          props: { envs: ["DATABASE_URL=postgresql://plexus:plexus_pass@postgres:5432/plexus_db"] },
        }),
      ],
      ["no-credentials-in-url"],
    ],
    [
      "containers that restart for ever count as deployed",
      [plainContainer("plexus", { props: { wait: undefined } })],
      ["wait-for-healthy"],
    ],
    ["no health check", [plainContainer("plexus", { props: { healthcheck: undefined } })], ["healthcheck-required"]],
    [
      "no limits",
      [plainContainer("plexus", { props: { memory: undefined, cpus: undefined } })],
      ["cpu-limit", "memory-limit"],
    ],
    [
      "user: root, all capabilities",
      [plainContainer("plexus", { props: { user: "root", capabilities: { adds: ["ALL"] } } })],
      ["drop-capabilities", "non-root-uid"],
    ],
    [
      "network_mode: host",
      [plainContainer("plexus", { props: { networkMode: "host", networksAdvanced: undefined } })],
      ["no-host-namespaces"],
    ],
    [
      "a secret as a build argument",
      [image("plexus", { build: { context: ".", args: { API_KEY: "x" } } })],
      ["no-secret-build-arg"],
    ],
    ["a change without a backup", [migration({ dependsOn: ["database"] })], ["backup-before-migrate"]],
    [
      "/host/.env in the container",
      [plainContainer("plexus", { props: { volumes: [{ hostPath: "/host/.env", containerPath: "/app/.env" }] } })],
      ["secret-files-tight"],
    ],
  ];
  for (const [title, mistake, rules] of stories)
    it(`${title}: ${rules.join(", ")}`, async () => assert.deepEqual(await answer(...mistake), rules));

  it("a pull request on production's port and volume", async () => {
    const pr: readonly Res[] = [
      plainContainer("plexus", {
        props: { ports: [{ internal: 4000, external: 443, ip: "127.0.0.1" }] },
        stack: "pr-28",
      }),
      volume("config", { props: { name: "plexus-config" }, stack: "pr-28" }),
    ];
    assert.deepEqual(
      [...new Set((await analyze(catalogue, pr)).filter(isSaid).map(({ policy }) => policy))],
      ["preview-isolated"],
    );
  });
});
