/** Who a container of a stack is; the value of its label `drydock.role`. */
export const ROLES = ["app", "worker", "horizon", "scheduler", "migrate", "database", "redis", "proxy", "service", "backup", "restore"] as const;
export type Role = (typeof ROLES)[number];

/** Roles that run the application's code for as long as the release lives. */
export const LASTING = ["app", "worker", "horizon", "scheduler"] as const satisfies readonly Role[];

/** Roles that run the application's code. */
export const LARAVEL: readonly Role[] = [...LASTING, "migrate"];

/** Roles that take jobs, or do something by themselves: what is stopped while data is restored. */
export const WORKERS = ["worker", "horizon", "scheduler"] as const satisfies readonly Role[];

/** @param role the label's value, whatever it is */
export function isLasting(role: string): boolean {
  return (LASTING as readonly string[]).includes(role);
}
