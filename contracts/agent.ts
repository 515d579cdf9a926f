import { z } from "zod";
import { type BinlogPosition, type Entry, type TableSums, TYPES } from "./entry.ts";

/** How a verb of the agent ends; see each verb's help. */
export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, notVerified: 4 } as const;

/** The agent's secrets, one in a file, beside its settings. */
export const SECRETS = {
  /** The setting `backup.key`, which is restic's repository password; the keys of log and catalogue are made of it. */
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
  /** The addresses of chats, and the token of the bot that writes into one. */
  slack: "slack",
  discord: "discord",
  telegram: "telegram",
} as const;

/**
 * The port of the agent's metrics, of its health check and (on the companion) of its HTTP interface. Never published.
 */
export const PORTS = { agent: 9180, companion: 9181 } as const;

/** How often, in ms, whoever runs a restore says that it is still needed. */
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
  /** The number of Telegram's chat. */
  telegram: z.string().optional(),
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
