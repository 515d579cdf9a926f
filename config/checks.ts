import { defined } from "../lib/defined.ts";
import { checkAlarms } from "./alarms.ts";
import { checkCapacity } from "./capacity.ts";
import { checkDomains, warnOfDomains } from "./domains.ts";
import type { Found, LenientSettings } from "./found.ts";
import { checkMonitoring } from "./monitoring.ts";
import { type Problem, removeCommand, secretCommand, setCommand } from "./problems.ts";
import { hasCacheServer } from "./schema/redis.ts";
import { checkServerOptions } from "./serverOptions.ts";
import { stageOf } from "./stage.ts";
import { checkTransport } from "./transport.ts";
import { passwordExpects, passwordGenerator } from "./variableTypes.ts";
import { checkWeb, warnOfWeb } from "./webChecks.ts";

/** The rules between settings, and those that depend on the stage. */
export function checkTogether(settings: LenientSettings, env: Readonly<Record<string, string>>, stack: string): Found {
  const { app, database, redis, backup, bucket } = settings;
  const stage = stageOf(stack, env["APP_ENV"]);
  const problems: Problem[] = [];
  const add = (path: string, message: string, remedy?: string) =>
    problems.push({ path: `drydock:${path}`, message, ...defined({ remedy }) });
  const set = (path: string, value: string) => setCommand(`drydock:${path}`, value, stack);

  if (app?.image !== undefined && app.build !== undefined)
    add(
      "app.image",
      "is set together with drydock:app.build: expected one of them",
      removeCommand("drydock:app.build", stack),
    );
  if (app !== undefined && "image" in app && "build" in app && app.image === undefined && app.build === undefined)
    add(
      "app.image",
      "is missing: expected the application's image, or drydock:app.build to build it",
      set("app.image", "registry.example.com/shop:1.4"),
    );
  if (app?.build !== undefined && stage === "production")
    add(
      "app.build",
      "is set in production, which runs only images that were built and tested before",
      removeCommand("drydock:app.build", stack),
    );

  const images: (readonly [string, string | undefined])[] = [
    // Of every group that has some.
    ...Object.entries(settings as Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>).flatMap(
      ([group, one]) =>
        ["image", "pinned"].map((key) => [`${group}.${key}`, one?.[key] as string | undefined] as const),
    ),
    ...Object.entries(settings.monitoring?.images ?? {}).map(
      ([part, image]) => [`monitoring.images.${part}`, image] as const,
    ),
    ...Object.entries(settings.services ?? {}).map(
      ([name, service]) => [`services.${name}.image`, service?.image] as const,
    ),
  ];
  for (const name of Object.keys(settings.services ?? {})) {
    if (settings.workers?.[name] !== undefined)
      add(
        `services.${name}`,
        `and drydock:workers.${name} have one name, which is that of a host inside the stack: expected two`,
      );
  }
  for (const [path, image] of images) {
    const problem = image === undefined || stage === "local" ? undefined : unpinned(image, stage === "production");
    if (problem !== undefined)
      add(
        path,
        `is ${JSON.stringify(image)}, ${problem}`,
        set(path, `${image!.replace(/(:[\w.-]+)?$/, "")}@sha256:DIGEST`),
      );
  }

  // Only what is right by itself: a wrong one has its problem already.
  const needs = (path: string, group: object | undefined, key: string, expects: string, remedy: string) => {
    if (group !== undefined && key in group && (group as Record<string, unknown>)[key] === undefined)
      add(path, `is missing, expected ${expects}`, remedy);
  };
  const reference = "registry.example.com/shop:1.4";
  if (database?.external === undefined) {
    needs(
      "database.image",
      database,
      "image",
      `an image reference, such as ${reference}`,
      set("database.image", reference),
    );
    needs(
      "database.rootPassword",
      database,
      "rootPassword",
      passwordExpects,
      secretCommand("drydock:database.rootPassword", passwordGenerator, stack),
    );
  }
  if (redis?.external === undefined || hasCacheServer(redis))
    needs("redis.image", redis, "image", `an image reference, such as ${reference}`, set("redis.image", reference));

  if (backup?.enabled === true) {
    const secret = (path: string) => secretCommand(`drydock:${path}`, passwordGenerator, stack);
    if ("image" in backup && backup.image === undefined)
      add(
        "backup.image",
        "is missing: expected the image of the backup agent",
        set("backup.image", "registry.example.com/shop/backup:1.0"),
      );
    // An external server has no account for the agent but the application's.
    for (const name of [
      "key",
      ...(database?.external === undefined ? ["databasePassword" as const] : []),
      "token",
    ] as const)
      if (name in backup && backup[name] === undefined)
        add(`backup.${name}`, `is missing, expected ${passwordExpects}`, secret(`backup.${name}`));
    const { s3 } = backup;
    if (s3 !== undefined && (s3.accessKeyId === undefined) !== (s3.secretAccessKey === undefined))
      add(
        "backup.s3.accessKeyId",
        "and drydock:backup.s3.secretAccessKey go together: expected both, or none",
        removeCommand("drydock:backup.s3.accessKeyId", stack),
      );
    const byRole =
      s3 !== undefined
        ? s3.endpoint === undefined && s3.accessKeyId === undefined
        : bucket?.name !== undefined && bucket.identity === "policy";
    if (byRole && backup.hostRole === false) {
      add(
        s3 !== undefined ? "backup.s3.accessKeyId" : "bucket.identity",
        "has the agent write with the Docker host's role, which every container has that reaches out, " +
          "Laravel's too: whoever " +
          "breaks into the application can read, hide and overwrite all backups. Expected a key for the agent, " +
          "or your word that you accept it",
        set("backup.hostRole", "true"),
      );
    }
  }

  const host = settings.docker?.host;
  if (host !== undefined && isOpenToAll(host))
    add(
      "docker.host",
      `is ${host}, without TLS: the secrets go over it in clear, and whoever reaches that port is root of the host`,
      `${set("docker.host", "ssh://deploy@shop.example.com")}\n` +
        "or TLS: export DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH=FOLDER (ca.pem, cert.pem, key.pem)",
    );

  checkWeb(settings, add, set);
  checkDomains(settings, env, stack, add);
  below("database.bufferPool", database?.bufferPool, database?.memory);
  below("redis.maxmemory", redis?.maxmemory, redis?.memory);
  below("redis.cache.maxmemory", redis?.cache?.maxmemory, redis?.cache?.memory);
  if (bucket?.name !== undefined) {
    if ("region" in bucket && bucket.region === undefined)
      add(
        "bucket.region",
        "is missing: the bucket of drydock:bucket.name needs one",
        set("bucket.region", "eu-central-1"),
      );
    const { infrequentAfter = 0, coldAfter = 0, laravelDays = 0, retentionDays = 0 } = bucket;
    if (coldAfter > 0 && coldAfter < infrequentAfter + 30)
      add(
        "bucket.coldAfter",
        `is ${coldAfter}, less than 30 days after drydock:bucket.infrequentAfter (${infrequentAfter}): S3 refuses that`,
        set("bucket.coldAfter", String(infrequentAfter + 30)),
      );
    if (backup?.enabled === true && backup.s3 === undefined && retentionDays < (backup.s3Days ?? 0))
      add(
        "bucket.retentionDays",
        `is ${retentionDays}, less than drydock:backup.s3Days (${backup.s3Days}) promises`,
        set("bucket.retentionDays", String(backup.s3Days)),
      );
    if (laravelDays < retentionDays)
      add(
        "bucket.laravelDays",
        `is ${laravelDays}, before drydock:bucket.retentionDays (${retentionDays})`,
        set("bucket.laravelDays", String(retentionDays)),
      );
    if (bucket.replica !== undefined && bucket.replica.region === bucket.region)
      add("bucket.replica.region", `is ${bucket.region}, where the bucket is: expected another region`);
    if (bucket.replica !== undefined && (bucket.kmsKey === undefined) !== (bucket.replica.kmsKey === undefined))
      add(
        "bucket.replica.kmsKey",
        "is expected where drydock:bucket.kmsKey is set, and only there: S3 can't copy between the two kinds of " +
          "encryption here",
      );
  }
  const more = [
    checkServerOptions(settings, stack),
    checkTransport(settings, stage, stack),
    checkAlarms(settings, stage, stack),
    checkMonitoring(settings, stage, stack),
    checkCapacity(settings, env, stack),
    warnOfWeb(settings, stack),
  ];
  return {
    problems: [...problems, ...more.flatMap((found) => found.problems)],
    warnings: [...more.flatMap((found) => found.warnings), ...warnOfDomains(settings)],
  };

  function below(path: string, value: number | undefined, limit: number | undefined) {
    if (value !== undefined && limit !== undefined && value >= limit)
      add(
        path,
        `is ${value} MiB, but the container may use ${limit} MiB: expected less, for the server needs some itself`,
        set(path, String(Math.floor(limit / 2))),
      );
  }
}

/** A port of another machine without TLS, which is asked for as the docker client is. */
export function isOpenToAll(host: string, env: NodeJS.ProcessEnv = process.env): boolean {
  const name = /^tcp:\/\/(\[[^\]]*\]|[^:/]*)/.exec(host)?.[1];
  const here = name !== undefined && /^(localhost|127\.[\d.]+|\[::1\])$/.test(name);
  return name !== undefined && !here && (env.DOCKER_TLS_VERIFY ?? "") === "";
}

/** Why a reference could mean another image tomorrow, or undefined. */
function unpinned(image: string, digest: boolean): string | undefined {
  if (image.includes("@sha256:")) return undefined;
  if (image.startsWith("sha256:")) return "the id of an image on one machine: expected a registry's image";
  if (digest) return "a tag can be moved: expected a digest (@sha256:…) in production";
  const tag = /:([\w][\w.-]*)$/.exec(image.slice(image.lastIndexOf("/") + 1))?.[1];
  return tag === undefined || tag === "latest"
    ? "which means another image each time: expected a version's tag or a digest"
    : undefined;
}
