import { hasCacheServer } from "../../config/schema/redis.ts";
import type { Settings } from "../../config/settings.ts";
import type { CollectorSettings } from "../../contracts/monitoring.ts";

/** The settings that the collector depends on. */
export type Collected = Pick<
  Settings,
  "app" | "horizon" | "scheduler" | "workers" | "services" | "database" | "redis" | "backup" | "domains" | "monitoring"
>;

/** The collector's settings: no secret, and nothing that a release changes. */
export function collectorSettings(stack: string, url: string, settings: Collected): CollectorSettings {
  const { app, horizon, scheduler, domains, monitoring } = settings;
  return {
    stack,
    interval: monitoring.interval,
    roles: rolesOf(settings),
    docker: monitoring.containers,
    site: { host: new URL(url).hostname, path: app.healthPath },
    ...(app.server === "fpm"
      ? {
          fpm: {
            path: app.path,
            maxChildren: app.maxChildren,
            queues: queuesOf(settings),
            // Another command in its place has no master.
            horizon: horizon.enabled && horizon.command.includes("horizon"),
            scheduler: scheduler.enabled,
          },
        }
      : {}),
    domains: domains.map(({ name }) => name).filter((name) => !name.startsWith("*")),
  };
}

/** Roles of which there always is a container. */
function rolesOf({ horizon, scheduler, workers, services, database, redis, backup }: Collected): string[] {
  const roles = {
    app: true,
    horizon: horizon.enabled,
    scheduler: scheduler.enabled,
    worker: Object.keys(workers).length > 0,
    service: Object.keys(services).length > 0,
    proxy: true,
    database: database.external === undefined,
    redis: redis.external === undefined,
    cache: hasCacheServer(redis),
    backup: backup.enabled,
    restore: backup.enabled,
  };
  return Object.entries(roles).flatMap(([role, there]) => (there ? [role] : []));
}

/** The queues that workers are told to take jobs from. */
function queuesOf({ horizon, workers }: Pick<Collected, "horizon" | "workers">): string[] {
  const commands = [horizon.command, ...Object.values(workers).map(({ command }) => command)];
  const names = commands.flatMap((words) =>
    words.flatMap((word) => /^--queue=(.+)$/.exec(word)?.[1]?.split(",") ?? []),
  );
  return [...new Set(names)];
}
