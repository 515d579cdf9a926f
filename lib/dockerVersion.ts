/**
 * What the program asks of a Docker engine: container options, health checks and build arguments of this version of
 * its API.
 */
const LEAST = { version: "20.10", api: "1.41" } as const;

/** What is missing, and how to have it. */
export interface TooOld {
  readonly what: string;
  readonly remedy: string;
}

/**
 * Judges what an engine says of its version; undefined where it is new enough.
 * @param version as `docker version` says it; empty where it is not known
 * @param api the newest version of the API that the engine speaks
 */
export function judgeVersion(where: string, version: string, api: string): TooOld | undefined {
  if (compare(api, LEAST.api) >= 0) return undefined;
  const docker = version === "" ? `with API ${api}` : version;
  const needed = `${LEAST.version} or newer is needed (its API ${LEAST.api}; there it is ${api})`;
  return {
    what: `Docker ${docker} at ${where} is too old: ${needed}`,
    remedy:
      "on the host, Debian's newest: sudo apt-get update && sudo apt-get install --only-upgrade docker.io\n" +
      "or Docker's own packages: https://docs.docker.com/engine/install/ (containers stop meanwhile)",
  };
}

/** Compares versions of numbers and dots. A part that is none counts as 0. */
export function compare(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split(".").map((part) => Number.parseInt(part, 10) || 0));
  for (let i = 0; i < Math.max(left!.length, right!.length); i++) {
    const difference = (left![i] ?? 0) - (right![i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
