import type { z } from "zod";
import { longestJob, RETRIES } from "./capacity.ts";
import type { LenientSettings } from "./found.ts";
import { cachePlace, certificates, placed } from "./places.ts";
import type { Stage } from "./stage.ts";
import * as type from "./variableTypes.ts";

/** What the defaults and the rules of single variables may look at. Settings that are wrong are left out. */
export interface Context {
  readonly stack: string;
  readonly stage: Stage;
  readonly settings: LenientSettings;
  /** What the user set in `drydock:env`. */
  readonly env: Readonly<Record<string, string>>;
}

/** One variable: written here, and nowhere else. */
export interface Variable {
  readonly name: string;
  /** Judges a text and normalises it; its meta data say what it expects. */
  readonly type: z.ZodType<string, string>;
  /** A secret reaches Laravel in its `.env` file only; a plain one is container env too. */
  readonly secret: boolean;
  readonly required: boolean;
  readonly default?: string | ((context: Context) => string | undefined);
  /** The default in words, where it is computed. */
  readonly computed?: string;
  /** One sentence without a full stop. */
  readonly description: string;
  /** Who reads it, or where its rule comes from. */
  readonly source: string;
  /** A rule that needs more than the value: what is wrong, or undefined. */
  readonly check?: (value: string, context: Context) => string | undefined;
  /** What may not be meant, though it is possible, with what to do; or undefined. */
  readonly warn?: (value: string, context: Context) => string | undefined;
  /** A value for the command in an error message. */
  readonly example?: string;
  /** A shell command that prints a new value of a secret. */
  readonly generator?: string;
  /** @default "user" */
  readonly setBy: "user" | "drydock";
}

type Rest = Partial<
  Pick<Variable, "default" | "computed" | "check" | "warn" | "example" | "generator" | "source" | "required" | "setBy">
>;

const common = { secret: false, required: false, source: "Laravel", setBy: "user" } as const;
const plain = (name: string, type: Variable["type"], description: string, rest: Rest = {}): Variable => ({
  ...common,
  name,
  type,
  description,
  ...rest,
});
const secret = (name: string, type: Variable["type"], description: string, rest: Rest = {}): Variable => ({
  ...common,
  name,
  type,
  description,
  ...rest,
  secret: true,
});

const password = { required: true, generator: type.passwordGenerator } as const;
// The variables that every role must have, as teams listed them after a deployment without one of them.
const template = "core template";
// Laravel itself does not read it.
const application = "applications";
/**
 * Names that Laravel derives from APP_NAME where they are not set. A new APP_NAME would log every visitor out and leave
 * the waiting jobs behind under the old prefix, so they are Laravel's own for an application without a name, whatever
 * APP_NAME says: each stack has a Redis of its own.
 */
const derived = [
  [
    "SESSION_COOKIE",
    "laravel-session",
    "The session's cookie; set it to what visitors have already, else they are logged out once",
  ],
  ["CACHE_PREFIX", "laravel-cache-", "What the cache's keys begin with"],
  ["REDIS_PREFIX", "laravel-database-", "What all keys in Redis begin with, those of waiting jobs too"],
  ["HORIZON_PREFIX", "laravel_horizon:", "What Horizon's own keys in Redis begin with"],
] as const;

/** What config/queue.php says where nothing is set, in seconds. */
const LARAVELS_RETRY = 90;
/** All variables that Drydock knows, in the order of the `.env` file and of docs/environment.md. */
export const VARIABLES: readonly Variable[] = [
  plain("APP_NAME", type.line(), "The application's name, in mails", { default: "Laravel" }),
  plain(
    "APP_ENV",
    type.known("local", "staging", "production"),
    "The stage; another name is as strict as the stack's own",
    {
      default: ({ stage }) => stage,
      computed: "the stack's name if it is a stage, else production",
      check: (value) =>
        /^[\w.-]+$/.test(value) ? undefined : `is ${JSON.stringify(value)}, but it is part of a file's name`,
      source: template,
    },
  ),
  secret("APP_KEY", type.appKey(), "Encrypts sessions, cookies and queued jobs; the same in all roles", {
    required: true,
    generator: `printf 'base64:%s' "$(openssl rand -base64 32)"`,
    source: `${template}, incident 4`,
  }),
  secret(
    "APP_PREVIOUS_KEYS",
    type.appKeys(),
    "Keys used before, separated by commas, while a new APP_KEY is introduced",
  ),
  plain("APP_DEBUG", type.flag(), "Show errors with their details", {
    default: "false",
    check: (value, { stage }) =>
      value === "true" && stage === "production"
        ? "is true in production, where it would show secrets to visitors"
        : undefined,
    example: "false",
  }),
  plain("APP_URL", type.url(), "The address that visitors use", {
    default: ({ stage, settings: { proxy, domains } }) => {
      const name = domains?.[0]?.name;
      if (name !== undefined) return name.startsWith("*.") ? undefined : `https://${name}`;
      return stage === "production" ? undefined : localUrl(proxy?.interface ?? "127.0.0.1", proxy?.port ?? 8080);
    },
    computed: "the first of `domains`; without any, the proxy's own address, and none in production",
    required: true,
    check: (value, { stage }) =>
      stage === "production" && !value.startsWith("https://")
        ? `is ${JSON.stringify(value)}, but production is reached by https`
        : undefined,
    example: "https://shop.example.com",
  }),
  plain("APP_LOCALE", type.word(), "The language"),
  plain(
    "LOG_CHANNEL",
    type.known("stderr", "stack", "single", "daily", "syslog", "errorlog", "slack", "papertrail", "null"),
    "Where Laravel logs; what stack, single and daily write to laravel.log goes to stderr, too, " +
      "which `./drydock logs` shows",
    {
      default: "stderr",
      warn: logWarning,
    },
  ),
  plain("LOG_STACK", type.words(), "The channels of LOG_CHANNEL=stack", {
    warn: (value, context) =>
      context.env["LOG_CHANNEL"] === "stack"
        ? value.split(",").flatMap((one) => logWarning(one.trim(), context) ?? [])[0]
        : undefined,
  }),
  plain(
    "LOG_LEVEL",
    type.oneOf("debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"),
    "The least level that is logged",
    { default: "info" },
  ),

  plain("DB_CONNECTION", type.databaseDriver(), "Laravel's database driver; without it Laravel takes SQLite", {
    required: true,
    check: (value, { settings }) =>
      value === "mariadb" && settings.database?.engine === "mysql"
        ? 'is "mariadb", but drydock:database.engine is "mysql"'
        : undefined,
    example: "mariadb",
    source: `${template}, incident 2`,
  }),
  plain("DB_HOST", type.line(), "The database's name in the stack's network, or the server of `database.external`", {
    ...placed("database", "host", "database"),
    source: `${template}, incident 11`,
  }),
  plain("DB_PORT", type.port(), "The database's port", {
    ...placed("database", "port", "3306"),
    source: template,
  }),
  plain("DB_DATABASE", type.identifier(64), "The database that is created for the application", {
    required: true,
    example: "laravel",
    source: template,
  }),
  plain("DB_USERNAME", type.identifier(32), "The user that is created for the application", {
    required: true,
    check: (value) => (value === "root" ? 'is "root", but the application needs a user of its own' : undefined),
    example: "laravel",
    source: template,
  }),
  secret("DB_PASSWORD", type.password(), "That user's password, at least 32 characters", {
    ...password,
    source: template,
  }),

  plain("REDIS_CLIENT", type.oneOf("phpredis"), "The PHP extension; the package predis has no place here", {
    default: "phpredis",
    source: "incident 5",
  }),
  plain(
    "MYSQL_ATTR_SSL_CA",
    type.line(),
    "The file with the certificates of who has signed the database's; Laravel's configuration reads it, " +
      "and then encrypts",
    {
      ...certificates("database"),
    },
  ),
  plain("REDIS_HOST", type.line(), "Redis's name in the stack's network, or the server of `redis.external`", {
    ...placed("redis", "host", "redis"),
    source: `${template}, incident 11`,
  }),
  plain(
    "REDIS_CACHE_HOST",
    type.line(),
    "The server of the cache alone; the stores of Laravel's cache use it by themselves",
    { ...cachePlace, source: "Drydock" },
  ),
  plain("REDIS_PORT", type.port(), "Redis's port", placed("redis", "port", "6379")),
  plain(
    "REDIS_SCHEME",
    type.oneOf("tls", "tcp"),
    "Whether Redis is spoken to in encryption; Drydock has Laravel's configuration do that",
    {
      default: ({ settings: { redis } }) => (redis?.external?.tls === true ? "tls" : undefined),
      computed: "tls where `redis.external` has it",
    },
  ),
  plain("REDIS_CAFILE", type.line(), "The file with the certificates of who has signed Redis's", {
    ...certificates("redis"),
    source: "Drydock",
  }),
  secret("REDIS_PASSWORD", type.password(), "Redis's password, at least 32 characters", {
    ...password,
    source: `${template}, incident 3`,
  }),
  plain(
    "QUEUE_CONNECTION",
    type.known("redis", "database", "sqs", "beanstalkd", "failover", "background", "deferred", "null", "sync"),
    "Where jobs wait",
    {
      default: "redis",
      warn: (value, { settings }) =>
        value === "sync" && settings.horizon?.enabled === true
          ? 'is "sync": each job is done while its visitor waits, and the queue workers have nothing to do ' +
            "(without them: drydock:horizon.enabled false)"
          : undefined,
      source: template,
    },
  ),
  ...Object.entries(RETRIES).map(([queue, name]) =>
    plain(
      name,
      type.seconds(),
      `After how long a job of the queue ${queue} is run again, as its worker must have died`,
      {
        default: ({ settings }) =>
          longestJob(settings) < LARAVELS_RETRY ? undefined : String(longestJob(settings) + 30),
        computed: "where a `longestJob` is 90 s or more, 30 s more than that; else Laravel's own, 90",
        source: "Laravel 11 and later",
      },
    ),
  ),
  plain(
    "CACHE_STORE",
    type.shared("redis", "database", "memcached", "dynamodb", "failover"),
    "Where the cache is (Laravel 11 and later)",
    {
      default: ({ env }) => env["CACHE_DRIVER"] ?? "redis",
      computed: "CACHE_DRIVER, else redis",
      source: template,
    },
  ),
  plain(
    "CACHE_DRIVER",
    type.shared("redis", "database", "memcached", "dynamodb"),
    "The same for Laravel 10 and earlier",
    {
      default: ({ env }) => env["CACHE_STORE"] ?? "redis",
      computed: "CACHE_STORE, else redis",
      check: (value, { env }) => (value !== (env["CACHE_STORE"] ?? value) ? "differs from CACHE_STORE" : undefined),
      source: template,
    },
  ),
  plain("SESSION_DRIVER", type.shared("redis", "database", "memcached", "dynamodb", "cookie"), "Where sessions are", {
    default: "redis",
    source: template,
  }),
  ...derived.map(([name, value, what]) => plain(name, type.word(), what, { default: value })),
  plain(
    "BROADCAST_CONNECTION",
    type.known("log", "null", "redis", "reverb", "pusher", "ably"),
    "How events reach browsers",
    {
      default: "log",
      warn: (value, { env, settings }) =>
        value === "reverb" && env["REVERB_HOST"] === undefined && !runs(settings, "reverb:start")
          ? 'is "reverb", but nothing runs `reverb:start`: add it to drydock:workers (see docs/settings.md), ' +
            "or set REVERB_HOST to a server elsewhere"
          : undefined,
    },
  ),
  plain("FILESYSTEM_DISK", type.word(), "The disk for files; what is on `public` is for everybody", {
    default: "local",
  }),
  plain(
    "RESET_OPCACHE",
    type.flag(),
    "For images whose own start script looks at it; Drydock proves OPcache in each release, " +
      "and resets it where it has old code",
    { default: "false", source: application },
  ),

  plain(
    "MAIL_MAILER",
    type.known(
      "log",
      "smtp",
      "ses",
      "ses-v2",
      "postmark",
      "resend",
      "mailgun",
      "sendmail",
      "array",
      "failover",
      "roundrobin",
    ),
    "How mail is sent; log only writes it down",
    { default: "log" },
  ),
  plain("MAIL_SCHEME", type.oneOf("smtp", "smtps"), "Whether SMTP starts with TLS"),
  plain("MAIL_HOST", type.host(), "The mail server"),
  plain("MAIL_PORT", type.port(), "The mail server's port"),
  plain("MAIL_USERNAME", type.line(), "The user at the mail server"),
  secret("MAIL_PASSWORD", type.line(), "That user's password"),
  plain("MAIL_FROM_ADDRESS", type.email(), "The sender's address"),
  plain("MAIL_FROM_NAME", type.line(), "The sender's name"),

  secret("AWS_ACCESS_KEY_ID", type.line(), "The S3 user's key id"),
  secret("AWS_SECRET_ACCESS_KEY", type.line(), "The S3 user's key"),
  plain("AWS_DEFAULT_REGION", type.word(), "The bucket's region"),
  plain("AWS_BUCKET", type.word(), "The bucket of the disk s3"),
  plain("AWS_URL", type.url(), "The address at which the bucket's files are public"),
  plain("AWS_ENDPOINT", type.url(), "The address of an S3 server other than Amazon's"),
  plain("AWS_USE_PATH_STYLE_ENDPOINT", type.flag(), "Whether the bucket's name is in the path"),

  plain("BACKUP_DISK", type.word(), "The disk of the application's own backups (local or s3)", { source: application }),
  plain("BACKUP_S3_BUCKET", type.word(), "Their bucket", { source: application }),
  plain("BACKUP_RETENTION_DAYS", type.days(), "How long they are kept", { source: application }),
  plain("BACKUP_NOTIFICATION_EMAIL", type.email(), "Who is told when one fails", { source: application }),

  plain("DRYDOCK_RELEASE", type.word(), "The release that a container belongs to", {
    setBy: "drydock",
    source: "Drydock",
  }),
];

/** What becomes of logs that are files: nobody reads them there. */
function logWarning(channel: string, { stack }: Context): string | undefined {
  const remedy =
    "`./drydock logs` shows what goes to stderr: pulumi config set --path drydock:env.LOG_CHANNEL stderr -s " +
    `${stack}`;
  if (channel === "syslog") return `needs a syslog daemon, and no container has one: what is logged is lost; ${remedy}`;
  return undefined;
}

/** Whether a worker's command has this word. */
function runs({ workers }: Context["settings"], word: string): boolean {
  return Object.values((workers ?? {}) as Record<string, { command?: unknown }>).some(
    ({ command }) => Array.isArray(command) && command.includes(word),
  );
}

function localUrl(address: string, port: number): string {
  const host = address === "0.0.0.0" || address === "::" ? "127.0.0.1" : address;
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
