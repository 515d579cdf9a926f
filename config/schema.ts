import { z } from "zod";
import { bucket } from "./bucket.ts";
import { address, argv, cpus, flag, globs, id, imageReference, integer, mebibytes, optional, path, port, preset, ranges, required, schedule, seconds, text } from "./fields.ts";
import { isPassword, passwordExpects, passwordGenerator } from "./variableTypes.ts";

const notEmpty = (value: string) => value.length > 0;

const engineAddress = /^(ssh:\/\/([\w.-]+@)?[\w.:[\]-]+|unix:\/\/\/[\w./-]+|tcp:\/\/[\w.[\]:-]+:\d+)$/;

const docker = z.strictObject({
  host: optional(
    text("ssh://user@host, unix:///path or tcp://host:port", (value) => engineAddress.test(value), "ssh://deploy@shop.example.com"),
    "The Docker engine to deploy to",
    "the local engine, or what `DOCKER_HOST` says",
  ),
  registry: optional(
    z.strictObject({
      address: required(text("the host of a registry, such as registry.example.com", (value) => /^[\w.-]+(:\d+)?$/.test(value), "registry.example.com"), "The registry's host"),
      username: required(text("a user name", notEmpty), "The user who may pull"),
      password: required(text("a password or token", notEmpty), "The password or token", { secret: true }),
    }).meta({ expects: "an object with address, username and password" }),
    "Credentials of the registry that the images are pulled from",
    "none: the images can be pulled by everybody",
  ),
});

const buildArguments = z
  .record(z.string().regex(/^[A-Za-z_]\w*$/), text("a text", () => true))
  .meta({ expects: "build arguments: names of letters, digits and underscores, with texts" });

const app = z.strictObject({
  image: optional(imageReference(), "The application's image; either this or `build`", "none: then `build` is required"),
  build: optional(
    z.strictObject({
      context: required(text("a folder, as a path from the project's root", notEmpty, "."), "The folder that is sent to the build, from the project's root"),
      dockerfile: preset(text("a path inside the context", notEmpty), "Dockerfile", "The Dockerfile, from the context"),
      args: preset(buildArguments, {}, "Build arguments; never a secret, for they stay in the image"),
    }).meta({ expects: "an object with context, and if needed dockerfile and args" }),
    "Build the application's image instead of pulling it",
    "none: then `image` is required",
  ),
  pinned: optional(imageReference(), "An earlier image that runs instead, until this is removed; `./drydock rollback` sets it", "none"),
  server: preset(z.enum(["fpm", "http"]).meta({ expects: '"fpm" (the image runs PHP-FPM) or "http" (it serves HTTP itself)' }), "fpm", "What the image serves"),
  port: optional(port(), "The port on which it serves", "9000 for fpm, 80 for http"),
  path: preset(path("an absolute path, such as /var/www/html", "/var/www/html"), "/var/www/html", "Where the application's code is in the image"),
  replicas: preset(integer(1, 100), 3, "How many replicas serve"),
  startTogether: preset(integer(0, 100), 5, "How many successors start at once in a release: more take memory and processors from those that serve; 0 means all"),
  healthPath: preset(text("a path that begins with /, such as /up", (value) => /^\/[\w./~%-]*$/.test(value), "/up"), "/up", "The path that answers 200 when a replica is healthy"),
  uid: preset(id(), 1000, "The user that Laravel runs as"),
  gid: preset(id(), 1000, "The group that Laravel runs as"),
  memory: preset(mebibytes(32), 256, "Memory limit of each replica"),
  cpus: preset(cpus(), 1, "Processor limit of each replica"),
  command: optional(argv(), "The command of a replica", '["php-fpm","-F"] for fpm, the image\'s own for http'),
  maxChildren: preset(integer(1, 1000), 10, "PHP-FPM's processes in each replica"),
  cache: preset(flag(), true, "Cache configuration, routes and views when a container starts"),
  stopTimeout: preset(seconds(), 30, "How long an old replica may finish its requests"),
  startTimeout: preset(seconds(), 60, "How long a replica may take to become healthy"),
});

const scheduler = z.strictObject({
  enabled: preset(flag(), true, "Run the scheduler (`schedule:work`), exactly one"),
  memory: preset(mebibytes(32), 192, "Memory limit"),
  cpus: preset(cpus(), 1, "Processor limit"),
  stopTimeout: preset(seconds(), 70, "How long a running task may finish"),
});

const horizon = z.strictObject({
  enabled: preset(flag(), true, "Run the queue workers"),
  command: preset(argv(), ["php", "artisan", "horizon"], "The command of the workers' container"),
  memory: preset(mebibytes(32), 256, "Memory limit"),
  cpus: preset(cpus(), 1, "Processor limit"),
  longestJob: preset(seconds(), 60, "The longest job; the old workers get 10 seconds more to finish"),
});

const migrate = z.strictObject({
  enabled: preset(flag(), true, "Run `migrate --force --isolated` in each release"),
  timeout: preset(seconds(), 600, "How long the migrations may take; then they are ended, and so is their lock"),
  breaking: optional(
    z.enum(["warn", "refuse"]).meta({ expects: '"warn" or "refuse"' }),
    "What is done with a migration that breaks the release which still serves",
    "`refuse`; on a local stack `warn`",
  ),
});

const database = z.strictObject({
  engine: preset(z.enum(["mariadb", "mysql"]).meta({ expects: '"mariadb" or "mysql"' }), "mariadb", "The database server"),
  image: required(imageReference(), "The database server's image"),
  uid: preset(id(), 999, "The user that it runs as"),
  gid: preset(id(), 999, "The group that it runs as"),
  memory: preset(mebibytes(128), 512, "Memory limit"),
  cpus: preset(cpus(), 1, "Processor limit"),
  bufferPool: preset(mebibytes(8), 128, "InnoDB's buffer pool, below the memory limit"),
  rootPassword: required(text(passwordExpects, isPassword), "The password of the server's root", { secret: true, generator: passwordGenerator }),
  binlogDays: preset(integer(1, 99, "days"), 7, "How long the binary log is kept"),
  stopTimeout: preset(seconds(), 60, "How long the server may take to stop"),
});

const redis = z.strictObject({
  image: required(imageReference(), "Redis's image, of 6.2 or later"),
  uid: preset(id(), 999, "The user that it runs as"),
  gid: preset(id(), 999, "The group that it runs as"),
  memory: preset(mebibytes(32), 192, "Memory limit"),
  maxmemory: preset(mebibytes(1), 128, "What Redis may store, below the memory limit"),
  cpus: preset(cpus(), 0.5, "Processor limit"),
  stopTimeout: preset(seconds(), 30, "How long Redis may take to write its data and stop"),
});

/** What the proxy answers with unless `proxy.headers` says otherwise. */
export const defaultHeaders: Readonly<Record<string, string>> = {
  "X-Frame-Options": "SAMEORIGIN",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "strict-origin-when-cross-origin",
};

const headers = z.record(
  z.string().regex(/^[A-Za-z][A-Za-z0-9-]*$/),
  // nginx reads `$` as the start of a variable, and has no way to escape it.
  text("a header's value in one line, without $", (value) => !/[\u0000-\u001f\u007f$]/.test(value)),
).meta({ expects: "headers: names of letters, digits and hyphens, with values in one line, without $" });

const proxy = z.strictObject({
  image: required(imageReference(), "nginx's image"),
  uid: preset(id(), 101, "The user that it runs as"),
  gid: preset(id(), 101, "The group that it runs as"),
  port: preset(port(), 8080, "The published port"),
  interface: preset(address(), "127.0.0.1", "The address on which the port is published"),
  uploadLimit: preset(integer(1, 10_240, "MiB"), 32, "The largest request body"),
  timeout: preset(seconds(3600), 60, "How long the application may take to answer"),
  gzip: preset(flag(), true, "Compress answers"),
  trustedProxies: preset(ranges(), [], "Proxies in front, whose X-Forwarded-For is believed"),
  headers: preset(headers, {}, "Response headers, added to the security headers below; an empty value removes one"),
  memory: preset(mebibytes(16), 128, "Memory limit"),
  cpus: preset(cpus(), 0.5, "Processor limit"),
});

const hook = (when: string) =>
  optional(
    z.strictObject({
      command: required(argv(), "The command, run in the backup container"),
      timeout: preset(seconds(), 60, "How long it may take"),
    }).meta({ expects: "an object with command, and if needed timeout" }),
    `A command that runs ${when}; where it fails, so does the backup`,
    "none",
  );

const secretText = (description: string) => text(passwordExpects, isPassword).optional().meta({ description, secret: true, generator: passwordGenerator, computed: "**required** where `enabled`" });
const mailAddress = () => text("an e-mail address", (value) => /^[^\s@<>]+@[^\s@<>]+$/.test(value), "ops@example.com");
const url = () => text("an address that begins with https:// or http://", (value) => URL.canParse(value) && /^https?:/.test(value), "https://hooks.example.com/backup");

const alarms = z.strictObject({
  email: optional(
    z.strictObject({
      to: required(mailAddress(), "Who is told"),
      from: required(mailAddress(), "Who it comes from"),
      host: required(text("a host name", notEmpty, "smtp.example.com"), "The mail server"),
      port: preset(port(), 587, "Its port"),
      security: preset(z.enum(["tls", "starttls", "none"]).meta({ expects: '"tls", "starttls" or "none"' }), "starttls", "How the connection is encrypted"),
      username: optional(text("a user name", notEmpty), "The user on the mail server", "none"),
      password: text("a password", notEmpty).optional().meta({ description: "The password there", secret: true, computed: "none" }),
    }).meta({ expects: "an object with to, from and host" }),
    "Mail for each alarm and its end, and for each backup",
    "none",
  ),
  webhook: url().optional().meta({ description: "An address that gets the same as JSON, by POST", secret: true, computed: "none" }),
});

const s3 = z.strictObject({
  bucket: required(text("a bucket's name", (value) => /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(value), "shop-backups"), "The bucket"),
  region: required(text("a region, such as eu-central-1", (value) => /^[a-z0-9-]+$/.test(value), "eu-central-1"), "Its region"),
  prefix: preset(text("nothing, or a path that ends with /", (value) => /^([\w.-]+\/)*$/.test(value)), "", "Before the name of each object"),
  endpoint: optional(url(), "Where it isn't Amazon's", "Amazon S3 of the region"),
  accessKeyId: optional(text("an access key's id", notEmpty), "The access key", "the machine's own role"),
  secretAccessKey: text("a secret access key", notEmpty).optional().meta({ description: "Its secret", secret: true, computed: "the machine's own role" }),
});

const backup = z.strictObject({
  enabled: preset(flag(), true, "Back up, restore each backup to prove it, and keep the binary log for points in time"),
  image: optional(imageReference(), "The image of the backup agent", "**required** where `enabled`"),
  memory: preset(mebibytes(384), 512, "Memory limit of the agent"),
  cpus: preset(cpus(), 1, "Processor limit of the agent"),
  restoreMemory: preset(mebibytes(256), 768, "Memory limit of the container in which backups are restored"),
  restoreCpus: preset(cpus(), 1, "Processor limit of that container"),
  key: secretText("The repository's key: without it no backup can be read, so keep a copy elsewhere"),
  databasePassword: secretText("The password of the database account `drydock_backup`"),
  token: secretText("What the agent shows to the container in which it restores"),
  type: preset(z.enum(["full", "db", "files", "incremental"]).meta({ expects: '"full", "db", "files" or "incremental"' }), "full", "What the daily backup holds"),
  schedule: preset(schedule("0 2 * * *"), "0 2 * * *", "When a backup is made (UTC)"),
  healthSchedule: preset(schedule("0 1 * * 0"), "0 1 * * 0", "When the whole repository is checked (UTC)"),
  cleanupSchedule: preset(schedule("0 3 1 * *"), "0 3 1 * *", "When backups past their time are removed (UTC)"),
  include: preset(globs(), ["."], "What of Laravel's storage/app is backed up, from there"),
  exclude: preset(globs(), [".drydock-*", "**/cache/**", "**/tmp/**", "*.log", "livewire-tmp"], "What of it is left out, as restic reads patterns"),
  physical: preset(flag(), true, "MariaDB: copy the server's files instead of dumping tables, so that a restore takes as long as the disk"),
  keepRestored: preset(flag(), true, "Leave the files that the proof of the newest backup has restored, where there is room for them once more: a restore copies them. They are as large as the database, and not encrypted"),
  localDays: preset(integer(1, 3650, "days"), 7, "How long backups are kept on the Docker host"),
  s3Days: preset(integer(1, 3650, "days"), 30, "How long they are kept in S3"),
  maxAge: preset(integer(1, 8760, "hours"), 26, "An alarm is raised when the newest verified backup is older"),
  binlogInterval: preset(integer(1, 5, "seconds"), 5, "How often what is new in the binary log is put into the repository"),
  pre: hook("before a backup"),
  post: hook("after a backup"),
  validate: hook("when a backup has been restored"),
  alarms: alarms.prefault({}).meta({ description: "Who is told when something is wrong", expects: "an object with email or webhook" }),
  s3: optional(s3.meta({ expects: "an object with bucket and region" }), "A second place for every backup", "none"),
});

const verify = z.strictObject({
  requests: preset(integer(1, 10_000), 20, "Requests through the proxy that must succeed after a release"),
});

const logs = z.strictObject({
  maxSize: preset(integer(1, 10_240, "MiB"), 10, "Size of one log file of a container"),
  maxFiles: preset(integer(1, 100), 3, "Log files kept for each container"),
});

/** The groups of settings, in the order of the stack files. */
export const groups = { docker, app, scheduler, horizon, migrate, database, redis, proxy, backup, verify, logs, bucket };

/** A whole stack's configuration, strict: what it does not name is an error. */
export const settingsSchema = z.strictObject({
  docker: docker.prefault({}).meta({ description: "Where to deploy, and where the images come from" }),
  app: app
    .transform((app) => ({
      ...app,
      port: app.port ?? (app.server === "fpm" ? 9000 : 80),
      command: app.command ?? (app.server === "fpm" ? ["php-fpm", "-F"] : undefined),
    }))
    .prefault({})
    .meta({ description: "The Laravel application's replicas" }),
  scheduler: scheduler.prefault({}).meta({ description: "Laravel's scheduler" }),
  horizon: horizon.prefault({}).meta({ description: "The queue workers" }),
  migrate: migrate.prefault({}).meta({ description: "The database migrations of a release" }),
  database: database.prefault({} as never).meta({ description: "MariaDB or MySQL" }),
  redis: redis.prefault({} as never).meta({ description: "Redis: cache, sessions and queues" }),
  proxy: proxy
    .transform((proxy) => ({ ...proxy, headers: Object.fromEntries(Object.entries({ ...defaultHeaders, ...proxy.headers }).filter(([, value]) => value !== "")) }))
    .prefault({} as never)
    .meta({ description: "nginx, the only container with a published port" }),
  backup: backup.prefault({}).meta({ description: "Backups, their proof and points in time" }),
  verify: verify.prefault({}).meta({ description: "What proves a release" }),
  logs: logs.prefault({}).meta({ description: "Docker's log files" }),
  bucket: bucket.prefault({}).meta({ description: "The S3 bucket for backups: see docs/backups.md" }),
  env: z
    .record(z.string(), z.string())
    .prefault({})
    .meta({ description: "Variables for Laravel: see docs/environment.md; the user's own as well" }),
});

/** A stack's settings with all defaults filled in. Holds secrets: those of config/secrets.ts. */
export type Settings = DeepReadonly<z.output<typeof settingsSchema>>;

/** The parts of the settings that the rules of single variables look at. */
export type SettingsWithoutEnv = Omit<Settings, "env">;

type DeepReadonly<T> = T extends (infer E)[] ? readonly DeepReadonly<E>[] : T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;
