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
  const names = commands.flatMap((words) => words.flatMap((word, index) => queuesIn(word, words[index + 1])));
  return [...new Set(names.flatMap((list) => list.split(",")))].filter((name) => name !== "");
}

/** Lists of queues in a word of a command; or in the next one; or in what a shell is given to run. */
function queuesIn(word: string, next: string | undefined): string[] {
  if (word === "--queue") return next === undefined ? [] : [next];
  if (word.startsWith("--queue=")) return [word.slice("--queue=".length)];
  const given = word.matchAll(/\s--queue[=\s]\s*("[^"]*"|'[^']*'|[^\s"'`;|&<>()]+)/g);
  return [...given].map(([, list = ""]) => list.replace(/^(["'])(.*)\1$/s, "$2")).filter((list) => !list.includes("$"));
}
