/** What Docker says of a container, as far as it tells whether it is well. */
interface Standing {
  /** Docker's word for it, or `missing`. */
  readonly state: string;
  /** `none` where it has no health check. */
  readonly health: string;
  /** How often it has started again by itself, where it does so over and over. */
  readonly restarts?: number;
}

/** Runs, and says so itself where it can be asked. */
export function isHealthy({ state, health, restarts }: Standing): boolean {
  return state === "running" && (health === "healthy" || health === "none") && restarts === undefined;
}
