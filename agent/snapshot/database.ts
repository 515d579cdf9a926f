import { PassThrough, type Writable } from "node:stream";
import type { BackupType, BinlogPosition, Entry } from "../../contracts/entry.ts";
import { defined } from "../../lib/defined.ts";
import type { Agent } from "../agent.ts";
import { copyCommand, fetched, physicalInfo } from "../companion/client.ts";
import { sizeOf, versionOf, withDatabase } from "../database/connection.ts";
import { type Definers, definersOf, planDump } from "../database/dumpPlan.ts";
import { isItsOwn, type Summed, sumsOf, uncopied, withoutTransactions } from "../database/sums.ts";
import { fits, requireTools, tlsOptions, tools, toolsVersion } from "../database/tools.ts";
import { shown } from "../files/names.ts";
import { secretFile } from "../shared/configuration.ts";
import type { PartCopy } from "../store/entry.ts";
import { DUMP, STREAM } from "../store/parts.ts";
import { lineage } from "../store/retention.ts";
import { lastReplaced, type Replacement } from "../store/state.ts";

type DatabaseEntry = NonNullable<Entry["database"]>;

/** So many increments at most: a restore needs all of them. */
const LONGEST = 6;
/** A smaller database is dumped where only the database is asked for: the server's own files alone would be more. */
const SMALL = 256 * 2 ** 20;

export interface DatabaseBackup {
  readonly id: string;
  readonly type: BackupType;
  /** Whether it is proven at once. */
  readonly proven: boolean;
}

export type DatabaseCopy = PartCopy<DatabaseEntry>;

/** Puts the database into the repository. The sums that a restore of it has to have are missing yet: see `sumLive`. */
export async function backUpDatabase(
  agent: Agent,
  backup: DatabaseBackup,
  entries: readonly Entry[],
): Promise<DatabaseCopy> {
  const { type } = backup;
  requireTools();
  const { engine, schema } = agent.configuration;
  const found = await withDatabase(async (connection) => ({
    version: await versionOf(connection),
    uncopied: agent.configuration.physical ? await uncopied(connection) : undefined,
    // The server's own tool waits for who writes to a table without transactions; a dump reads it at another moment.
    small: (await sizeOf(connection, schema)) < SMALL && (await withoutTransactions(connection, schema)).length === 0,
    definers: await definersOf(connection, schema).catch((error: unknown): Definers => {
      if (!isItsOwn((error as Error).cause ?? error)) throw error;
      return { named: [], absent: [] };
    }),
  }));
  const { version, small, definers, uncopied: inTheWay } = found;
  if (inTheWay !== undefined) agent.reporter.log("warn", `the database is dumped, not copied: ${shown(inTheWay)}`);
  const physically =
    agent.configuration.physical &&
    inTheWay === undefined &&
    !(type === "db" && small) &&
    (await canCopy(agent, version));
  const base = type === "incremental" ? baseFor(entries, lastReplaced()) : undefined;
  // A server elsewhere names no moment: what is the same before and after the dump was the same in it.
  const before =
    agent.configuration.external === true ? (await withDatabase((connection) => sumsOf(connection, schema))).sums : {};
  const { missing, ...part } = physically ? await copy(agent, backup, base) : await dump(agent, backup);
  const absent = definers.absent.length === 0 ? {} : { absentDefiners: [...definers.absent] };
  return {
    entry: { engine, version, schema, ...part, definers: [...definers.named], ...absent, sums: before, migrations: [] },
    missing,
  };
}

/**
 * A server's files are copied and prepared by the tools of its own version alone; a dump is understood by later ones.
 */
async function canCopy({ reporter }: Agent, server: string): Promise<boolean> {
  const own = await toolsVersion();
  if (fits(own, server)) return true;
  reporter.log(
    "warn",
    `the agent's image has the tools of MariaDB ${own} and the server is ${server}: the database is dumped, not copied`,
  );
  return false;
}

/**
 * Takes the sums of the live database, of one moment after the backup: what is restored is taken there with the binary
 * log, and compared. `position` is that moment, known at once: the restore can begin while the tables are being read.
 */
export async function sumLive(
  { reporter }: Agent,
  schema: string,
): Promise<{ readonly position: BinlogPosition | undefined; readonly summed: Promise<Summed> }> {
  return await new Promise((resolve, reject) => {
    const summed = withDatabase((connection) =>
      sumsOf(connection, schema, {
        onTable: (done, total) => reporter.progress("sums", done, total, "tables"),
        onBegin: (position) => resolve({ position, summed }),
      }),
    );
    summed.catch(reject);
  });
}

type Part = Pick<DatabaseEntry, "format" | "bytes" | "added" | "position" | "lsn" | "base" | "excluded"> & {
  readonly missing: readonly string[];
};

/**
 * The newest backup, if it is physical, proven, here, and its line isn't too long. What was made before the server's
 * files were replaced is none: what the server has counted since then is not what it counted before.
 * @param replaced when that was last
 */
export function baseFor(entries: readonly Entry[], replaced: Replacement | undefined): Entry | undefined {
  const newest = entries.find(({ database }) => database?.format === "physical");
  if (
    newest === undefined ||
    !newest.verified ||
    newest.database?.lsn === undefined ||
    !newest.copies.includes("local")
  )
    return undefined;
  // By both: one that was under way has its place in the order afterwards, and the clock may have been ahead.
  const since = ({ at, sequence }: Replacement): boolean =>
    Date.parse(newest.started) > at.getTime() && (newest.sequence ?? 0) > sequence;
  return (replaced === undefined || since(replaced)) && lineage(entries, newest).length <= LONGEST ? newest : undefined;
}

async function copy(
  { local, reporter }: Agent,
  { id, proven }: DatabaseBackup,
  base: Entry | undefined,
): Promise<Part> {
  const command = copyCommand(id, base?.database?.lsn);
  const stored = await fetched(local.restic.storeOutput(id, "database", STREAM, command, { reporter, proven }), () =>
    physicalInfo(id),
  );
  const { toLsn, position } = await physicalInfo(id);
  return {
    format: "physical",
    missing: [],
    bytes: stored.bytes,
    added: stored.added,
    lsn: toLsn,
    ...(base === undefined ? {} : { base: base.id }),
    ...defined({ position }),
  };
}

async function dump({ local, reporter, configuration }: Agent, { id, proven }: DatabaseBackup): Promise<Part> {
  const { plan, tls } = await withDatabase(async (connection) => ({
    plan: await planDump(connection, configuration.schema),
    tls: await tlsOptions(connection),
  }));
  for (const one of plan.missing) reporter.log("warn", one);
  const command = dumpCommand(configuration, [...tls, ...plan.options]);
  const stored = await local.restic.storeOutput(id, "database", DUMP, command, { reporter, proven });
  const position = await positionOfDump((to) => local.restic.read(id, "database", DUMP, to));
  return {
    format: "logical",
    bytes: stored.bytes,
    added: stored.added,
    missing: plan.missing,
    ...defined({ position }),
    ...(plan.excluded.length === 0 ? {} : { excluded: [...plan.excluded] }),
  };
}

/**
 * One transaction: a consistent picture, and nobody who writes has to wait. Its position in the log is a comment at its
 * beginning.
 */
const dumpCommand = ({ schema, external }: Agent["configuration"], more: readonly string[]): readonly string[] => {
  const {
    dump: [program, ...options],
    dumpPosition,
  } = tools();
  // The option file has to come first.
  return [
    program!,
    `--defaults-file=${secretFile("database")}`,
    ...options,
    ...(external === true ? [] : [dumpPosition]),
    ...more,
    schema,
  ];
};

/** Reads the beginning of a dump, and no more of it. */
async function positionOfDump(read: (to: Writable) => Promise<void>): Promise<BinlogPosition | undefined> {
  const through = new PassThrough();
  let head = "";
  const enough = new Promise<void>((resolve) => {
    through
      .setEncoding("utf8")
      .on("data", (chunk: string) => {
        if (head.length < 65_536) head += chunk;
        else resolve();
      })
      .once("end", resolve)
      .once("close", resolve);
  });
  const reading = read(through).catch(() => undefined);
  await enough;
  through.destroy();
  await reading;
  return parsePosition(head);
}

export function parsePosition(head: string): BinlogPosition | undefined {
  const [, file, position] =
    new RegExp(
      "CHANGE (?:MASTER|REPLICATION SOURCE) TO (?:MASTER|SOURCE)_LOG_FILE='([^']+)', (?:MASTER|" +
        String.raw`SOURCE)_LOG_POS=(\d+)`,
    ).exec(head) ?? [];
  return file === undefined ? undefined : { file, position: Number(position) };
}
