import { z } from "zod";
import type { Facts } from "../config/facts.ts";
import { LARAVEL, LASTING, ROLES, type Role } from "../config/roles.ts";
import { type Stage, stageByName, stageOf, stages } from "../config/stage.ts";

export { LARAVEL, LASTING, ROLES, type Role };

// A word of the name: `shop-app-1` has `app`, `mapper` has not.
const word = (...words: readonly string[]): string => `(^|[-_.])(${words.join("|")})([0-9]*)([-_.]|$)`;

/**
 * Tried in this order on a container's name when it carries no label: `db-backup` is a backup, `app-scheduler` a
 * scheduler.
 */
const BY_NAME: Readonly<Record<Role, string>> = {
  reader: "^backup-service-",
  backup: word("backup", "backups"),
  restore: word("restore"),
  migrate: word("migrate", "migrator", "migration", "migrations"),
  scheduler: word("scheduler", "schedule", "cron"),
  horizon: word("horizon"),
  worker: word("queue", "worker", "workers", "reverb"),
  database: word("db", "database", "mysql", "mariadb", "postgres", "postgresql", "pgsql"),
  cache: word("redis-cache", "valkey-cache"),
  redis: word("redis", "valkey"),
  proxy: word("proxy", "nginx", "caddy", "traefik", "haproxy"),
  app: word("app", "web", "php", "fpm", "laravel"),
  service: "^service-",
  edge: "^edge$",
  certificates: "^edge-certificates$",
  prometheus: "^monitoring-prometheus$",
  alertmanager: "^monitoring-alertmanager$",
  collector: "^monitoring-collector$",
  exporter: "^monitoring-(host|database|redis)$",
  gate: "^monitoring-gate$",
};

const expression = z.string().refine(compiles, "must be a regular expression");

function compiles(source: string): boolean {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
}

const numbers = z.array(z.number().int().nonnegative());

/** What config/facts.ts finds in Drydock's settings. */
const factsSchema = z.object({
  appEnv: z.string().optional(),
  uids: z.partialRecord(z.enum(ROLES), z.number().int().nonnegative()),
  groups: z.partialRecord(z.enum(ROLES), numbers),
  health: z.object({ port: z.number().int(), path: z.string() }),
  counts: z.partialRecord(z.enum(ROLES), z.number().int().nonnegative()),
  published: z.partialRecord(z.enum(ROLES), numbers),
  persistent: z.array(z.string()).default([]),
  scripts: z.string().optional(),
});

/** What several rules share. Set under `pack-settings` of a `--policy-pack-config` file. */
export const settingsSchema = z.strictObject({
  /** Label that names a container's role. */
  roleLabel: z.string().default("drydock.role"),
  /** Pattern on the container's name, by role, for containers without that label. */
  roleByName: z.partialRecord(z.enum(ROLES), expression).default({}),
  /** Roles of this program's own, which the label may name as well; no rule for Laravel applies to them. */
  ownRoles: z.array(z.string()).default([]),
  /** How careful to be, whatever the names say. */
  stage: z.enum(stages).optional(),
  /** Pattern on the stack's name: these stacks are production, all others are not. */
  production: expression.optional(),
  /** Where the application's code can stand in a container. */
  appPaths: z.array(z.string()).default(["/var/www/html", "/var/www", "/app"]),
  /** What Drydock's settings say; the pack reads them by itself. */
  facts: factsSchema.optional(),
});

export interface Settings {
  readonly roleLabel: string;
  readonly ownRoles: readonly string[];
  readonly appPaths: readonly string[];
  /** What Drydock's settings say; nothing for any other program. */
  readonly facts: Facts | undefined;
  roleOf(name: string): Role | undefined;
  /** The stage of a resource of this stack. @param appEnv what its own APP_ENV says, where it has one */
  stageOf(stack: string, appEnv?: string): Stage;
}

/**
 * @param input `pack-settings` of a configuration file
 * @param known what Drydock's settings say, unless the input says it
 * @throws ZodError naming the setting
 */
export function parseSettings(input: unknown = {}, known?: Facts): Settings {
  const parsed = settingsSchema.parse(input);
  const patterns = Object.entries({ ...BY_NAME, ...parsed.roleByName }).map(
    ([role, source]) => [role as Role, new RegExp(source)] as const,
  );
  const facts = parsed.facts ?? known;
  const production = parsed.production === undefined ? undefined : new RegExp(parsed.production);
  return {
    roleLabel: parsed.roleLabel,
    ownRoles: parsed.ownRoles,
    appPaths: parsed.appPaths,
    facts,
    roleOf: (name) => patterns.find(([, pattern]) => pattern.test(name))?.[0],
    stageOf(stack, own) {
      if (parsed.stage !== undefined) return parsed.stage;
      // What runs as production is production, wherever; what calls itself less in a stack of production is not.
      if (own !== undefined && stageByName(own) === "production") return "production";
      const appEnv = facts?.appEnv ?? own;
      if (production === undefined) return stageOf(stack, appEnv);
      return production.test(stack) ? "production" : (stageByName(appEnv ?? "") ?? "staging");
    },
  };
}
