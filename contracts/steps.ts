/** What a step of a release is told and answers: the contract between components/ and a script of commands/. */
export interface StepContract {
  /** Variables that are always there. */
  readonly env: readonly string[];
  /** Variables that some stacks or some callers leave out. */
  readonly optional?: readonly string[];
  /** What standard input is, the one place for secrets. Absent: nothing is read. */
  readonly stdin?: string;
  /** What standard output is, where somebody reads it. Absent: words for a person. */
  readonly prints?: string;
}

/** Files of runtime/ that a one-off container of the application has at /drydock; what they read is among them. */
export const ONE_OFF_FILES = [
  "start.sh",
  "answer.php",
  "image.php",
  "masked.php",
  "migrate.php",
  "pending.php",
  "preflight.php",
  "stores.php",
  "elsewhere.php",
] as const;

/** Of functions/one-off.sh: a container of the new image with the environment of a replica. */
const ONE_OFF = {
  env: ["IMAGE", "NETWORK", "APP_PATH", "RUN_AS", "MEMORY", "LABELS", "NAME", "MORE"],
  optional: ["ALSO"],
} as const;
/** Of functions/records.sh: the volume with the stack's records. */
const RECORDS = ["RECORDS", "RECORDS_IMAGE", "RECORDS_USER", "RECORDS_LABELS"] as const;

/** By the script's name without its ending. What each variable means is at the top of the script. */
export const STEPS = {
  assets: {
    env: ["IMAGE", "VOLUME", "APP_PATH", "RUN_AS", "LABELS", "RELEASE", "PROXY", "DAYS", "HASHED", "PERSISTENT"],
  },
  backup: {
    env: [
      ...ONE_OFF.env,
      ...RECORDS,
      "RELEASE",
      "AGENT",
      "DATABASE_IMAGE",
      "DATABASE_USER",
      "ENGINE",
      "SCHEMA",
      "VOLUME",
      "KEEP",
      "BREAKING",
      "STACK",
    ],
    optional: ONE_OFF.optional,
    stdin: "two lines: base64 of a tar with the .env file and scripts; base64 of the client's option file",
    prints: 'a line {"hold": [names], "pending"?: 0} at its end',
  },
  "backup-describe": { env: ["CONTAINER"], stdin: "JSON: plain variables, and the names of secret ones" },
  "backup-user": { env: ["CONTAINER", "ENGINE"], stdin: "the account's password in one line" },
  build: { env: ["BUILD"] },
  "database-check": { env: ["IMAGE", "ENGINE", "OPTIONS", "RUN_AS", "LABELS", "STACK", "VOLUME", "BACKUPS"] },
  deliver: { env: ["IMAGE", "VOLUME", "LABELS"] },
  drain: { env: ["PROXY", "TIMEOUT", "SITE"] },
  "edge-check": {
    env: ["IMAGE", "RUN_AS", "NETWORK", "STATE", "CERTIFICATES", "PLACES", "PORTS", "LABELS"],
    stdin: "the configuration of the next edge's nginx",
  },
  "edge-drain": { env: ["TIMEOUT", "ROUTE"] },
  "edge-join": {
    env: ["ID", "STACK", "NAMES", "GENERATION"],
    stdin: 'lines "PATH BASE64": files below the folder of the edge\'s state',
  },
  "edge-leave": { env: ["ID", "STACK"] },
  limits: { env: ["CONTAINERS", "PROCESSES"] },
  migrate: {
    env: [...ONE_OFF.env, "TIMEOUT", "LOCK_SECONDS", "PENDING", "HOLD"],
    optional: ONE_OFF.optional,
    stdin: "base64 of a tar with the .env file and scripts",
  },
  "monitor-check": {
    env: ["IMAGE", "PART", "RUN_AS", "LABELS"],
    stdin: "the commands that judge it, for a shell in a container of the image",
  },
  "monitor-network": { env: ["NETWORK"] },
  "monitor-folder": { env: ["IMAGE", "VOLUME", "FOLDER", "OWNER", "LABELS"] },
  "monitor-user": { env: ["CONTAINER", "ENGINE"], stdin: "the account's password in one line" },
  opcache: { env: ["REPLICA", "FPM"] },
  port: { env: ["ADDRESS", "IMAGE", "NETWORK", "LABELS"] },
  preflight: {
    env: [...ONE_OFF.env, "STACK", "STAGE", "SECRETS", "HORIZON", "OWN_START"],
    optional: ONE_OFF.optional,
    stdin: "two lines: what runtime/preflight.php reads; base64 of a tar with the .env files and scripts",
  },
  "proxy-check": {
    env: ["IMAGE", "RUN_AS", "NETWORK", "VOLUME", "STATE", "LABELS"],
    stdin: "the commands that judge it, for a shell in a container of the image",
  },
  record: {
    env: [...RECORDS, "REPLICA", "APP_PATH", "IMAGE", "KEY", "RECORD", "STORAGE", "RELEASE", "DAYS", "PROBES", "KEPT"],
    prints: "the record without the names of migrations: JSON in one line",
  },
  "redis-check": {
    env: ["IMAGE", "RUN_AS", "VOLUME", "SERVICE", "LABELS"],
    stdin: "redis.conf",
  },
  "redis-password": {
    env: ["REDIS"],
    optional: ["NETWORK", "APP_PATH", "ADDED"],
    stdin: "two lines: the password's SHA-256 as an ACL has it; its keyed hash as JSON",
  },
  "socket-group": { env: ["IMAGE", "SOCKET", "LABELS"], prints: "the number of the socket's group" },
  start: { env: ["IMAGE"], prints: '{"Entrypoint": [words] or null, "Cmd": [words] or null}' },
  switch: {
    env: ["PROXY", "REPLICA", "REPLICAS", "HOST", "HEALTH_PATH", "SITE_PATH", "PROCESSES"],
    stdin: "the configuration of the site",
  },
  verify: {
    env: ["REPLICA", "FPM", "CONTAINERS", "WORKERS", "APP_PATH", "HOST", "HEALTH_PATH", "REQUESTS", "PROCESSES"],
    optional: ["PROXY"],
    stdin: '{"names": {NAME: keyed hash of its planned value}}',
    prints: 'a line {"requests": …} of the probe, and one of each container',
  },
  volumes: { env: ["IMAGE", "OWNERS", "LABELS"] },
} as const satisfies Readonly<Record<string, StepContract>>;

export type StepName = keyof typeof STEPS;
