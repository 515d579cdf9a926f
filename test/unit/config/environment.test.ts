import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { VARIABLES } from "../../../config/environment.ts";
import { environmentHash } from "../../../config/resolve.ts";
import { parseConfiguration } from "../../../config/settings.ts";
import { asJson, having, keptOpen, problemsOf, production, valid } from "../../support/config/fixtures.ts";

const environmentOf = (raw: ReturnType<typeof valid>, stack = "local") =>
  parseConfiguration(asJson(raw), stack).environment;

describe("environment", () => {
  it("has every plain variable in the list's order, with its default", () => {
    assert.deepEqual(
      Object.entries(environmentOf(valid()).plain).map(([name, value]) => `${name}=${value}`),
      [
        "APP_NAME=Laravel",
        "APP_ENV=local",
        "APP_DEBUG=false",
        "APP_URL=http://127.0.0.1:8080",
        "LOG_CHANNEL=stderr",
        "LOG_LEVEL=info",
        "DB_CONNECTION=mariadb",
        "DB_HOST=database",
        "DB_PORT=3306",
        "DB_DATABASE=shop",
        "DB_USERNAME=shop",
        "REDIS_CLIENT=phpredis",
        "REDIS_HOST=redis",
        "REDIS_CACHE_HOST=redis-cache",
        "REDIS_PORT=6379",
        "QUEUE_CONNECTION=redis",
        "CACHE_STORE=redis",
        "CACHE_DRIVER=redis",
        "SESSION_DRIVER=redis",
        "SESSION_COOKIE=laravel-session",
        "CACHE_PREFIX=laravel-cache-",
        "REDIS_PREFIX=laravel-database-",
        "HORIZON_PREFIX=laravel_horizon:",
        "BROADCAST_CONNECTION=log",
        "FILESYSTEM_DISK=local",
        "RESET_OPCACHE=false",
        "MAIL_MAILER=log",
      ],
    );
  });

  it("keeps secrets out of the plain variables, and the user's own that the stack's file has encrypted", () => {
    const raw = having(
      having(having(valid(), "env.ZEBRA", "z"), "env.APPLE", 'a "quoted" $value'),
      "env.FEATURE_X",
      "on",
    );
    const reversed = { ...raw, env: Object.fromEntries(Object.entries(raw["env"]!).reverse()) };
    const { secret, plain } = parseConfiguration(
      asJson(reversed),
      "local",
      keptOpen("env.FEATURE_X", "env.ZEBRA"),
    ).environment;
    assert.deepEqual(Object.keys(secret), ["APP_KEY", "DB_PASSWORD", "REDIS_PASSWORD", "APPLE"]);
    assert.equal(secret["APPLE"], 'a "quoted" $value');
    assert.deepEqual(Object.entries(plain).slice(-2), [
      ["FEATURE_X", "on"],
      ["ZEBRA", "z"],
    ]);
    assert.deepEqual(
      Object.keys(environmentOf(raw).secret).slice(3),
      ["APPLE", "FEATURE_X", "ZEBRA"],
      "where nobody can say, all are",
    );
  });

  it("has names for the cookie and in Redis that a new APP_NAME doesn't change", () => {
    const named = (name: string) => {
      const { plain } = environmentOf(having(valid(), "env.APP_NAME", name));
      return ["SESSION_COOKIE", "CACHE_PREFIX", "REDIS_PREFIX", "HORIZON_PREFIX"].map((variable) => plain[variable]);
    };
    assert.deepEqual(named("Shop"), named("Another shop"));
  });

  it("normalises booleans, and takes numbers and booleans as the texts they stand for", () => {
    const raw = having(having(having(valid(), "env.APP_DEBUG", "on"), "env.DB_PORT", 3306), "env.FEATURE", true);
    const { plain, secret } = environmentOf(raw);
    assert.deepEqual([plain["APP_DEBUG"], plain["DB_PORT"], secret["FEATURE"]], ["true", "3306", "true"]);
  });

  it("has the same cache in both of its variables", () => {
    const { plain } = environmentOf(having(valid(), "env.CACHE_DRIVER", "database"));
    assert.deepEqual([plain["CACHE_STORE"], plain["CACHE_DRIVER"]], ["database", "database"]);
  });

  it("takes the address from the proxy outside production", () => {
    const raw = { ...valid(), proxy: { ...valid()["proxy"], port: 9090, interface: "0.0.0.0" } };
    assert.equal(environmentOf(raw).plain["APP_URL"], "http://127.0.0.1:9090");
    assert.equal(environmentOf(having(raw, "proxy.interface", "::1")).plain["APP_URL"], "http://[::1]:9090");
  });

  it("has a hash that changes with any value and with nothing else", () => {
    const { hash } = environmentOf(valid());
    assert.match(hash, /^[0-9a-f]{64}$/);
    assert.equal(environmentOf({ ...valid(), logs: { maxSize: 20 } }).hash, hash);
    assert.notEqual(environmentOf(having(valid(), "env.LOG_LEVEL", "debug")).hash, hash);
    assert.notEqual(environmentOf(having(valid(), "env.OWN", "1")).hash, hash);
    assert.notEqual(environmentHash({ A: "1B=2" }), environmentHash({ A: "1", B: "2" }));
    assert.equal(environmentHash({ A: "1", B: "2" }), environmentHash({ B: "2", A: "1" }));
  });

  it("has no name twice in its list, and a description for each", () => {
    assert.equal(new Set(VARIABLES.map(({ name }) => name)).size, VARIABLES.length);
    assert.deepEqual(
      VARIABLES.filter(({ description }) => description === "" || description.endsWith(".")),
      [],
    );
  });

  const set = (name: string, value: string, stack = "local") =>
    `pulumi config set --path drydock:env.${name} ${value} -s ${stack}`;
  const remove = (name: string) => `pulumi config rm --path drydock:env.${name} -s local`;
  const renew = (name: string, stack = "local") =>
    `openssl rand -hex 24 | pulumi config set --secret --path drydock:env.${name} -s ${stack}`;
  const replace = (name: string) => `pulumi config set --secret --path drydock:env.${name} -s local`;
  const renewKey =
    "printf 'base64:%s' \"$(openssl rand -base64 32)\" | pulumi config set --secret --path drydock:env.APP_KEY -s " +
    "local";
  const sqlite =
    "mariadb or mysql: with sqlite each replica would have a database of its own, " +
    "lost at the next release (incident 2)";
  const loopback =
    "the name of the stack's own server in its network: a name of another set-up is not known there, " +
    "and localhost and " +
    "127.0.0.1 would be the container itself (incident 11); a server elsewhere is drydock:";
  const inside = "file, array, apc, apcu, octane are inside one container";

  const bad: [name: string, value: unknown, message: string, remedy: string][] = [
    [
      "DB_CONNECTION",
      undefined,
      "is missing: Laravel's database driver; without it Laravel takes SQLite",
      set("DB_CONNECTION", "mariadb"),
    ],
    ["DB_CONNECTION", "sqlite", `is "sqlite", expected ${sqlite}`, set("DB_CONNECTION", "mariadb")],
    [
      "DB_HOST",
      "127.0.0.1",
      `is another one: expected database, ${loopback}database.external`,
      set("DB_HOST", "database"),
    ],
    [
      "DB_HOST",
      "localhost",
      `is another one: expected database, ${loopback}database.external`,
      set("DB_HOST", "database"),
    ],
    ["REDIS_HOST", "::1", `is another one: expected redis, ${loopback}redis.external`, set("REDIS_HOST", "redis")],
    ["REDIS_CLIENT", "predis", 'is "predis", expected phpredis', set("REDIS_CLIENT", "phpredis")],
    ["DB_USERNAME", "root", 'is "root", but the application needs a user of its own', set("DB_USERNAME", "laravel")],
    [
      "SESSION_DRIVER",
      "file",
      'is "file", expected a store that all replicas share, such as redis, database, memcached, dynamodb, ' +
        `cookie: ${inside}`,
      set("SESSION_DRIVER", "redis"),
    ],
    ["APP_DEBUG", "maybe", 'is "maybe", expected true or false', set("APP_DEBUG", "false")],
    [
      "APP_URL",
      "shop.example.com",
      'is "shop.example.com", expected an address that begins with http:// or https://',
      set("APP_URL", "https://shop.example.com"),
    ],
    ["APP_NAME", "two\nlines", 'is "two\\nlines", expected a text in one line', set("APP_NAME", "Laravel")],
    [
      "AWS_ENDPOINT",
      "https://user:pass@s3.example.com",
      "holds a user name or password, but it is a plain variable",
      remove("AWS_ENDPOINT"),
    ],
    ["APP_KEY", undefined, "is missing: Encrypts sessions, cookies and queued jobs; the same in all roles", renewKey],
    ["APP_KEY", "SomeRandomString", "is not valid: expected base64: and 32 random bytes in base64", renewKey],
    [
      "APP_KEY",
      `base64:${Buffer.alloc(16, "0123456789abcdef").toString("base64")}`,
      "is not valid: expected base64: and 32 random bytes in base64",
      renewKey,
    ],
    [
      "APP_KEY",
      `base64:${Buffer.alloc(32).toString("base64")}`,
      "is not valid: expected base64: and 32 random bytes in base64",
      renewKey,
    ],
    ["DB_PASSWORD", undefined, "is missing: That user's password, at least 32 characters", renew("DB_PASSWORD")],
    [
      "REDIS_PASSWORD",
      `${"aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0iX"} '`,
      "is not valid: expected visible ASCII characters without quotes and backslashes",
      renew("REDIS_PASSWORD"),
    ],
    [
      "DRYDOCK_RELEASE",
      "1",
      "is not for you to set: names that begin with DRYDOCK_ are Drydock's own",
      remove("DRYDOCK_RELEASE"),
    ],
    [
      "Own-Name",
      "x",
      "is no name for a variable: expected letters, digits and underscores, not beginning with a digit",
      remove("Own-Name"),
    ],
    ["OWN", "a\0b", "holds a NUL character, which no environment can hold", remove("OWN")],
    ["OWN", "\ud800", "is not valid Unicode", remove("OWN")],
    [
      "OWN",
      1.1,
      "is a number, expected a text in quotes: as a number it may have lost digits on its way",
      "pulumi config set --type string --path drydock:env.OWN VALUE -s local",
    ],
    [
      "OWN",
      null,
      'is empty (null), expected a text, "" if it shall be empty',
      "pulumi config set --type string --path drydock:env.OWN VALUE -s local",
    ],
    [
      "OWN",
      { a: 1 },
      "is an object, expected a text",
      "pulumi config set --type string --path drydock:env.OWN VALUE -s local",
    ],
  ];
  for (const [name, value, message, remedy] of bad)
    it(`refuses ${name}: ${JSON.stringify(value)?.slice(0, 40)}`, () => {
      const raw = having(valid(), "env", value === undefined ? withoutKey(name) : { ...valid()["env"], [name]: value });
      assert.deepEqual(problemsOf(raw), [{ path: `drydock:env.${name}`, message, remedy }]);
    });

  it("keeps an odd name one word for the shell", () => {
    assert.deepEqual(
      problemsOf(having(valid(), "env.it's me", "x")).map(({ remedy }) => remedy),
      [`pulumi config rm --path 'drydock:env["it'\\''s me"]' -s local`],
    );
  });

  it("asks for all missing secrets of a stack with the commands that make them", () => {
    const raw = {
      ...production(),
      env: { APP_URL: "https://shop.example.com", DB_CONNECTION: "mariadb", DB_DATABASE: "shop", DB_USERNAME: "shop" },
    };
    assert.deepEqual(
      problemsOf(having(raw, "database.rootPassword", undefined), "prod").map(({ remedy }) => remedy),
      [
        "openssl rand -hex 24 | pulumi config set --secret --path drydock:database.rootPassword -s prod",
        "printf 'base64:%s' \"$(openssl rand -base64 32)\" | pulumi config set --secret --path drydock:env.APP_KEY " +
          "-s prod",
        renew("DB_PASSWORD", "prod"),
        renew("REDIS_PASSWORD", "prod"),
      ],
    );
  });

  it("points at a misspelt variable where one is missing", () => {
    const { DB_CONNECTION: _, ...env } = valid()["env"] as Record<string, string>;
    const found = problemsOf({ ...valid(), env: { ...env, DB_CONECTION: "mysql" } });
    assert.deepEqual(
      found.map(({ path, message }) => `${path}: ${message}`),
      [
        "drydock:env.DB_CONNECTION: is missing (drydock:env.DB_CONECTION is set: is it meant?): " +
          "Laravel's database driver; without it " +
          "Laravel takes SQLite",
      ],
    );
  });

  /** What is warned of: [variable, message], for a stack in which one variable is set to this. */
  const warned = (name: string, value: unknown, { stack = "local", open = true, raw = valid() } = {}) =>
    parseConfiguration(
      asJson(having(raw, "env", { ...raw["env"], [name]: value })),
      stack,
      open ? keptOpen(`env.${name}`) : undefined,
    ).warnings.map(({ path, message }) => [path.replace("drydock:env.", ""), message]);
  const meant = (value: string, other: string) =>
    `is "${value}": is ${other} meant? Where the application has something of that name, nothing is wrong`;

  it("takes values of real applications", () => {
    const values: readonly [name: string, value: string][] = [
      ["MAIL_MAILER", "failover"],
      ["MAIL_MAILER", "ses-v2"],
      ["MAIL_MAILER", "sendgrid"],
      ["MAIL_MAILER", "mailersend"],
      ["APP_ENV", "uat"],
      ["APP_ENV", "testing"],
      ["APP_ENV", "demo"],
      ["QUEUE_CONNECTION", "redis-long"],
      ["QUEUE_CONNECTION", "background"],
      ["CACHE_STORE", "failover"],
      ["CACHE_STORE", "my-store"],
      ["SESSION_DRIVER", "mongodb"],
      ["BROADCAST_CONNECTION", "soketi-own"],
      ["DB_DATABASE", "my-shop"],
      ["DB_DATABASE", "2024_shop"],
      ["DB_USERNAME", "my-shop"],
      ["MAIL_SCHEME", "null"],
      ["MAIL_USERNAME", "null"],
      ["AWS_BUCKET", ""],
      ["LOG_STACK", "stderr,sentry"],
      ["http_proxy", "x:1"],
      ["app.feature", "1"],
      ["MAIL_HOST", "(null)"],
    ];
    for (const [name, value] of values) assert.deepEqual([name, value, warned(name, value)], [name, value, []]);
  });

  it("warns of what is possible, but hardly meant", () => {
    assert.deepEqual(warned("MAIL_MAILER", "smpt"), [["MAIL_MAILER", meant("smpt", "smtp")]]);
    assert.deepEqual(warned("APP_ENV", "stagin"), [["APP_ENV", meant("stagin", "staging")]]);
    assert.deepEqual(warned("CACHE_STORE", "reddis").at(0), ["CACHE_STORE", meant("reddis", "redis")]);
    assert.deepEqual(warned("MAIL_HSOT", "mail.example.com"), [
      ["MAIL_HSOT", "is a variable of your own: is MAIL_HOST meant?"],
    ]);
    assert.deepEqual(warned("log_level", "debug"), [["log_level", "is a variable of your own: is LOG_LEVEL meant?"]]);
    const doubtful = [
      ["QUEUE_CONNECTION", "sync"],
      ["LOG_CHANNEL", "syslog"],
      ["BROADCAST_CONNECTION", "reverb"],
    ];
    for (const [name = "", value] of doubtful)
      assert.deepEqual(
        warned(name, value).map(([found]) => found),
        [name],
      );
    const served = having(valid(), "workers.reverb", {
      command: ["php", "artisan", "reverb:start"],
      http: { port: 8081 },
    });
    assert.deepEqual(warned("BROADCAST_CONNECTION", "reverb", { raw: served }), []);
  });

  it(
    "takes a password that exists already, and says what is wrong with it; in production only where that is " +
      "accepted",
    () => {
      const weak: readonly [name: string, value: unknown, message: string][] = [
        ["DB_PASSWORD", "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0i", "is too short: expected at least 32 characters"],
        ["DB_PASSWORD", "password", "is a well-known default"],
        ["REDIS_PASSWORD", "ChangeMe-ChangeMe-ChangeMe-ChangeMe", "is a placeholder"],
        ["REDIS_PASSWORD", "a".repeat(40), "has too few different characters"],
        ["REDIS_PASSWORD", "aB3dE6gH9jK2mN5p".repeat(3), "only repeats a shorter text"],
        [
          "REDIS_PASSWORD",
          valid()["env"]!["DB_PASSWORD"],
          "repeats drydock:env.DB_PASSWORD: who learns one would have both",
        ],
        [
          "DB_PASSWORD",
          valid()["database"]!["rootPassword"],
          "repeats drydock:database.rootPassword: who learns one would have both",
        ],
      ];
      for (const [name, value, message] of weak) {
        assert.deepEqual(warned(name, value, { open: false }), [[name, message]]);
        const group = name === "DB_PASSWORD" ? "database" : "redis";
        const raw = having(production(), `env.${name}`, value);
        assert.deepEqual(problemsOf(raw, "prod"), [
          {
            path: `drydock:env.${name}`,
            message,
            remedy: `${renew(
              name,
              "prod",
            )}\nor keep it as it is: pulumi config set --path drydock:${group}.acceptPassword true -s prod`,
          },
        ]);
        assert.deepEqual(problemsOf(having(raw, `${group}.acceptPassword`, true), "prod"), []);
      }
      const foreign = { stack: "prod", open: false, raw: production() };
      assert.deepEqual(warned("REPORTS_PASSWORD", "secret", foreign), [
        ["REPORTS_PASSWORD", "is a well-known default"],
      ]);
    },
  );

  it("wants encrypted what looks like a secret", () => {
    const by = (what: string) => `looks like a secret by its ${what}, but is in plain text in the stack's file`;
    const secrets: readonly [name: string, value: string, what: "name" | "value"][] = [
      ["STRIPE_SECRET", "hunter2", "name"],
      ["GITHUB_TOKEN", "x1", "name"],
      ["app_db_password", "1", "name"],
      ["MAPS_API_KEY", "abc", "name"],
      ["PAYMENT", "sk_live_51Habcdefgh", "value"],
      ["HOOK", "https://hooks.slack.com/services/T/B/x", "value"],
      ["DATABASE_URL", "mysql://shop:hunter2@db/shop", "value"],
      ["ALGOLIA_KEY", "9f86d081884c7d659a2f", "value"],
      ["SIGNER", "-----BEGIN RSA PRIVATE KEY-----\nMII", "value"],
      ["CLOUD", "AKIAIOSFODNN7EXAMPLE", "value"],
    ];
    for (const [name, value, what] of secrets) {
      assert.deepEqual(warned(name, value), [[name, by(what)]]);
      for (const stack of ["prod", "staging"]) {
        const raw = having(stack === "prod" ? production() : valid(), "env", {
          ...(stack === "prod" ? production() : valid())["env"],
          [name]: value,
        });
        const found = problemsOf(raw, stack, keptOpen(`env.${name}`));
        assert.deepEqual(found, [
          { path: `drydock:env.${name}`, message: by(what), remedy: replace(name).replace("-s local", `-s ${stack}`) },
        ]);
        assert.deepEqual(problemsOf(raw, stack, keptOpen()), [], "encrypted");
      }
      const { environment } = parseConfiguration(
        asJson(having(valid(), `env.${name}`, value)),
        "local",
        keptOpen(`env.${name}`),
      );
      assert.equal(environment.secret[name], value, "no container's variable");
    }
    const none: readonly [name: string, value: string][] = [
      ["FEATURE_X", "on"],
      ["TZ", "Europe/Berlin"],
      ["PHP_MEMORY_LIMIT", "512M"],
      ["AUTH_PASSWORD_BROKER", "users"],
      ["STRIPE_KEY", "pk_live_51Habcdefghijkl"],
      ["AUTH_PASSWORD_RESET_TOKEN_TABLE", "resets"],
      ["TOKEN_TTL", "60"],
      ["VITE_PUSHER_APP_KEY", "9f86d081884c7d659a2f"],
      ["OTHER_TOKEN", ""],
      ["SENTRY_RELEASE", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b"],
      ["SENTRY_LARAVEL_DSN", "https://abc@o1.ingest.sentry.io/1"],
      ["SANCTUM_TOKEN", "null"],
      ["JWT_SECRET_FILE", "/run/x"],
      ["KEYBOARD", "qwertz"],
      ["TOKENIZER", "gpt"],
    ];
    for (const [name, value] of none) assert.deepEqual([name, warned(name, value)], [name, []]);
  });

  it("puts in what a value refers to, and refuses what it can't", () => {
    const env = {
      ...valid()["env"],
      APP_NAME: "Shop",
      A: "${B}/a",
      B: "${APP_NAME} b",
      LITERAL: "\\${APP_NAME}",
      URL: "${APP_URL}/x",
      C: "$B {B} ${}",
    };
    const open = keptOpen("env.A", "env.B", "env.LITERAL", "env.URL", "env.C");
    const { plain } = parseConfiguration(
      asJson(having({ ...valid(), env }, "env.MAIL_FROM_NAME", "${APP_NAME}")),
      "local",
      open,
    ).environment;
    const { MAIL_FROM_NAME, A, LITERAL, URL, C } = plain;
    assert.deepEqual(
      { MAIL_FROM_NAME, A, LITERAL, URL, C },
      {
        MAIL_FROM_NAME: "Shop",
        A: "Shop b/a",
        LITERAL: "${APP_NAME}",
        URL: "http://127.0.0.1:8080/x",
        C: "$B {B} ${}",
      },
    );
    const said = (name: string, value: string, isEncrypted = keptOpen(`env.${name}`)) =>
      problemsOf(having(valid(), `env.${name}`, value), "local", isEncrypted).map(
        ({ path, message }) => `${path.slice(12)}: ${message}`,
      );
    const literally = "to have these characters in the value, write \\${ for ${";
    assert.deepEqual(said("A", "${NONE}"), [`A: refers to \${NONE}, which is not set; ${literally}`]);
    assert.deepEqual(said("A", "${A}x"), [`A: refers to itself (A → A); ${literally}`]);
    assert.deepEqual(said("A", "${APP_NAME:-Shop}"), [
      `A: has \${APP_NAME:-…} in it, which Laravel does not expand; ${literally}`,
    ]);
    assert.deepEqual(said("AWS_BUCKET", "b-${DB_PASSWORD}"), [
      "AWS_BUCKET: refers to a secret, but is a plain variable",
    ]);
    assert.deepEqual(said("TOKEN", "ab${hunter2}cd", keptOpen()), [
      `TOKEN: has \${…} in it, as a reference to a variable that is not set; ${literally}`,
    ]);
  });

  it("keeps a variable that refers to a secret where secrets are", () => {
    const raw = having(valid(), "env.REPORT_DSN", "mysql://shop:${DB_PASSWORD}@database/shop");
    const { plain, secret } = parseConfiguration(asJson(raw), "local", keptOpen("env.REPORT_DSN")).environment;
    assert.equal(plain["REPORT_DSN"], undefined);
    assert.equal(secret["REPORT_DSN"], `mysql://shop:${secret["DB_PASSWORD"]}@database/shop`);
  });

  it("has a queue wait for longer than the longest job", () => {
    const retry = (raw: ReturnType<typeof valid>) => environmentOf(raw).plain["REDIS_QUEUE_RETRY_AFTER"];
    assert.equal(retry(valid()), undefined);
    assert.equal(retry(having(valid(), "horizon.longestJob", 300)), "330");
    assert.equal(
      retry(having(valid(), "workers.slow", { command: ["php", "artisan", "queue:work"], longestJob: 600 })),
      "630",
    );
    const raw = having(valid(), "horizon.longestJob", 300);
    assert.deepEqual(warned("REDIS_QUEUE_RETRY_AFTER", 90, { raw }), [
      [
        "REDIS_QUEUE_RETRY_AFTER",
        "is 90, but jobs may run for 300 s (longestJob): one that takes longer is run again while it still runs",
      ],
    ]);
  });

  it("wants DB_CONNECTION to fit the database", () => {
    const mysql = having(valid(), "database.engine", "mysql");
    assert.deepEqual(
      problemsOf(mysql).map(({ message }) => message),
      ['is "mariadb", but drydock:database.engine is "mysql"'],
    );
    assert.deepEqual(problemsOf(having(mysql, "env.DB_CONNECTION", "mysql")), []);
    assert.deepEqual(problemsOf(having(valid(), "env.DB_CONNECTION", "mysql")), []);
  });

  it("is strict in production", () => {
    const messages = (path: string, value: unknown, stack = "prod") =>
      problemsOf(having(production(), path, value), stack).map((problem) => `${problem.path}: ${problem.message}`);
    assert.deepEqual(messages("env.APP_DEBUG", "yes"), [
      "drydock:env.APP_DEBUG: is true in production, where it would show secrets to visitors",
    ]);
    assert.deepEqual(messages("env.APP_URL", "http://shop.example.com"), [
      'drydock:env.APP_URL: is "http://shop.example.com", but production is reached by https',
    ]);
    assert.deepEqual(messages("env.APP_URL", undefined), [
      "drydock:env.APP_URL: is missing: The address that visitors use",
    ]);
    assert.deepEqual(messages("env.APP_ENV", "staging"), [
      'drydock:env.APP_ENV: is "staging", but the stack is called prod',
    ]);
    assert.deepEqual(messages("env.APP_DEBUG", "true", "anything"), [
      "drydock:env.APP_DEBUG: is true in production, where it would show secrets to visitors",
    ]);
    assert.deepEqual(messages("env.APP_DEBUG", "true", "staging"), []);
  });

  it("wants what a disk or a mailer needs", () => {
    assert.deepEqual(
      problemsOf(having(valid(), "env.FILESYSTEM_DISK", "s3")).map(({ path, message }) => `${path}: ${message}`),
      [
        "drydock:env.AWS_DEFAULT_REGION: is missing: FILESYSTEM_DISK=s3 needs it",
        "drydock:env.AWS_BUCKET: is missing: FILESYSTEM_DISK=s3 needs it",
      ],
    );
    assert.deepEqual(
      problemsOf(having(valid(), "env.MAIL_MAILER", "smtp")).map(({ path }) => path),
      ["drydock:env.MAIL_HOST", "drydock:env.MAIL_FROM_ADDRESS"],
    );
  });
});

function withoutKey(name: string): Record<string, unknown> {
  const { [name]: _, ...others } = valid()["env"]!;
  return others;
}
