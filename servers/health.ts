export interface HealthCheck {
  /** As in a Dockerfile: ["CMD", …] or ["CMD-SHELL", line]. */
  readonly test: readonly string[];
  /** Seconds that one check may take. @default 5 */
  readonly timeout?: number;
  /** Seconds between two checks of a healthy container. @default 10 */
  readonly seldom?: number;
}

/** Milliseconds after a start, or after a check, until the next one. */
const SOON = 250;
/** Seconds that a failed check takes at least: one that is starting or in trouble is asked about once a second. */
const PAUSE = 0.75;
/** Seconds between two checks of a healthy container. */
const SELDOM = 10;

/**
 * Docker's health check for it. A release waits for each new container's first check, so that one has to come soon; but
 * each check starts a process in a container, which takes a tenth of a second of processor time, for ever. Docker's own
 * `startInterval` needs an engine of version 25, and there is only one interval before that: so it is short, and a
 * check that has failed, or that comes after one that has succeeded, waits. The mark of the latter is in /dev/shm,
 * which is new at each start.
 *
 * @param startTimeout seconds in which failed checks don't count
 */
export function healthcheck(
  { test: [form, ...words], timeout = 5, seldom = SELDOM }: HealthCheck,
  startTimeout: number,
) {
  const command = form === "CMD-SHELL" ? ["/bin/sh", "-c", ...words] : words;
  const check =
    `rm /dev/shm/healthy 2>/dev/null && sleep ${seldom}; if "$@"; then touch /dev/shm/healthy || :; ` +
    `else sleep ${PAUSE}; exit 1; fi`;
  // Every field is set: one that is left out comes back from Docker as a difference.
  return {
    tests: ["CMD", "/bin/sh", "-c", check, "health", ...command],
    interval: `${SOON}ms`,
    timeout: duration(timeout + seldom + 1),
    startPeriod: duration(startTimeout),
    retries: 5,
  };
}

/**
 * A duration as Docker prints it back (1m5s); any other spelling would come back as a difference at the next refresh.
 */
function duration(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  return `${h > 0 ? `${h}h` : ""}${m}m${s}s`;
}
