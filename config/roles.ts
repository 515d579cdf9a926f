/** Who a container of a stack is; the value of its label `drydock.role`. docs/glossary.md says what the words mean. */
export const ROLES = [
  "app",
  "worker",
  "horizon",
  "scheduler",
  "migrate",
  "database",
  "redis",
  "cache",
  "proxy",
  "service",
  "backup",
  "restore",
  "edge",
  "certificates",
  "reader",
  "prometheus",
  "alertmanager",
  "collector",
  "exporter",
  "gate",
] as const;
export type Role = (typeof ROLES)[number];

/** Roles that run the application's code for as long as the release lives. */
export const LASTING = ["app", "worker", "horizon", "scheduler"] as const satisfies readonly Role[];

/** Roles that run the application's code. */
export const LARAVEL: readonly Role[] = [...LASTING, "migrate"];

/** Roles that take jobs, or do something by themselves, without a visitor: what is stopped while data is restored. */
export const BACKGROUND = ["worker", "horizon", "scheduler"] as const satisfies readonly Role[];

/** @param role the label's value, whatever it is */
export function isLasting(role: string): boolean {
  return (LASTING as readonly string[]).includes(role);
}

/** The group of settings that says which user a role runs as; each service has its own. */
export const USER_FROM = {
  app: "app",
  worker: "app",
  horizon: "app",
  scheduler: "app",
  migrate: "app",
  database: "database",
  redis: "redis",
  cache: "redis",
  proxy: "proxy",
  // The agent reads Laravel's private files, its companion the database server's.
  backup: "app",
  restore: "database",
  service: undefined,
  edge: "edge",
  certificates: "edge",
  // As the service whose volume it reads.
  reader: undefined,
  prometheus: "monitoring",
  alertmanager: "monitoring",
  collector: "monitoring",
  exporter: "monitoring",
  gate: "monitoring",
} as const satisfies Record<Role, string | undefined>;

/** The group of settings that says what else a role is given: memory, processors. */
export const SETTINGS_OF = {
  app: "app",
  worker: "workers",
  horizon: "horizon",
  scheduler: "scheduler",
  migrate: "app",
  database: "database",
  redis: "redis",
  cache: "redis.cache",
  proxy: "proxy",
  backup: "backup",
  restore: "backup",
  reader: "backup",
  service: "services",
  edge: "edge",
  certificates: "edge",
  prometheus: "monitoring",
  alertmanager: "monitoring",
  collector: "monitoring",
  exporter: "monitoring",
  gate: "monitoring",
} as const satisfies Record<Role, string>;
