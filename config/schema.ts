import { z } from "zod";
import { bucket } from "./bucket.ts";
import { alarms } from "./schema/alarms.ts";
import { app } from "./schema/app.ts";
import { horizon, scheduler, workers } from "./schema/background.ts";
import { backup } from "./schema/backup.ts";
import { database } from "./schema/database.ts";
import { docker } from "./schema/docker.ts";
import { domains } from "./schema/domains.ts";
import { edge } from "./schema/edge.ts";
import { migrate } from "./schema/migrate.ts";
import { monitoring } from "./schema/monitoring.ts";
import { defaultHeaders, proxy } from "./schema/proxy.ts";
import { redis } from "./schema/redis.ts";
import { limits, logs, verify } from "./schema/release.ts";
import { services } from "./schema/services.ts";

/** The groups of settings, in the order of the stack files. */
export const groups = {
  docker,
  app,
  scheduler,
  horizon,
  workers,
  services,
  migrate,
  database,
  redis,
  proxy,
  domains,
  backup,
  alarms,
  monitoring,
  verify,
  limits,
  logs,
  bucket,
  edge,
};

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
  horizon: horizon.prefault({}).meta({ description: "Horizon, which runs the queue workers" }),
  workers: workers.prefault({}).meta({
    description:
      "More processes of the application's image: queue workers, Reverb, Inertia's server-side rendering, " +
      "any command; released as Horizon is",
  }),
  services: services.prefault({}).meta({
    description:
      "Containers that the application needs besides database and Redis, such as Meilisearch, Mailpit or Gotenberg",
  }),
  migrate: migrate.prefault({}).meta({ description: "The database migrations of a release" }),
  database: database.prefault({} as never).meta({ description: "MariaDB or MySQL" }),
  redis: redis.prefault({} as never).meta({ description: "Redis: cache, sessions and queues" }),
  proxy: proxy
    .transform((proxy) => ({
      ...proxy,
      headers: Object.fromEntries(
        Object.entries({ ...defaultHeaders, ...proxy.headers }).filter(([, value]) => value !== ""),
      ),
    }))
    .prefault({} as never)
    .meta({
      description:
        "nginx; the only container with a published port, or with none where the machine's edge takes visitors in",
    }),
  domains: domains.prefault([]).meta({
    description: "The names that visitors use, where the machine's edge takes them in: see docs/domains.md",
  }),
  backup: backup.prefault({}).meta({ description: "Backups, their proof and points in time" }),
  alarms: alarms.prefault({}).meta({ description: "Who is told when something is wrong, and when it is over" }),
  monitoring: monitoring
    .prefault({})
    .meta({ description: "Numbers, and alerts that are raised from them: see docs/monitoring.md" }),
  verify: verify.prefault({}).meta({ description: "What proves a release" }),
  limits: limits.prefault({}).meta({ description: "What each container may use, whatever it is for" }),
  logs: logs.prefault({}).meta({ description: "Docker's log files" }),
  bucket: bucket.prefault({}).meta({ description: "The S3 bucket for backups: see docs/backups.md" }),
  edge: edge.prefault({}).meta({
    description: "The edge of a machine, which has a stack of its own with nothing but this: see docs/domains.md",
  }),
  env: z
    .record(z.string(), z.string())
    .prefault({})
    .meta({ description: "Variables for Laravel: see docs/environment.md; the user's own as well" }),
});

/** A stack's settings with all defaults filled in. Holds secrets: those of config/secrets.ts. */
export type Settings = DeepReadonly<z.output<typeof settingsSchema>>;

/** The parts of the settings that the rules of single variables look at. */
export type SettingsWithoutEnv = Omit<Settings, "env">;

type DeepReadonly<T> = T extends (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;
