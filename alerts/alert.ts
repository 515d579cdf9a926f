/** What of a stack an alert is about: its silences and its place in the documents follow it. */
const SUBJECTS = [
  "site",
  "laravel",
  "database",
  "redis",
  "containers",
  "host",
  "backups",
  "certificates",
  "monitoring",
] as const;
export type Subject = (typeof SUBJECTS)[number];

/** The numbers that a stack's settings give: `drydock:monitoring.alerts`. */
export interface Parameters {
  /** Percent of answers that may be errors. */
  readonly errorRate: number;
  /** Seconds that 95 of 100 answers may take. */
  readonly slow: number;
  /** Seconds that a job may wait. */
  readonly queueAge: number;
  /** Jobs that may fail in 15 minutes. */
  readonly failedJobs: number;
  /** Percent of the disk that has to be free. */
  readonly diskFree: number;
  /** Percent of the disk's inodes that have to be free. */
  readonly inodesFree: number;
  /** Percent of the machine's memory that has to be available. */
  readonly memoryFree: number;
  /** Percent of the time that something may wait for memory, and for the disk. */
  readonly memoryPressure: number;
  readonly diskPressure: number;
  /** Percent of OPcache's memory that has to be free. */
  readonly opcacheFree: number;
  /** Percent of a certificate's time that has to be left. */
  readonly certificateLeft: number;
  /** Percent of the database's connections that may be taken. */
  readonly connections: number;
  /** Percent of its memory limit that a container may use. */
  readonly memory: number;
  /** Hours after which the newest verified backup is too old. */
  readonly backupAge: number;
}

/** One alert: when it is raised, and what whoever is told does then. */
export interface Alert {
  readonly name: string;
  /** `critical`: visitors or data are hurt now. `warning`: they will be. `info`: somebody should know. */
  readonly severity: "critical" | "warning" | "info";
  /** One line for who is told, as Prometheus' templates have it. */
  readonly summary: string;
  /** Why it matters. */
  readonly why: string;
  /** What to do. */
  readonly remedy: string;
  /** The command that shows more. */
  readonly command: string;
  /** PromQL: it is raised for each series that this answers. */
  readonly expression: (parameters: Parameters) => string;
  /** How long it has to hold, as Prometheus writes durations; `drydock:monitoring.for` may say otherwise. */
  readonly for: string;
  /** The backup agent sends it itself, with or without monitoring. @default it is sent by Alertmanager */
  readonly told?: "by the agent";
}
