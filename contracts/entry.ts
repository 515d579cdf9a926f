import { z } from "zod";
import { recordOf } from "../lib/ownNames.ts";

/** What a backup may be of. */
export const TYPES = ["full", "db", "files", "incremental"] as const;
/**
 * `full`: database and files. `incremental`: files, and of the database what changed since the last physical backup
 * (else all of it).
 */
export type BackupType = (typeof TYPES)[number];

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
   * The other volumes, by their titles (`titleOf`). Of a service's, also what changed while it was read has the sum
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
