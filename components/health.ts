export interface HealthCheck {
  /** As in a Dockerfile: ["CMD", …] or ["CMD-SHELL", line]. */
  readonly test: readonly string[];
  /** Seconds that one check may take. @default 5 */
  readonly timeout?: number;
}

/** Seconds between two checks of a container that is starting or in trouble. */
const OFTEN = 1;
/** Seconds between two checks of a healthy container. */
const SELDOM = 10;

/**
 * Docker's health check for it. A release waits for each new container's first check, so that one has to come soon; but each check starts a process in
 * a container, which takes a tenth of a second of processor time, for ever. Docker's own `startInterval` needs an engine of version 25, and there is only
 * one interval before that: so a check that has succeeded makes the next one wait first. Its mark is in /dev/shm, which is new at each start.
 *
 * @param startTimeout seconds in which failed checks don't count
 */
export function healthcheck({ test: [form, ...words], timeout = 5 }: HealthCheck, startTimeout: number) {
  const command = form === "CMD-SHELL" ? ["/bin/sh", "-c", ...words] : words;
  const wait = `rm /dev/shm/healthy 2>/dev/null && sleep ${SELDOM - OFTEN}; "$@" && { touch /dev/shm/healthy || :; }`;
  // Every field is set: one that is left out comes back from Docker as a difference.
  return {
    tests: ["CMD", "/bin/sh", "-c", wait, "health", ...command],
    interval: duration(OFTEN),
    timeout: duration(timeout + SELDOM),
    startPeriod: duration(startTimeout),
    retries: 5,
  };
}

/** A duration as Docker prints it back (1m5s); any other spelling would come back as a difference at the next refresh. */
function duration(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  return `${h > 0 ? `${h}h` : ""}${m}m${s}s`;
}
