import { z } from "zod";
import { recordOf } from "../lib/ownNames.ts";

/** How a verb of the agent ends; see each verb's help. */
export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, notVerified: 4 } as const;

export const TYPES = ["full", "db", "files", "incremental"] as const;
/**
 * `full`: database and files. `incremental`: files, and of the database what changed since the last physical backup
 * (else all of it).
 */
export type BackupType = (typeof TYPES)[number];

/** The agent's secrets, one in a file, beside its settings. */
export const SECRETS = {
  repositoryKey: "repository-key",
  /** An option file of the database's client; the account is `drydock_backup`. */
  database: "database.cnf",
  /** What the agent shows to the companion. */
  restoreToken: "restore-token",
  /** AWS's own credentials file, which restic and the SDK read themselves; absent where the machine's role is used. */
  s3: "aws-credentials",
  smtpPassword: "smtp-password",
  /** The address that alarms are sent to: such addresses often are secrets themselves. */
  webhook: "webhook",
  /** The address that is called as long as all is well. */
  heartbeat: "heartbeat",
} as const;

/**
 * The port of the agent's metrics, of its health check and (on the companion) of its HTTP interface. Never published.
 */
export const PORTS = { agent: 9180, companion: 9181 } as const;

/** So often, in ms, who is at a restore says that it is still needed. */
export const STAY_EVERY = 600_000;

/** Folders inside the containers. */
export const FOLDERS = {
  /** Volume `backups`: repository/ (restic), binlogs/, catalogue/. */
  backups: "/backups",
  /** Volume `storage`, read-only: Laravel's storage/app. */
  storage: "/storage",
  /** Volume `proxy`, read-only: the state of maintenance mode. */
  proxy: "/proxy",
  /** Volume `records`, read-only: what was released. */
  records: "/records",
  /** Folders of the application beside storage/app, read-only: see `folderOf`. */
  volumes: "/volumes",
  /** The volume of a service, in the container that reads it, read-only. */
  volume: "/volume",
  /** Volume `restore`, companion only: a folder for each throwaway restore. */
  restore: "/restore",
  /** Volume `database`, companion only, read-only. */
  database: "/var/lib/mysql",
} as const;

/**
 * A folder in the database's volume that is none of the server's: what is being restored, and what was live before a
 * restore.
 */
export const BESIDE = ".drydock";
/**
 * Where the companion of one restore puts it, instead of the volume `restore`: beside the live files, so that putting
 * it in their place is renaming.
 */
export const RESTORES_BESIDE = `${FOLDERS.database}/${BESIDE}/restores`;
/**
 * Where its folder is told to a companion, and its name in the network to the agent, which a line on standard input
 * tells when it is there.
 */
export const COMPANION = { restores: "DRYDOCK_RESTORES", host: "DRYDOCK_COMPANION" } as const;

/** What has data beside database and storage/app: a folder of `app.persistent`, the volume of a service. */
const volumeSchema = z.strictObject({
  kind: z.enum(["folder", "service"]),
  /** The folder's path from the application's, such as public/uploads; the service's name. */
  name: z.string(),
});
export type Volume = z.infer<typeof volumeSchema>;
/** What a volume is called in backups and to people: "folder public/uploads", "service search". */
export const titleOf = ({ kind, name }: Volume): string => `${kind} ${name}`;
/** Where a folder is in the agent's container; no two are inside each other there. */
export const folderOf = ({ name }: Pick<Volume, "name">): string => `${FOLDERS.volumes}/${encodeURIComponent(name)}`;
/**
 * The name, in the network of the companion, of the container that reads a service's volume. No service may be called
 * so: the agent is in a network with these as well.
 */
export const readerOf = ({ name }: Pick<Volume, "name">): string => `volume_${name}`;

const hook = z.strictObject({ command: z.array(z.string()).min(1), timeout: z.number().int().positive() });

/** The agent's settings: no secret is in them. */
export const configurationSchema = z.strictObject({
  stack: z.string(),
  engine: z.enum(["mariadb", "mysql"]),
  /** The application's database. */
  schema: z.string(),
  physical: z.boolean(),
  /** The server is not the stack's own: no right but the application's, no binary log, no file of it. @default false */
  external: z.boolean().optional(),
  /** Of the newest proven backup, the files that its proof has restored stay, where there is room. */
  keepRestored: z.boolean(),
  /** Of the daily run. */
  type: z.enum(TYPES),
  /** cron, UTC; an empty text switches one off. */
  schedule: z.strictObject({ backup: z.string(), health: z.string(), cleanup: z.string() }),
  files: z.strictObject({ include: z.array(z.string()), exclude: z.array(z.string()) }),
  /** What is backed up beside storage/app. */
  volumes: z.array(volumeSchema).optional(),
  /** Volumes with data of the stack that no backup is to have, in words. */
  left: z.array(z.string()).optional(),
  hooks: z.strictObject({ pre: hook.optional(), post: hook.optional(), validate: hook.optional() }),
  retention: z.strictObject({ localDays: z.number().int(), s3Days: z.number().int() }),
  /** Hours after which a newest verified backup is too old. */
  maxAge: z.number(),
  /** Seconds between two segments of the binary log. */
  binlogInterval: z.number().int(),
  email: z
    .strictObject({
      to: z.string(),
      from: z.string(),
      host: z.string(),
      port: z.number().int(),
      security: z.enum(["tls", "starttls", "none"]),
      username: z.string().optional(),
    })
    .optional(),
  /**
   * The second place. Objects: PREFIXbackups/repository/ (restic), PREFIXbackups/catalogue/, PREFIXbinlogs/ (both
   * encrypted), PREFIXlatest (JSON: id, finished, verified).
   */
  s3: z
    .strictObject({
      bucket: z.string(),
      region: z.string(),
      /** Empty, or ends with /. */
      prefix: z.string(),
      /** Where it isn't Amazon's: https://host or http://host:port. */
      endpoint: z.string().optional(),
    })
    .optional(),
});
export type Configuration = z.infer<typeof configurationSchema>;

/** A place in the binary log. */
const binlogPositionSchema = z.object({ file: z.string(), position: z.number().int() });
export type BinlogPosition = z.infer<typeof binlogPositionSchema>;

const tableSumSchema = z.object({
  rows: z.number().int(),
  checksum: z.string().nullable(),
  /** The columns that the checksum is of; all of the table where it has no virtual ones: see `checksumQuestion`. */
  columns: z.array(z.string()).optional(),
  /** Why it can't be compared, in words; then the two others mean nothing. */
  unproven: z.string().optional(),
});
export type TableSum = z.infer<typeof tableSumSchema>;
/** Table name to its rows and its checksum. */
export type TableSums = Readonly<Record<string, TableSum>>;
const sequenceRangeSchema = z.tuple([z.string(), z.string()]);
/** The next value of a sequence before and after its moment. Decimal, as numbers can't hold all of them. */
export type SequenceRange = readonly [string, string];

/** Files that were put into the repository. */
const filesSchema = z.object({
  count: z.number().int(),
  bytes: z.number(),
  added: z.number(),
  /** SHA-256 of the list of the files' sums, which lies beside this entry. */
  manifest: z.string(),
  /** Files that changed while they were read: see `Entry`. */
  changed: z.number().int(),
});

/** One backup as the catalogue has it (`list`, `show`, `run`). Times are ISO 8601, UTC. */
export const entrySchema = z.object({
  /** Sortable by time, such as 20261122T163000Z-3f2a. */
  id: z.string(),
  /**
   * The order in which backups were made, whatever the clock said. Absent in those of earlier agents, which are older.
   */
  sequence: z.number().int().optional(),
  type: z.enum(TYPES),
  reason: z.string(),
  stack: z.string(),
  started: z.string(),
  finished: z.string(),
  /** Seconds of the backup itself, without its verification. */
  seconds: z.number(),
  verified: z.boolean(),
  /** What is not in it, and why, in words. */
  missing: z.array(z.string()).optional(),
  /** What is in it and can't be proven, and why, in words. */
  unproven: z.array(z.string()).optional(),
  /** When it was last verified, and how long restoring took: the measured RTO in seconds. */
  verification: z
    .object({
      at: z.string(),
      seconds: z.number(),
      problems: z.array(z.string()),
      tables: z.number().int(),
      rows: z.number().int(),
      files: z.number().int(),
    })
    .optional(),
  database: z
    .object({
      format: z.enum(["logical", "physical"]),
      engine: z.enum(["mariadb", "mysql"]),
      version: z.string(),
      schema: z.string(),
      /** Bytes that a restore reads, and bytes that were added to the repository. */
      bytes: z.number(),
      added: z.number(),
      /** The state in the backup: replaying the binary log begins here. Absent where the server writes none. */
      position: binlogPositionSchema.optional(),
      /** Physical: where the next increment begins, and the backup that this one is an increment of. */
      lsn: z.string().optional(),
      base: z.string().optional(),
      /** Where in the log the sums were taken. */
      sumsPosition: binlogPositionSchema.optional(),
      sums: recordOf(tableSumSchema),
      /**
       * Sequence name to the next value, before and after the moment of the sums. Absent in backups of earlier agents.
       */
      sequences: recordOf(sequenceRangeSchema.readonly()).optional(),
      /** What the dump left out: "view NAME", "table NAME". */
      excluded: z.array(z.string()).optional(),
      /**
       * Accounts, as user@host, that views, triggers, routines and events name; they are needed where it is restored.
       */
      definers: z.array(z.string()).optional(),
      /** Those of them that the server didn't have. */
      absentDefiners: z.array(z.string()).optional(),
      /**
       * What the schema has beside tables: "view NAME", "trigger NAME", "procedure NAME", "function NAME", "event
       * NAME". Absent in backups of earlier agents.
       */
      objects: z.array(z.string()).optional(),
      /** Newest rows of Laravel's table `migrations`, in order. */
      migrations: z.array(z.string()),
    })
    .optional(),
  /** Of storage/app. What changed while it was read is in the backup, but without a sum. */
  files: filesSchema.optional(),
  /**
   * The other volumes, by their titles (see `titleOf`). Of a service's, also what changed while it was read has the sum
   * of what was stored. Absent in backups of earlier agents, which have none.
   */
  volumes: recordOf(filesSchema).optional(),
  /** Where it is: always local; s3 once it was copied. */
  copies: z.array(z.enum(["local", "s3"])),
});
export type Entry = z.infer<typeof entrySchema>;

/** Bytes that a restore of a backup reads, and that it added to the repository. */
export function sizesOf({ database, files, volumes = {} }: Pick<Entry, "database" | "files" | "volumes">) {
  const parts = [database, files, ...Object.values(volumes)];
  const sum = (key: "bytes" | "added"): number => parts.reduce((total, part) => total + (part?.[key] ?? 0), 0);
  return { bytes: sum("bytes"), added: sum("added") };
}

/** With --json, one of these a line (standard output; standard error for `dump` and `files`, whose output is data). */
export const eventSchema = z.discriminatedUnion("event", [
  /**
   * `total` is 0 where it isn't known. Steps: hook, files, dump, physical, sums, restore, prepare, replay, compare,
   * finish, copy, prune, and the title of a volume.
   */
  z.object({
    event: z.literal("progress"),
    step: z.string(),
    done: z.number(),
    total: z.number(),
    unit: z.enum(["bytes", "tables", "files", "segments", "steps"]),
  }),
  z.object({ event: z.literal("log"), level: z.enum(["info", "warn", "error"]), message: z.string() }),
  /** The last line where it went well; the rest is the verb's, see `results`. */
  z.looseObject({ event: z.literal("result") }),
  /** The last line where it did not. `code` is the exit code. */
  z.object({ event: z.literal("error"), message: z.string(), remedy: z.string().optional(), code: z.number() }),
]);
export type Event = z.infer<typeof eventSchema>;

/** What `result` holds beside `event`, by verb. */
export interface Results {
  readonly run: { readonly backup: Entry };
  /** Newest first; `unreadable`: how many others there are, which the key can't open. */
  readonly list: { readonly backups: readonly Entry[]; readonly unreadable: number };
  readonly show: { readonly backup: Entry };
  readonly verify: { readonly backup: Entry };
  readonly status: Status;
  readonly health: {
    readonly healthy: boolean;
    readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly message: string }[];
  };
  readonly stats: {
    readonly backups: number;
    readonly verified: number;
    readonly repositoryBytes: number;
    readonly restoreBytes: number;
    readonly binlogBytes: number;
    readonly binlogSegments: number;
    readonly freeBytes: number;
  };
  readonly cleanup: {
    readonly dryRun: boolean;
    readonly removed: readonly string[];
    readonly kept: readonly string[];
    readonly removedSegments: number;
  };
  /**
   * The folder of the restore, from where its companion puts them; on the disk. `copied`: from what the backup's proof
   * has left, not from the repository. `compared`: all of it, with what was recorded. `objects`: how many tables and
   * views its schema has.
   */
  readonly prepare: {
    readonly backup: Entry;
    readonly folder: string;
    readonly reached: string;
    readonly seconds: number;
    readonly copied: boolean;
    readonly compared: boolean;
    readonly objects: number;
  };
  readonly replaced: object;
  /** `reached`: the moment that was recovered to; `sums`: what is in the data, to be compared after it was loaded. */
  readonly dump: { readonly backup: Entry; readonly reached: string; readonly sums: TableSums };
  readonly files: { readonly backup: Entry; readonly count: number };
  readonly adopt: { readonly adopted: number };
  /** What else was kept with a backup. `maintenance` is the state of maintenance mode, null where it was off. */
  readonly state: {
    readonly state: { readonly environment: unknown; readonly maintenance: unknown; readonly releases: string } | null;
  };
  readonly key: { readonly key: string };
  /** How many files were taken out of the repository, and the backups that needed them. */
  readonly repair: { readonly files: number; readonly affected: readonly string[] };
  /** A folder in the volume of backups. */
  readonly reset: { readonly aside: string };
}

export interface Status {
  readonly newest: Entry | null;
  readonly newestVerified: Entry | null;
  /** Hours since the newest verified backup began. */
  readonly ageHours: number | null;
  readonly rpoSeconds: number | null;
  readonly rtoSeconds: number | null;
  readonly binlog: {
    readonly streaming: boolean;
    readonly position: BinlogPosition | null;
    readonly reached: string | null;
  };
  readonly s3: { readonly configured: boolean; readonly lagSeconds: number | null; readonly error: string | null };
  readonly running: { readonly type: string; readonly since: string; readonly pid: number } | null;
  readonly next: Readonly<Record<string, string | null>>;
  /** What has data and is in no backup on purpose, in words. */
  readonly left: readonly string[];
  readonly alarms: readonly { readonly name: string; readonly since: string; readonly message: string }[];
}
