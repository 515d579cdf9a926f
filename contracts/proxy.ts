/**
 * The ports that nginx listens on in the proxy's container. What is told nginx, what asks it (steps, a replica that
 * warms up, the doctor) and what is published agree on them.
 */
export const PORTS = {
  /** Visitors; the one that is published, or that the edge sends to. */
  site: 8080,
  /** The same site without maintenance mode, for the release's own proofs; not published. */
  proof: 8091,
  /** What the switch, a new replica and maintenance mode ask of what is in force; not published. */
  inside: 8090,
  /** Docker's health check; on the loopback alone. */
  health: 8089,
  /** Maintenance mode's files on trial, the page's server and the status's: nobody asks them. */
  trial: [8088, 8087],
} as const;

const STATE = "/var/lib/drydock";

/** Where things are in the proxy's container. */
export const FOLDERS = {
  /** A volume: the site as it was switched to last, nginx's own file, temporary files, maintenance mode. */
  state: STATE,
  /** Below it, the files of maintenance mode. */
  maintenance: `${STATE}/maintenance`,
  /** A volume: the public files, each release's in a folder of its own. */
  public: "/srv/public",
} as const;

/** What Docker's health check asks, at the stack's proxy and at the edge. */
export const HEALTH_URL = `http://127.0.0.1:${PORTS.health}/healthz`;
