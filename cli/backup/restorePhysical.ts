import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { BESIDE, type Entry, type Results } from "../../backup/protocol.ts";
import { CliError } from "../errors.ts";
import { ROOT } from "../project.ts";
import { ask, type BackupHost } from "./agent.ts";
import type { Progress } from "./progress.ts";
import type { Companion } from "./restoreCompanion.ts";
import { stamp } from "./restoreDatabase.ts";
import { databaseOf, query, quoted, text, type Database } from "./sql.ts";
import { stopWorkers, withoutWriters, type Workers } from "./writers.ts";

/** How long the server may take to start on the restored files, in ms. */
const START = 180_000;

const script = (): string => readFileSync(join(ROOT, "commands", "restore-physical.sh"), "utf8");

export interface PhysicalOptions {
  readonly toTime?: string;
  /** Compares what was proven already once more. */
  readonly compare?: true;
}

/** Puts a server's files in the place of the live ones: as fast as the disk, with the server stopped for two renames. */
export async function restorePhysical(host: BackupHost, entry: Entry, { toTime, compare }: PhysicalOptions, companion: Companion, progress: Progress): Promise<{ readonly reached: string; readonly previous: string }> {
  if (entry.database?.format !== "physical") {
    throw new CliError({ what: `backup ${entry.id} holds no files of a server`, remedy: `./drydock backup restore ${entry.id} (table by table)`, code: 3 });
  }
  const database = databaseOf(host, entry.database.engine);
  const files: Files = async (...args) => await companion.run(script(), args);
  let workers: Workers | undefined;
  try {
    progress.say("preparing the server's files beside the live ones");
    const preparing = prepare(host, companion, entry, [...(toTime === undefined ? [] : ["--to-time", toTime]), ...(compare ? ["--compare"] : [])], progress, () => { workers ??= stopWorkers(host, (line) => progress.say(line)); });
    const [prepared] = await Promise.all([preparing, tidy(host, database, files, progress)]);
    progress.say(`prepared${prepared.compared ? " and compared" : ""} in ${prepared.seconds.toFixed(1)} s`);
    const previous = `before-${stamp()}`;
    const closed = workers;
    workers = undefined;
    await withoutWriters(host, (line) => progress.say(line), async () => {
      const began = Date.now();
      await swap(host, database, files, entry.database!.schema, prepared, progress);
      progress.say(`swapped in; the database was away for ${((Date.now() - began) / 1000).toFixed(1)} s`);
    }, closed);
    await files("keep", previous);
    return { reached: prepared.reached, previous: `${BESIDE}/${previous}` };
  } catch (error) {
    await files("clear").catch(() => undefined);
    throw error;
  } finally {
    await workers?.start();
  }
}

type Files = (...args: string[]) => Promise<string>;

async function prepare(host: BackupHost, { alias }: Companion, entry: Entry, args: readonly string[], progress: Progress, soon: () => void): Promise<Results["prepare"]> {
  return await ask(host, "prepare", [entry.id, ...args], {
    companion: alias,
    on: (event) => {
      if (event.event === "progress" && event.step === "finish") soon();
      progress.on(event);
    },
  });
}

async function swap(host: BackupHost, database: Database, files: Files, schema: string, { folder, objects }: Results["prepare"], progress: Progress): Promise<void> {
  await stop(host, database);
  try {
    await files("swap", `restores/${folder}`);
    await start(host, database);
    await look(database, schema, objects);
  } catch (error) {
    progress.say("taking it back: what was live is put in place again", "warn");
    await stop(host, database);
    await files("back");
    await start(host, database);
    throw error;
  }
}

/** All tables are there and can be opened. That their content is what was backed up was proven before. */
async function look(database: Database, schema: string, objects: number): Promise<void> {
  const found = await query(database, `SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = ${text(schema)}`);
  if (found.length !== objects) throw new CliError({ what: `the schema ${schema} has ${found.length} tables and views instead of ${objects}`, code: 4 });
  const tables = found.flatMap(([name, type]) => (type === "BASE TABLE" ? [`SELECT 1 FROM ${quoted(schema)}.${quoted(name!)} LIMIT 1;`] : []));
  if (tables.length > 0) await query(database, tables.join("\n"));
}

/** What a restore that was killed between its two renames has left: this one holds the stack's lock. */
async function tidy(host: BackupHost, database: Database, files: Files, progress: Progress): Promise<void> {
  if ((await files("left")).trim() === "") return;
  if (await answers(database)) {
    const name = `before-${stamp()}`;
    await files("keep", name);
    progress.say(`an earlier restore was cut off after its swap; what was live before it is kept as ${BESIDE}/${name}`, "warn");
  } else {
    progress.say("an earlier restore was cut off during its swap; what was live is put in place again", "warn");
    await stop(host, database);
    await files("back");
    await start(host, database);
  }
}

const answers = async (database: Database): Promise<boolean> => await query(database, "SELECT 1").then(() => true, () => false);

async function stop({ docker }: BackupHost, { container }: Database): Promise<void> {
  const { code, stderr } = await docker.run(["stop", container]);
  if (code !== 0) throw new CliError({ what: `the database could not be stopped: ${stderr.trim()}` });
}

async function start({ docker }: BackupHost, database: Database): Promise<void> {
  const { container } = database;
  await docker.run(["start", container]);
  for (const end = Date.now() + START; Date.now() < end; await sleep(50)) {
    // Sooner than the health check says it.
    const said = await query(database, "SELECT 1").then(() => undefined, (error: unknown) => (error instanceof CliError ? error.what : String(error)));
    if (said === undefined) return;
    // Its accounts are those of the backup, which may be another stack's.
    if (said.includes("ERROR 1045")) throw new CliError({ what: "the restored server has another root password than this stack", remedy: "restore it table by table: the same command without --physical" });
    const { stdout } = await docker.run(["inspect", "--format", "{{.State.Status}}", container]);
    // Docker tries again what ended.
    if (stdout.trim() !== "running") break;
  }
  const { stdout, stderr } = await docker.run(["logs", "--tail", "8", container]);
  throw new CliError({ what: `the database does not answer on the restored files:\n${(stdout + stderr).trim()}` });
}

/** What restores have kept in the database's volume, which is this stack's alone. */
export async function keptPhysical(database: Database): Promise<string[]> {
  return (await inDatabase(database, "kept")).split("\n").flatMap((name) => (name === "" ? [] : [`${BESIDE}/${name}`]));
}

export async function forgetPhysical(database: Database): Promise<void> {
  await inDatabase(database, "forget");
}

async function inDatabase({ host, container }: Database, verb: string): Promise<string> {
  const { code, stdout, stderr } = await host.docker.run(["exec", container, "sh", "-c", script(), "restore", verb]);
  if (code !== 0) throw new CliError({ what: `the database's files: ${stderr.trim()}`, remedy: "./drydock status" });
  return stdout;
}
