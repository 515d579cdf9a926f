import { z } from "zod";

/** What the parts of monitoring listen on in their containers; none of it is published. */
export const PORTS = {
  prometheus: 9090,
  alertmanager: 9093,
  collector: 9182,
  database: 9104,
  redis: 9121,
  host: 9100,
  gate: 2375,
} as const;

/** The names of their containers in the network of monitoring. */
export const HOSTS = {
  prometheus: "prometheus",
  alertmanager: "alertmanager",
  collector: "collector",
  database: "database-exporter",
  redis: "redis-exporter",
  host: "host-exporter",
  // The collector asks it, and is in the application's network as well: no service of a user's can be called so.
  gate: "gate.monitoring",
} as const;

/** The backup agent's name in that network. */
export const AGENT_HOST = "backup-agent";

/**
 * A folder in the proxy's volume that is the collector's: nginx sends a line for each request to a socket in it, and
 * goes on without where nobody listens.
 */
export const HTTP_FOLDER = "monitoring";
export const HTTP_SOCKET = `${HTTP_FOLDER}/http.sock`;

/** The rules of the alerts, in Prometheus' container. */
export const RULES_FILE = "/tmp/prometheus/rules.yml";

/** Where things are in the collector's container. */
export const FOLDERS = {
  /** The proxy's volume. */
  proxy: "/proxy",
} as const;

/** The variable with the collector's settings, as JSON. */
export const SETTINGS = "DRYDOCK_COLLECTOR";

/** The collector's settings: no secret is in them. */
export const collectorSchema = z.strictObject({
  /** The value of the label `drydock.stack`. */
  stack: z.string(),
  /** Seconds between two rounds. */
  interval: z.number().int().positive(),
  /** Roles of which there always is a container. */
  roles: z.array(z.string()),
  /** Whether Docker is asked, through the gate. */
  docker: z.boolean(),
  /** The site's host name, and the path that says that it is well. */
  site: z.strictObject({ host: z.string(), path: z.string() }),
  /** How the replicas are asked; without it they serve HTTP by themselves, and can't be. */
  fpm: z
    .strictObject({
      /** The application's folder in its image. */
      path: z.string(),
      /** How many processes each may have. */
      maxChildren: z.number().int().positive(),
      /** Queues whose names the settings have. */
      queues: z.array(z.string()),
      /** What is expected to be there. */
      horizon: z.boolean(),
      scheduler: z.boolean(),
    })
    .optional(),
  /** Names whose certificates are looked at. */
  domains: z.array(z.string()),
});
export type CollectorSettings = z.infer<typeof collectorSchema>;

/** Where drift and doctor tell the collector how much they have found, a file each; and of what kinds that is. */
export const FOUND = {
  /** In its memory. */
  folder: "/tmp/found",
  kinds: { drift: ["missing", "stopped", "changed", "foreign"], doctor: ["broken", "unknown"] },
} as const;
export const foundSchema = z.strictObject({
  /** Seconds since 1970. */
  at: z.number(),
  /** By kind; none is 0. */
  findings: z.record(z.string(), z.number().int().nonnegative()),
});
export type Found = z.infer<typeof foundSchema>;

/** What a replica's process answers: runtime/metrics.php, asked for /process. */
export const processSchema = z.object({
  fpm: z.object({ active: z.number(), idle: z.number(), queue: z.number(), reached: z.number() }).nullable(),
  opcache: z.object({ free: z.number(), used: z.number(), hits: z.number(), misses: z.number() }).nullable(),
});
export type ProcessAnswer = z.infer<typeof processSchema>;

/** What Laravel answers for all of them: the same, asked for /laravel. What it can't say is null. */
export const laravelSchema = z.object({
  queues: z.array(
    z.object({
      name: z.string(),
      /** Jobs that wait, and those that wait for their time. */
      pending: z.number().nullable(),
      delayed: z.number().nullable(),
      reserved: z.number().nullable(),
      /** When the first of them was made, in seconds; where nobody has noted it, what it is. */
      since: z.number().nullable(),
      first: z.string().nullable(),
    }),
  ),
  failed: z.number().nullable(),
  horizon: z.object({ masters: z.number(), paused: z.boolean() }).nullable(),
  /** When the schedule last ran, in seconds. */
  scheduled: z.number().nullable(),
});
export type LaravelAnswer = z.infer<typeof laravelSchema>;
