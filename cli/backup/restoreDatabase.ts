import { randomBytes } from "node:crypto";
import { pipeline } from "node:stream/promises";
import type { Results } from "../../contracts/agent.ts";
import type { Entry } from "../../contracts/entry.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { select } from "../shared/project.ts";
import { ask, type BackupHost } from "./agent.ts";
import { DumpFilter } from "./dumpFilter.ts";
import { bytes } from "./format.ts";
import { readJournal } from "./journal.ts";
import { withLoader } from "./loader.ts";
import { disabled, keyOf, makeOf, readSchema, type Schema } from "./objects.ts";
import type { Progress } from "./progress.ts";
import { shownName } from "./shown.ts";
import { type Database, databaseOf, differences, is, load, query, queryBytes, quoted } from "./sql.ts";

export interface Loaded {
  readonly database: Database;
  readonly schema: string;
  readonly reached: string;
  /** What it has, with its events as they are to be: in the schema beside they are off. */
  readonly content: Schema;
}

export const stamp = (now = new Date()): string =>
  now.toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "_");

/** So long may a schema's name be. */
const LONGEST = 64;
const LOADING = /^_(?:restore|import)_\d{8}_\d{6}(?:_[0-9a-f]{8})?$/;
const BEFORE = /^_before_\d{8}_\d{6}$/;
const stem = (live: string): string => live.slice(0, LONGEST - "_restore_20260101_000000_01234567".length);

/** Nobody can have named it before. */
const nameFor =
  (what: "restore" | "import") =>
  (live: string): string =>
    `${stem(live)}_${what}_${stamp()}_${randomBytes(4).toString("hex")}`;
export const restoredName = nameFor("restore");
export const importedName = nameFor("import");
export const previousName = (live: string): string => `${stem(live)}_before_${stamp()}`;
const isOf = (name: string, live: string, ending: RegExp): boolean =>
  [live, stem(live)].some((head) => name.startsWith(head) && ending.test(name.slice(head.length)));

/**
 * The schemas that were made beside a live one: those that restores have kept, and those that a restore was loading.
 */
async function beside(database: Database, live: string, ending: RegExp): Promise<string[]> {
  return (await query(database, "SELECT schema_name FROM information_schema.schemata ORDER BY 1"))
    .map(([name]) => name!)
    .filter((name) => isOf(name, live, ending));
}
export const previousSchemas = (database: Database, live: string): Promise<string[]> => beside(database, live, BEFORE);

/**
 * Takes away what restores that were killed while they loaded have left; for whoever holds the stack's lock of
 * restores.
 */
export async function clearLoaded(database: Database, live: string): Promise<void> {
  if ((await readJournal(database)) !== undefined) return;
  for (const left of await beside(database, live, LOADING)) await query(database, `DROP DATABASE ${quoted(left)}`);
}

/**
 * Loads a backup into a new schema and compares it with what was recorded; a schema that isn't what it should be is
 * dropped.
 */
export async function loadBeside(
  host: BackupHost,
  entry: Entry,
  schema: string,
  toTime: string | undefined,
  progress: Progress,
): Promise<Loaded> {
  const database = databaseOf(host, entry.database!.engine);
  if (
    (await query(database, `SELECT 1 FROM information_schema.schemata WHERE ${is("schema_name", schema)}`)).length > 0
  ) {
    throw new CliError({
      what: `there is a schema ${schema} already, and nothing is loaded over it`,
      remedy: "another name: --into NAME",
    });
  }
  await clearLoaded(database, entry.database!.schema);
  await query(database, `CREATE DATABASE ${quoted(schema)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
  let keep = false;
  try {
    progress.say(
      `loading backup ${entry.id} into the new schema ${schema} beside ` +
        `${entry.database!.schema} (${bytes(entry.database!.bytes)})`,
    );
    const { reached, sums } = await pour(host, database, entry, schema, toTime, progress);
    const content = await eventsOff(database, schema);
    progress.say("comparing rows and checksums of every table");
    const problems = [
      ...(await differences(database, schema, sums)),
      ...(toTime === undefined ? lacking(entry, content) : []),
    ];
    if (problems.length > 0)
      throw new CliError({
        what: `what was loaded is not what was backed up: ${problems.join("; ")}; the live database was not touched`,
        remedy: `check the backup: ./drydock backup verify ${entry.id}${select(host.session.stack)}`,
        code: 4,
      });
    keep = true;
    return { database, schema, reached, content };
  } finally {
    if (!keep) await query(database, `DROP DATABASE IF EXISTS ${quoted(schema)}`).catch(() => undefined);
  }
}

/** Answers what a loaded schema has. It is a copy: its events do nothing. */
async function eventsOff(database: Database, schema: string): Promise<Schema> {
  const content = await readSchema(database, schema);
  const events = content.objects.filter(({ kind }) => kind === "event");
  if (events.length > 0)
    await queryBytes(database, events.map((event) => makeOf(content, disabled(event) ?? event)).join(""));
  return content;
}

/**
 * Views, triggers, routines and events that the backup has and the loaded schema has not. An event of a single moment
 * may be over.
 */
function lacking({ database }: Entry, { objects }: Schema): string[] {
  const found = new Set(objects.map(keyOf));
  return (database?.objects ?? [])
    .filter((one) => !found.has(one) && !one.startsWith("event "))
    .map((one) => `${shownName(one)} is missing`);
}

async function pour(
  host: BackupHost,
  database: Database,
  entry: Entry,
  schema: string,
  toTime: string | undefined,
  progress: Progress,
): Promise<Results["dump"]> {
  return await withLoader(database, schema, async (account) => {
    const { input, done } = load(database, account, schema);
    const data = new DumpFilter(schema);
    const pouring = pipeline(data, input);
    pouring.catch(() => undefined); // said by whoever waits for it
    try {
      const sent = await ask(host, "dump", [entry.id, ...(toTime === undefined ? [] : ["--to-time", toTime])], {
        on: progress.on,
        data,
      });
      await pouring;
      await done;
      return sent;
    } catch (error) {
      // What the database said is the cause where it hung up first.
      input.destroy();
      await Promise.race([done, new Promise((wake) => setTimeout(wake, 5_000))]).catch((cause: unknown) => {
        if (error instanceof CliError && /could not be taken/.test(error.what)) throw denied(cause);
      });
      throw denied(error);
    }
  });
}

/** Something in the backup names another schema than its own, such as the live one: that is not made beside it. */
function denied(error: unknown): unknown {
  if (!(error instanceof CliError) || !/ERROR (1044|1142|1227|1370|1410|1419)\b/.test(error.what)) return error;
  return new CliError({
    what:
      `${error.what}\nsomething in this backup writes to another schema than its own by its name; ` +
      "nothing that is live was touched",
    remedy: "restore the server's files as a whole: --physical, of a full backup",
    code: Exit.refused,
  });
}
