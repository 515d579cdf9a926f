import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Entry, Results } from "../../backup/protocol.ts";
import { CliError } from "../errors.ts";
import { ROOT } from "../project.ts";
import { ask, type BackupHost } from "./agent.ts";
import type { Progress } from "./progress.ts";
import { databaseOf, differences, load, query, quoted, text, type Database } from "./sql.ts";
import { bytes, select } from "./words.ts";
import { withoutWriters } from "./writers.ts";

export interface Loaded {
  readonly database: Database;
  readonly schema: string;
  readonly reached: string;
}

export const stamp = (now = new Date()): string => now.toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "_");

/** Loads a backup into a new schema and compares it with what was recorded; a schema that isn't what it should be is dropped. */
export async function loadBeside(host: BackupHost, entry: Entry, schema: string, toTime: string | undefined, progress: Progress): Promise<Loaded> {
  const database = databaseOf(host, entry.database!.engine);
  if ((await query(database, `SELECT 1 FROM information_schema.schemata WHERE schema_name = ${text(schema)}`)).length > 0) {
    throw new CliError({ what: `there is a schema ${schema} already, and nothing is loaded over it`, remedy: "another name: --into NAME" });
  }
  // What a restore that was killed has left; this one holds the stack's lock.
  for (const [left] of await query(database, `SELECT schema_name FROM information_schema.schemata WHERE schema_name REGEXP ${text(`^${entry.database!.schema}_restore_[0-9]{8}_[0-9]{6}$`)}`)) await query(database, `DROP DATABASE ${quoted(left!)}`);
  await query(database, `CREATE DATABASE ${quoted(schema)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
  let keep = false;
  try {
    progress.say(`loading backup ${entry.id} into the new schema ${schema} beside ${entry.database!.schema} (${bytes(entry.database!.bytes)})`);
    const { reached, sums } = await pour(host, database, entry, schema, toTime, progress);
    progress.say("comparing rows and checksums of every table");
    const problems = await differences(database, schema, sums);
    if (problems.length > 0) throw new CliError({ what: `what was loaded is not what was backed up: ${problems.join("; ")}; the live database was not touched`, remedy: `check the backup: ./drydock backup verify ${entry.id}${select(host.session.stack)}`, code: 4 });
    keep = true;
    return { database, schema, reached };
  } finally {
    if (!keep) await query(database, `DROP DATABASE IF EXISTS ${quoted(schema)}`).catch(() => undefined);
  }
}

async function pour(host: BackupHost, database: Database, entry: Entry, schema: string, toTime: string | undefined, progress: Progress): Promise<Results["dump"]> {
  const { input, done } = load(database, schema);
  try {
    const sent = await ask(host, "dump", [entry.id, ...(toTime === undefined ? [] : ["--to-time", toTime])], { on: progress.on, data: input });
    await done;
    return sent;
  } catch (error) {
    // What the database said is the cause where it hung up first.
    input.destroy();
    await Promise.race([done, new Promise((wake) => setTimeout(wake, 5_000))]).catch((cause: unknown) => { if (error instanceof CliError && /could not be taken/.test(error.what)) throw cause; });
    throw error;
  }
}

/** Puts a loaded schema in the live one's place; what was live is kept under another name, which is answered. */
export async function swapIn(host: BackupHost, { database, schema }: Loaded, live: string, progress: Progress): Promise<string> {
  const previous = `${live}_before_${stamp()}`;
  const script = readFileSync(join(ROOT, "commands", "restore-swap.sh"), "utf8");
  const began = Date.now();
  await withoutWriters(host, (line) => progress.say(line), async () => {
    const { code, stdout, stderr } = await host.docker.run(["exec", database.container, "sh", "-c", script, "swap", database.client, live, schema, previous]);
    if (code !== 0 || !stdout.includes("swapped")) throw new CliError({ what: `the restored schema could not be put in place: ${stderr.trim()}`, remedy: `it is still there as ${schema}; try again, or drop it` });
    for (const line of stderr.split("\n").filter((line) => line.startsWith("!"))) progress.say(line.slice(2), "warn");
  });
  progress.say(`swapped in; writers waited ${((Date.now() - began) / 1000).toFixed(1)} s`);
  return previous;
}

/** The schemas that restores have kept. */
export async function previousSchemas(database: Database, live: string): Promise<string[]> {
  const rows = await query(database, "SELECT schema_name FROM information_schema.schemata ORDER BY 1");
  return rows.map(([name]) => name!).filter((name) => name.startsWith(`${live}_before_`) && /_before_\d{8}_\d{6}$/.test(name));
}
