import { z } from "zod";
import { LARAVEL, LASTING, ROLES, type Role } from "../config/roles.ts";

export { LARAVEL, LASTING, ROLES, type Role };

// A word of the name: `shop-app-1` has `app`, `mapper` has not.
const word = (...words: readonly string[]): string => `(^|[-_.])(${words.join("|")})([0-9]*)([-_.]|$)`;

/** Tried in this order on a container's name when it carries no label: `db-backup` is a backup, `app-scheduler` a scheduler. */
const BY_NAME: Readonly<Record<Role, string>> = {
  backup: word("backup", "backups"),
  restore: word("restore"),
  migrate: word("migrate", "migrator", "migration", "migrations"),
  scheduler: word("scheduler", "schedule", "cron"),
  horizon: word("horizon"),
  worker: word("queue", "worker", "workers", "reverb"),
  database: word("db", "database", "mysql", "mariadb", "postgres", "postgresql", "pgsql"),
  redis: word("redis", "valkey"),
  proxy: word("proxy", "nginx", "caddy", "traefik", "haproxy"),
  app: word("app", "web", "php", "fpm", "laravel"),
  service: "^service-",
};

const expression = z.string().refine(compiles, "must be a regular expression");

function compiles(source: string): boolean {
  try {
    return new RegExp(source) instanceof RegExp;
  } catch {
    return false;
  }
}

/** What several rules share. Set under `pack-settings` of a `--policy-pack-config` file. */
export const settingsSchema = z.strictObject({
  /** Label that names a container's role. */
  roleLabel: z.string().default("drydock.role"),
  /** Pattern on the container's name, by role, for containers without that label. */
  roleByName: z.partialRecord(z.enum(ROLES), expression).default({}),
  /** Pattern on the stack's name: these stacks are production. */
  production: expression.default("^(prod|production|live)([-_.]|$)"),
  /** Where the application's code can stand in a container. */
  appPaths: z.array(z.string()).default(["/var/www/html", "/var/www", "/app"]),
});

export type SettingsInput = z.input<typeof settingsSchema>;

export interface Settings {
  readonly roleLabel: string;
  readonly appPaths: readonly string[];
  roleOf(name: string): Role | undefined;
  isProduction(stack: string): boolean;
}

/**
 * @throws ZodError naming the setting
 */
export function parseSettings(input: unknown = {}): Settings {
  const parsed = settingsSchema.parse(input);
  const patterns = Object.entries({ ...BY_NAME, ...parsed.roleByName }).map(([role, source]) => [role as Role, new RegExp(source)] as const);
  const production = new RegExp(parsed.production);
  return {
    roleLabel: parsed.roleLabel,
    appPaths: parsed.appPaths,
    roleOf: (name) => patterns.find(([, pattern]) => pattern.test(name))?.[0],
    isProduction: (stack) => production.test(stack),
  };
}
