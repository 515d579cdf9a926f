import { copyCommand, physicalInfo } from "./companion/client.ts";
import { secretFile } from "./configuration.ts";
import type { Agent } from "./context.ts";
import { sizeOf, sumsOf, versionOf, withDatabase } from "./database.ts";
import { requireTools, tools } from "./engine.ts";
import type { BackupType, BinlogPosition, Entry } from "./protocol.ts";
import { lineage } from "./retention.ts";
import { lastReplaced } from "./state.ts";

type DatabaseEntry = NonNullable<Entry["database"]>;

/** So many increments at most: a restore needs all of them. */
const LONGEST = 6;
/** A smaller database is dumped where only the database is asked for: the server's own files alone would be more. */
const SMALL = 256 * 2 ** 20;

export const DUMP = "database.sql";
export const STREAM = "database.mbstream";

export interface DatabaseBackup {
  readonly id: string;
  readonly type: BackupType;
  /** Whether it is proven at once. */
  readonly proven: boolean;
}

/** Puts the database into the repository. The sums that a restore of it has to have are still missing: see `record`. */
export async function backUpDatabase(agent: Agent, backup: DatabaseBackup, entries: readonly Entry[]): Promise<DatabaseEntry> {
  const { type } = backup;
  requireTools();
  const { engine, schema, physical } = agent.configuration;
  const { version, size } = await withDatabase(async (connection) => ({ version: await versionOf(connection), size: await sizeOf(connection, schema) }));
  const part = physical && !(type === "db" && size < SMALL) ? await copy(agent, backup, type === "incremental" ? baseFor(entries, lastReplaced()) : undefined) : await dump(agent, backup);
  return { engine, version, schema, ...part, sums: {}, migrations: [] };
}

/**
 * Takes the sums of the live database, of one moment after the backup: what is restored is taken there with the binary log, and compared. Whoever
 * calls knows that moment at once, and can restore while the tables are still being read.
 */
export async function record({ reporter }: Agent, entry: Entry): Promise<{ readonly entry: Entry; readonly recorded: Promise<Entry> }> {
  const { database } = entry;
  if (database === undefined) return { entry, recorded: Promise.resolve(entry) };
  return await new Promise((resolve, reject) => {
    let begun = entry;
    const recorded = withDatabase((connection) => sumsOf(connection, database.schema, {
      onTable: (done, total) => reporter.progress("sums", done, total, "tables"),
      onBegin: (position) => {
        begun = { ...entry, database: { ...database, ...(position === undefined ? {} : { sumsPosition: position }) } };
        resolve({ entry: begun, recorded });
      },
    })).then(({ sums, objects, migrations }) => ({ ...begun, database: { ...begun.database!, sums, objects: [...objects], migrations: [...migrations] } }));
    recorded.catch(reject);
  });
}

type Part = Pick<DatabaseEntry, "format" | "bytes" | "added" | "position" | "lsn" | "base">;

/**
 * The newest backup, if it is physical, proven, here, and its line isn't too long. What was made before the server's files were replaced is none: what
 * the server has counted since then is not what it counted before.
 * @param replaced when that was last
 */
export function baseFor(entries: readonly Entry[], replaced: Date | undefined): Entry | undefined {
  const newest = entries.find(({ database }) => database?.format === "physical");
  return newest !== undefined && (replaced === undefined || Date.parse(newest.started) > replaced.getTime()) && newest.verified && newest.database?.lsn !== undefined && newest.copies.includes("local") && lineage(entries, newest).length <= LONGEST ? newest : undefined;
}

async function copy({ local, reporter }: Agent, { id, proven }: DatabaseBackup, base: Entry | undefined): Promise<Part> {
  const stored = await local.restic.storeOutput(id, "database", STREAM, copyCommand(id, base?.database?.lsn), { reporter, proven });
  const { toLsn, position } = await physicalInfo(id);
  return { format: "physical", bytes: stored.bytes, added: stored.added, lsn: toLsn, ...(base === undefined ? {} : { base: base.id }), ...(position === undefined ? {} : { position }) };
}

async function dump({ local, reporter, configuration: { schema } }: Agent, { id, proven }: DatabaseBackup): Promise<Part> {
  const stored = await local.restic.storeOutput(id, "database", DUMP, dumpCommand(schema), { reporter, proven });
  const position = await positionOfDump((to) => local.restic.read(id, "database", DUMP, to));
  return { format: "logical", bytes: stored.bytes, added: stored.added, ...(position === undefined ? {} : { position }) };
}

/** One transaction: a consistent picture, and nobody who writes has to wait. Its position in the log is a comment at its beginning. */
const dumpCommand = (schema: string): readonly string[] => {
  const { dump: [program, ...options], dumpPosition } = tools();
  // The option file has to come first.
  return [program!, `--defaults-file=${secretFile("database")}`, ...options, dumpPosition, schema];
};

/** Reads the beginning of a dump, and no more of it. */
async function positionOfDump(read: (to: import("node:stream").Writable) => Promise<void>): Promise<BinlogPosition | undefined> {
  const { PassThrough } = await import("node:stream");
  const through = new PassThrough();
  let head = "";
  const enough = new Promise<void>((resolve) => {
    through.setEncoding("utf8").on("data", (chunk: string) => {
      if (head.length < 65_536) head += chunk;
      else resolve();
    }).once("end", resolve).once("close", resolve);
  });
  const reading = read(through).catch(() => undefined);
  await enough;
  through.destroy();
  await reading;
  return parsePosition(head);
}

export function parsePosition(head: string): BinlogPosition | undefined {
  const [, file, position] = /CHANGE (?:MASTER|REPLICATION SOURCE) TO (?:MASTER|SOURCE)_LOG_FILE='([^']+)', (?:MASTER|SOURCE)_LOG_POS=(\d+)/.exec(head) ?? [];
  return file === undefined ? undefined : { file, position: Number(position) };
}

