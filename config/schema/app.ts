import { z } from "zod";
import {
  argv,
  cpus,
  flag,
  id,
  imageReference,
  integer,
  list,
  mebibytes,
  notEmpty,
  optional,
  path,
  port,
  preset,
  required,
  seconds,
  text,
} from "../fields.ts";
import { isSecretName } from "../secretLike.ts";

const buildArguments = z
  .record(
    z.string().refine((name) => /^[A-Za-z_]\w*$/.test(name) && !isSecretName(name)),
    text("a text", () => true),
  )
  .meta({
    expects:
      "build arguments: names of letters, digits and underscores, with texts; " +
      "what is secret belongs in drydock:app.build.secrets",
  });

/** Where a secret of a build is; what it says is read when the image is built, and kept nowhere. */
const buildSecret = z
  .strictObject({
    file: optional(
      text("a file, as a path from the project's root", notEmpty),
      "The file that holds it, such as auth.json",
    ),
    env: optional(
      text("the name of a variable", (value) => /^[A-Za-z_]\w*$/.test(value)),
      "The variable that holds it where `./drydock up` runs",
    ),
  })
  .refine(({ file, env }) => (file === undefined) !== (env === undefined))
  .meta({ expects: "an object with file or env" });

const buildSecrets = z
  .record(z.string().regex(/^[\w.-]+$/), buildSecret)
  .meta({ expects: "secrets by the id that the Dockerfile mounts, each an object with file or env" });

const build = z.strictObject({
  context: required(
    text("a folder, as a path from the project's root", notEmpty, "."),
    "The folder that is sent to the build, from the project's root",
  ),
  dockerfile: preset(text("a path inside the context", notEmpty), "Dockerfile", "The Dockerfile, from the context"),
  args: preset(buildArguments, {}, "Build arguments; never a secret, for they stay in the image"),
  target: optional(
    text("the name of a stage", (value) => /^[\w.-]+$/.test(value)),
    "The stage of the Dockerfile to build",
    "the last one",
  ),
  platform: optional(
    text("a system and processor, such as linux/amd64", (value) => /^[a-z0-9]+\/[a-z0-9]+(\/[a-z0-9]+)?$/.test(value)),
    "What to build for",
    "the Docker host's own",
  ),
  secrets: preset(
    buildSecrets,
    {},
    "Secrets that the Dockerfile mounts (`RUN --mount=type=secret,id=…`): they are neither in the image nor in " +
      "Pulumi's state; needs BuildKit",
  ),
  ssh: preset(
    flag(),
    false,
    "Let the Dockerfile use this machine's ssh agent (`RUN --mount=type=ssh`); needs BuildKit",
  ),
  cacheFrom: preset(
    list(
      text("an image or a cache, as --cache-from takes it", notEmpty),
      'a list of images or caches, such as ["registry.example.com/shop:cache"]',
      '["registry.example.com/shop:cache"]',
    ),
    [],
    "Where layers may be taken from",
  ),
  cacheTo: optional(text("a cache, as --cache-to takes it", notEmpty), "Where layers are kept; needs BuildKit"),
});

/**
 * A folder that could be kept: relative to the application's, and not one that a release makes or that is kept anyway.
 */
const isFolder = (path: string): boolean =>
  /^[\w.+-]+(\/[\w.+-]+)*$/.test(path) &&
  !path.split("/").some((part) => part === "." || part === "..") &&
  !/^(storage|public|vendor|public\/storage|(storage\/(app|framework|logs)|bootstrap)(\/.*)?)$/.test(path);

const persistent = z
  .record(
    z.string().refine(isFolder),
    z
      .strictObject({
        visibility: optional(
          z.enum(["public", "private"]).meta({ expects: '"public" (nginx serves it) or "private"' }),
          "Whether nginx serves what is in it, under its path in public/",
          "`public` for a folder in public/, else `private`",
        ),
        backup: preset(flag(), true, "Whether it is in the backups; `false` says that it can be lost"),
      })
      .meta({ expects: "an object, which may be empty" }),
  )
  .transform((folders) =>
    Object.fromEntries(
      Object.entries(folders).map(([path, { visibility, backup }]) => [
        path,
        { visibility: visibility ?? (path.startsWith("public/") ? ("public" as const) : ("private" as const)), backup },
      ]),
    ),
  )
  .meta({
    expects:
      "folders, as paths from the application's folder, such as public/uploads; what is in storage/app is kept anyway",
  });

/** What a release relies on, or what another setting says. */
const decided = new RegExp(
  "^(display_(startup_)?errors|log_errors|upload_max_filesize|post_max_size|upload_tmp_dir|" +
    String.raw`opcache\.validate_timestamps)$`,
  "i",
);

const php = z
  .record(
    z.string().refine((name) => /^[A-Za-z_][\w.-]*$/.test(name) && !decided.test(name)),
    text('a text in one line, without " and ${', (value) => !/["\u0000-\u001f\u007f]|\$\{|\\$/.test(value)),
  )
  .meta({
    expects:
      "PHP's settings, such as memory_limit; not display_errors, log_errors, " +
      "upload_tmp_dir and opcache.validate_timestamps, which a " +
      "release relies on, nor upload_max_filesize and post_max_size: set drydock:proxy.uploadLimit",
  });

/** The application's replicas. */
export const app = z.strictObject({
  image: optional(
    imageReference(),
    "The application's image; either this or `build`",
    "none: then `build` is required",
  ),
  build: optional(
    build.meta({
      expects:
        "an object with context, and if needed dockerfile, args, target, platform, secrets, ssh, cacheFrom and cacheTo",
    }),
    "Build the application's image instead of pulling it",
    "none: then `image` is required",
  ),
  pinned: optional(
    imageReference(),
    "An earlier image that runs instead, until this is removed; `./drydock rollback` sets it",
    "none",
  ),
  server: preset(
    z.enum(["fpm", "http"]).meta({ expects: '"fpm" (the image runs PHP-FPM) or "http" (it serves HTTP itself)' }),
    "fpm",
    "What the image serves",
  ),
  port: optional(port(), "The port on which it serves", "9000 for fpm, 80 for http"),
  path: preset(
    path("an absolute path, such as /var/www/html", "/var/www/html"),
    "/var/www/html",
    "Where the application's code is in the image",
  ),
  php: preset(
    php,
    {},
    "PHP's settings in all containers, in FPM and on the command line alike: `memory_limit`, `max_execution_time`, " +
      "`date.timezone`, `opcache.memory_consumption`, …",
  ),
  persistent: preset(
    persistent,
    {},
    "Further folders that are the same in all containers and outlive a release, beside storage/app: " +
      "`public/uploads`, `storage/uploads`; each is a volume",
  ),
  assetDays: preset(
    integer(0, 3650, "days"),
    7,
    "How long public files of earlier releases that have a hash in their name stay, for pages that were loaded before",
  ),
  replicas: preset(integer(1, 100), 3, "How many replicas serve"),
  startTogether: preset(
    integer(0, 100),
    5,
    "How many successors start at once in a release: more take memory and processors from those that serve; 0 means " +
      "all",
  ),
  healthPath: preset(
    text("a path that begins with /, such as /up", (value) => /^\/[\w./~%-]*$/.test(value), "/up"),
    "/up",
    "The path that answers 200 when a replica is healthy",
  ),
  uid: preset(id(), 1000, "The user that Laravel runs as"),
  gid: preset(id(), 1000, "The group that Laravel runs as"),
  memory: preset(mebibytes(32), 512, "Memory limit of each replica"),
  cpus: preset(cpus(), 1, "Processor limit of each replica"),
  command: optional(argv(), "The command of a replica", '["php-fpm","-F"] for fpm, the image\'s own for http'),
  maxChildren: preset(integer(1, 1000), 8, "PHP-FPM's processes in each replica"),
  cache: preset(flag(), true, "Cache configuration, routes and views when a container starts"),
  stopTimeout: preset(seconds(), 30, "How long an old replica may finish its requests"),
  startTimeout: preset(seconds(), 60, "How long a replica may take to become healthy"),
});
