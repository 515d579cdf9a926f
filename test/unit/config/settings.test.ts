import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parseConfiguration, parseSettings, type SettingsError } from "../../../config/settings.ts";
import { asJson, having, keptOpen, problemsOf, production, valid } from "../../support/config/fixtures.ts";

describe("settings", () => {
  it("fill in every default", () => {
    const { app, proxy, docker, horizon, logs } = parseSettings(valid(), "local");
    assert.deepEqual(app, {
      image: "registry.example.com/shop/app:1.4",
      server: "fpm",
      port: 9000,
      path: "/var/www/html",
      php: {},
      persistent: {},
      assetDays: 7,
      replicas: 3,
      startTogether: 5,
      healthPath: "/up",
      uid: 1000,
      gid: 1000,
      memory: 512,
      cpus: 1,
      command: ["php-fpm", "-F"],
      maxChildren: 8,
      cache: true,
      stopTimeout: 30,
      startTimeout: 60,
    });
    assert.deepEqual(proxy.headers, {
      "X-Frame-Options": "SAMEORIGIN",
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "strict-origin-when-cross-origin",
    });
    assert.deepEqual(docker, {});
    assert.deepEqual(horizon.command, ["php", "artisan", "horizon"]);
    assert.deepEqual(logs, { maxSize: 10, maxFiles: 3, keepDays: 7 });
  });

  it("are the same from objects and from the JSON texts that Pulumi gives", () => {
    assert.deepEqual(parseSettings(asJson(valid()), "local"), parseSettings(valid(), "local"));
  });

  it("accept what `pulumi config set --path` makes of numbers, booleans and lists", () => {
    const raw = {
      ...valid(),
      logs: { maxSize: "20" },
      scheduler: { enabled: "false", cpus: "0.25" },
      horizon: { command: '["php","artisan","queue:work"]' },
    };
    const settings = parseSettings(having(raw, "app.build", undefined), "local");
    assert.deepEqual([settings.logs.maxSize, settings.scheduler.enabled, settings.scheduler.cpus], [20, false, 0.25]);
    assert.deepEqual(settings.horizon.command, ["php", "artisan", "queue:work"]);
    const built = { context: ".", args: { PHP: 8, DEV: true } };
    const { app } = parseSettings(having(having(valid(), "app.image", undefined), "app.build", built), "local");
    assert.deepEqual(app.build, {
      context: ".",
      dockerfile: "Dockerfile",
      args: { PHP: "8", DEV: "true" },
      cacheFrom: [],
      secrets: {},
      ssh: false,
    });
  });

  it("leave port and command to an image that serves HTTP itself", () => {
    const { app } = parseSettings(having(valid(), "app.server", "http"), "local");
    assert.deepEqual([app.port, app.command], [80, undefined]);
  });

  it("merge headers with the security headers, and drop those set to nothing", () => {
    const raw = having(valid(), "proxy.headers", {
      "X-Frame-Options": "",
      "Permissions-Policy": "camera=()",
      "Referrer-Policy": "no-referrer",
    });
    assert.deepEqual(parseSettings(raw, "local").proxy.headers, {
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "no-referrer",
      "Permissions-Policy": "camera=()",
    });
  });

  it("take an empty group for one that is left out", () => {
    assert.equal(parseSettings({ ...valid(), logs: null, verify: "{}" }, "local").logs.maxSize, 10);
  });

  const image = (path: string, value: string) =>
    [
      path,
      value,
      `is "${value}", expected an image reference, such as registry.example.com/shop:1.4`,
      `pulumi config set --path drydock:${path} registry.example.com/shop:1.4 -s local`,
    ] as const;
  const number = (path: string, value: unknown, range: string, remedy: number) =>
    [
      path,
      value,
      `is ${JSON.stringify(value)}, expected a ${range}`,
      `pulumi config set --path drydock:${path} ${remedy} -s local`,
    ] as const;

  const bad: (readonly [path: string, value: unknown, message: string, remedy: string])[] = [
    number("app.replicas", 0, "whole number from 1 to 100", 3),
    number("app.replicas", "three", "whole number from 1 to 100", 3),
    number("app.replicas", 101, "whole number from 1 to 100", 3),
    number("app.replicas", 2.5, "whole number from 1 to 100", 3),
    number("app.replicas", true, "whole number from 1 to 100", 3),
    number("proxy.port", 65536, "whole number from 1 to 65535", 8080),
    number("proxy.port", 0, "whole number from 1 to 65535", 8080),
    number("app.uid", 0, "whole number from 1 to 65534", 1000),
    number(
      "app.cpus",
      0,
      "number from 0.01 to 1024 (processors) that Pulumi reads back as it is: 0.1 or 0.051, not 0.05",
      1,
    ),
    number("database.memory", 64, "whole number from 128 to 16777216 (MiB)", 512),
    image("app.image", "Not An Image"),
    image("proxy.image", "shop/app:"),
    image("redis.image", "https://registry.example.com/redis:8"),
    [
      "app.replicas",
      [3],
      "is a list, expected a whole number from 1 to 100",
      "pulumi config set --path drydock:app.replicas 3 -s local",
    ],
    [
      "app.replicas",
      null,
      "is empty (null), expected a whole number from 1 to 100",
      "pulumi config set --path drydock:app.replicas 3 -s local",
    ],
    [
      "app.replicsa",
      3,
      "is unknown: is drydock:app.replicas meant?",
      "pulumi config rm --path drydock:app.replicsa -s local",
    ],
    [
      "migrate.colour",
      3,
      "is unknown: expected one of enabled, timeout, lockTimeout, breaking",
      "pulumi config rm --path drydock:migrate.colour -s local",
    ],
    [
      "app.server",
      "apache",
      'is "apache", expected "fpm" (the image runs PHP-FPM) or "http" (it serves HTTP itself)',
      "pulumi config set --path drydock:app.server fpm -s local",
    ],
    [
      "scheduler.enabled",
      "nope",
      'is "nope", expected true or false',
      "pulumi config set --path drydock:scheduler.enabled true -s local",
    ],
    [
      "app.path",
      "../html",
      'is "../html", expected an absolute path, such as /var/www/html',
      "pulumi config set --path drydock:app.path /var/www/html -s local",
    ],
    [
      "app.healthPath",
      "up",
      'is "up", expected a path that begins with /, such as /up',
      "pulumi config set --path drydock:app.healthPath /up -s local",
    ],
    [
      "app.command",
      "php-fpm -F",
      'is "php-fpm -F", expected a list of words, such as ["php","artisan","horizon"]',
      `pulumi config set --path drydock:app.command '["php","artisan","horizon"]' -s local`,
    ],
    [
      "proxy.interface",
      "localhost",
      'is "localhost", expected an IP address, such as 127.0.0.1 (only this machine) or 0.0.0.0 (all interfaces)',
      "pulumi config set --path drydock:proxy.interface 127.0.0.1 -s local",
    ],
    [
      "docker.host",
      "tcp://10.0.0.1:2375",
      "is tcp://10.0.0.1:2375, without TLS: the secrets go over it in clear, " +
        "and whoever reaches that port is root of the host",
      "pulumi config set --path drydock:docker.host " +
        "ssh://deploy@shop.example.com -s local\nor TLS: export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=FOLDER " +
        "(ca.pem, cert.pem, key.pem)",
    ],
    [
      "docker.host",
      "shop.example.com",
      'is "shop.example.com", expected ssh://user@host, unix:///path or tcp://host:port',
      "pulumi config set --path drydock:docker.host ssh://deploy@shop.example.com -s local",
    ],
    [
      "database.engine",
      "postgres",
      'is "postgres", expected "mariadb" or "mysql"',
      "pulumi config set --path drydock:database.engine mariadb -s local",
    ],
    [
      "database.image",
      undefined,
      "is missing, expected an image reference, such as registry.example.com/shop:1.4",
      "pulumi config set --path drydock:database.image registry.example.com/shop:1.4 -s local",
    ],
    [
      "database.rootPassword",
      undefined,
      "is missing, expected at least 32 visible ASCII characters without quotes and backslashes",
      "openssl rand -hex 24 | pulumi config set --secret --path drydock:database.rootPassword -s local",
    ],
    [
      "app.image",
      undefined,
      "is missing: expected the application's image, or drydock:app.build to build it",
      "pulumi config set --path drydock:app.image registry.example.com/shop:1.4 -s local",
    ],
    [
      "redis.maxmemory",
      192,
      "is 192 MiB, but the container may use 192 MiB: expected less, for the server needs some itself",
      "pulumi config set --path drydock:redis.maxmemory 96 -s local",
    ],
    [
      "database.bufferPool",
      600,
      "is 600 MiB, but the container may use 512 MiB: expected less, for the server needs some itself",
      "pulumi config set --path drydock:database.bufferPool 256 -s local",
    ],
  ];
  for (const [path, value, message, remedy] of bad)
    it(`refuse ${path}: ${JSON.stringify(value)}`, () => {
      assert.deepEqual(problemsOf(having(valid(), path, value)), [{ path: `drydock:${path}`, message, remedy }]);
    });

  it("refuse a wrong entry of a list and of a map, and say which", () => {
    assert.deepEqual(problemsOf(having(valid(), "proxy.trustedProxies", ["10.0.0.0/8", "10.0.0.0/33"])), [
      {
        path: "drydock:proxy.trustedProxies[1]",
        message: 'is "10.0.0.0/33", expected an address, or a range such as "10.0.0.0/8"',
        remedy: "pulumi config set --path 'drydock:proxy.trustedProxies[1]' 10.0.0.0/8 -s local",
      },
    ]);
    assert.deepEqual(problemsOf(having(valid(), "proxy.headers", { "X-A": "a $b", "X B": "c" })), [
      {
        path: "drydock:proxy.headers.X-A",
        message: 'is "a $b", expected a header\'s value in one line, without $',
        remedy: "pulumi config rm --path drydock:proxy.headers.X-A -s local",
      },
      {
        path: 'drydock:proxy.headers["X B"]',
        message:
          "has a name that is not valid, expected headers: names of letters, digits and hyphens, " +
          "with values in one line, without $",
        remedy: `pulumi config rm --path 'drydock:proxy.headers["X B"]' -s local`,
      },
    ]);
  });

  it("ask for a registry's token, which only the registry can issue", () => {
    assert.deepEqual(
      problemsOf(having(valid(), "docker.registry", { address: "registry.example.com", username: "deploy" })),
      [
        {
          path: "drydock:docker.registry.password",
          message: "is missing, expected a password or token",
          remedy: "pulumi config set --secret --path drydock:docker.registry.password -s local",
        },
      ],
    );
  });

  it("refuse an unknown group and suggest the known one", () => {
    assert.deepEqual(problemsOf({ ...valid(), proxi: { port: 80 } }), [
      {
        path: "drydock:proxi",
        message: "is unknown: is drydock:proxy meant?",
        remedy: "pulumi config rm --path drydock:proxi -s local",
      },
    ]);
  });

  it("refuse image together with build", () => {
    assert.deepEqual(problemsOf(having(valid(), "app.build", { context: "." })), [
      {
        path: "drydock:app.image",
        message: "is set together with drydock:app.build: expected one of them",
        remedy: "pulumi config rm --path drydock:app.build -s local",
      },
    ]);
  });

  it("refuse a group that is no object without quoting it, and say nothing about what would be in it", () => {
    for (const value of ["s3cr3t", '["s3cr3t"]', 7, true]) {
      const [problem, ...more] = (() => {
        try {
          parseSettings({ ...valid(), database: value }, "local");
          return [];
        } catch (error) {
          return (error as SettingsError).problems;
        }
      })();
      assert.match(problem!.message, /^is a (text|number|boolean), expected an object$/);
      assert.deepEqual([problem!.path, more], ["drydock:database", []]);
    }
  });

  const unpinned: [image: string, stage: string, message: string][] = [
    ["shop/app:latest", "staging", "which means another image each time: expected a version's tag or a digest"],
    ["localhost:5000/shop", "staging", "which means another image each time: expected a version's tag or a digest"],
    [`sha256:${"ab".repeat(32)}`, "staging", "the id of an image on one machine: expected a registry's image"],
    ["shop/app:1.4", "prod", "a tag can be moved: expected a digest (@sha256:…) in production"],
    ["shop/app:latest", "other", "a tag can be moved: expected a digest (@sha256:…) in production"],
  ];
  for (const [image, stack, message] of unpinned)
    it(`refuse the image ${image} on the stack ${stack}`, () => {
      const [problem, ...more] = problemsOf(having(production(), "app.image", image), stack);
      assert.deepEqual([problem!.path, problem!.message, more], ["drydock:app.image", `is "${image}", ${message}`, []]);
    });

  it("accept a tag in staging and `latest` locally", () => {
    assert.deepEqual(problemsOf(having(production(), "app.image", "shop/app:1.4"), "staging"), []);
    assert.deepEqual(problemsOf(having(valid(), "app.image", "shop/app:latest"), "local"), []);
  });

  it("refuse to build in production", () => {
    assert.deepEqual(
      problemsOf(having(having(production(), "app.image", undefined), "app.build", { context: "." }), "prod"),
      [
        {
          path: "drydock:app.build",
          message: "is set in production, which runs only images that were built and tested before",
          remedy: "pulumi config rm --path drydock:app.build -s prod",
        },
      ],
    );
  });

  it("report everything at once, settings before variables", () => {
    const raw = having(
      having(having(having(valid(), "app.replicas", "three"), "app.imag", "x"), "redis.maxmemory", 500),
      "env.DB_CONNECTION",
      undefined,
    );
    assert.throws(() => parseConfiguration(asJson(raw), "local"), {
      name: "SettingsError",
      message: `The configuration of stack "local" has 4 problems, nothing was changed:
  drydock:app.imag: is unknown: is drydock:app.image meant?
    pulumi config rm --path drydock:app.imag -s local
  drydock:app.replicas: is "three", expected a whole number from 1 to 100
    pulumi config set --path drydock:app.replicas 3 -s local
  drydock:redis.maxmemory: is 500 MiB, but the container may use 192 MiB: expected less, \
for the server needs some itself
    pulumi config set --path drydock:redis.maxmemory 96 -s local
  drydock:env.DB_CONNECTION: is missing: Laravel's database driver; without it Laravel takes SQLite
    pulumi config set --path drydock:env.DB_CONNECTION mariadb -s local`,
    });
  });

  it("refuse each secret that stands in plain text in the stack's file, whatever stands beside it", () => {
    const open = keptOpen("env.DB_PASSWORD", "env.DB_DATABASE", "database.rootPassword", "app.image");
    assert.deepEqual(problemsOf(valid(), "local", open), [
      {
        path: "drydock:database.rootPassword",
        message: "is kept without encryption in the stack's file",
        remedy: "pulumi config set --secret --path drydock:database.rootPassword -s local",
      },
      {
        path: "drydock:env.DB_PASSWORD",
        message: "is kept without encryption in the stack's file",
        remedy: "pulumi config set --secret --path drydock:env.DB_PASSWORD -s local",
      },
    ]);
    const s3 = { bucket: "shop-backups", region: "eu-central-1", accessKeyId: "ID", secretAccessKey: "a secret of S3" };
    assert.deepEqual(
      problemsOf(having(valid(), "backup.s3", s3), "local", keptOpen("backup.s3.secretAccessKey")).map(
        ({ path }) => path,
      ),
      ["drydock:backup.s3.secretAccessKey"],
    );
  });

  it("want no key and no password to cross a network in plain text, but on a local stack", () => {
    const s3 = { bucket: "shop-backups", region: "eu-central-1", endpoint: "http://minio.example.com" };
    const email = {
      to: "a@example.com",
      from: "b@example.com",
      host: "mail.example.com",
      security: "none",
      username: "u",
      password: "of the mail",
    };
    const alarms = { webhook: "http://hooks.example.com/secret-part", email };
    const backup = { ...production()["backup"], s3, alarms };
    assert.deepEqual(
      problemsOf({ ...production(), backup, bucket: { endpoint: "http://minio.example.com" } }, "prod").map(
        ({ path, remedy }) => [path, remedy],
      ),
      [
        ["drydock:backup.alarms.webhook", "pulumi config set --secret --path drydock:backup.alarms.webhook -s prod"],
        [
          "drydock:backup.alarms.email.security",
          "pulumi config set --path drydock:backup.alarms.email.security starttls -s prod",
        ],
        [
          "drydock:backup.s3.endpoint",
          "pulumi config set --path drydock:backup.s3.endpoint https://minio.example.com -s prod",
        ],
        [
          "drydock:bucket.endpoint",
          "pulumi config set --path drydock:bucket.endpoint https://minio.example.com -s prod",
        ],
      ],
    );
    const { warnings } = parseConfiguration(
      asJson({ ...valid(), backup: { ...valid()["backup"], s3, alarms } }),
      "local",
    );
    assert.deepEqual(
      warnings.map(({ path }) => path),
      ["drydock:backup.alarms.webhook", "drydock:backup.alarms.email.security", "drydock:backup.s3.endpoint"],
    );
  });

  it("warn where a release may want more connections than the database takes", () => {
    const warnings = (app: object) =>
      parseConfiguration(asJson({ ...valid(), app: { ...valid()["app"], ...app } }), "local").warnings;
    assert.deepEqual(warnings({}), []);
    assert.deepEqual(warnings({ replicas: 9 }), [
      {
        path: "drydock:app.maxChildren",
        message:
          "is 8: in a release, 18 replicas and what runs beside them may want 180 connections of the database, " +
          "which takes 151; then " +
          'requests fail with "Too many connections"',
        remedy:
          "pulumi config set --path drydock:app.maxChildren 6 -s local\n" +
          "or pulumi config set --path drydock:database.options.max_connections 180 -s local",
      },
    ]);
    assert.deepEqual(warnings({ replicas: 9, server: "http" }), []);
  });
});
