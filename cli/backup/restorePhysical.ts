import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BESIDE, type Entry, type Results } from "../../backup/protocol.ts";
import { CliError } from "../errors.ts";
import { ROOT } from "../project.ts";
import { ask, type BackupHost } from "./agent.ts";
import type { Progress } from "./progress.ts";
import { startCompanion, type Companion } from "./restoreCompanion.ts";
import { stamp } from "./restoreDatabase.ts";
import { databaseOf, query, quoted, text, type Database } from "./sql.ts";
import { stopWorkers, withoutWriters, type Workers } from "./writers.ts";

/** How long the server may take to start on the restored files, in seconds. */
const START = 180;

const script = (): string => readFileSync(join(ROOT, "commands", "restore-physical.sh"), "utf8");

export interface PhysicalOptions {
  readonly toTime?: string;
  /** Compares what was proven already once more. */
  readonly compare?: true;
}

/**
 * Puts a server's files in the place of the live ones: as fast as the disk, with the server stopped for two renames. Its companion begins to start at
 * once; nothing live is touched before `restore`.
 */
export class PhysicalRestore {
  readonly #companion: Companion;
  #preparing: Promise<Results["prepare"]> | undefined;
  /** What is left takes about a second. Where it fails, this is never said. */
  readonly #nearly: Promise<void>;
  #soon = (): void => undefined;

  constructor(readonly host: BackupHost, readonly options: PhysicalOptions, readonly progress: Progress) {
    this.#companion = startCompanion(host);
    this.#nearly = new Promise((resolve) => { this.#soon = resolve; });
  }

  /** Begins to make a backup's files beside the live ones. The agent waits for the companion by itself. */
  prepare(id: string): Promise<Results["prepare"]> {
    this.#preparing ??= this.#prepare(id);
    this.#preparing.catch(() => undefined); // said by whoever waits for it
    return this.#preparing;
  }

  async #prepare(id: string): Promise<Results["prepare"]> {
    const { host, progress, options: { toTime, compare } } = this;
    progress.say("preparing the server's files beside the live ones");
    const [prepared] = await Promise.all([ask(host, "prepare", [id, ...(toTime === undefined ? [] : ["--to-time", toTime]), ...(compare ? ["--compare"] : [])], {
      companion: this.#companion,
      on: (event) => {
        if (event.event === "progress" && event.step === "finish") this.#soon();
        progress.on(event);
      },
    }), this.#companion.ready]);
    return prepared;
  }

  /** Answers when it was live as well, in seconds since this process began. */
  async restore(entry: Entry): Promise<{ readonly reached: string; readonly previous: string; readonly live: number }> {
    const { host, progress } = this;
    const say = (line: string): void => progress.say(line);
    if (entry.database?.format !== "physical") {
      throw new CliError({ what: `backup ${entry.id} holds no files of a server`, remedy: `./drydock backup restore ${entry.id} (table by table)`, code: 3 });
    }
    const { schema, engine } = entry.database;
    const database = databaseOf(host, engine);
    const files: Files = async (...args) => await this.#companion.run(script(), args);
    let workers = undefined as Workers | undefined;
    let failed = false;
    void this.#nearly.then(() => { if (!failed) workers = stopWorkers(host, say); });
    try {
      const [prepared] = await Promise.all([this.prepare(entry.id), tidy(host, database, files, progress)]);
      const how = [...(prepared.copied ? ["copied from what its proof has left"] : []), ...(prepared.compared ? ["compared"] : [])];
      progress.say(`prepared in ${prepared.seconds.toFixed(1)} s${how.length === 0 ? "" : `: ${how.join(", ")}`}`);
      const previous = `before-${stamp()}`;
      const stopping = workers;
      workers = undefined;
      const { opened } = await withoutWriters(host, say, async () => {
        const began = Date.now();
        await swap(host, database, files, schema, prepared, progress);
        progress.say(`swapped in; the database was away for ${((Date.now() - began) / 1000).toFixed(1)} s`);
      }, stopping);
      await files("keep", previous);
      // Once more: a backup that was begun since it was prepared is of what was live before, and no increment may build on it.
      await ask(host, "replaced").catch((error: Error) => say(`${error.message}; make the next backup a full one`));
      return { reached: prepared.reached, previous: `${BESIDE}/${previous}`, live: opened };
    } catch (error) {
      failed = true;
      await files("clear").catch(() => undefined);
      throw error;
    } finally {
      await workers?.start();
    }
  }

  /** Takes its companion away. */
  async end(): Promise<void> {
    await this.#companion.remove();
  }
}

type Files = (...args: string[]) => Promise<string>;

async function swap(host: BackupHost, database: Database, files: Files, schema: string, { folder, objects }: Results["prepare"], progress: Progress): Promise<void> {
  await stop(host, database);
  try {
    await files("swap", `restores/${folder}`);
    const found = await start(host, database, `SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = ${text(schema)}`);
    if (found.length !== objects) throw new CliError({ what: `the schema ${schema} has ${found.length} tables and views instead of ${objects}`, code: 4 });
    // All can be opened. That their content is what was backed up was proven before.
    const tables = found.flatMap(([name, type]) => (type === "BASE TABLE" ? [`SELECT 1 FROM ${quoted(schema)}.${quoted(name!)} LIMIT 1;`] : []));
    if (tables.length > 0) await query(database, tables.join("\n"));
  } catch (error) {
    progress.say("taking it back: what was live is put in place again", "warn");
    await stop(host, database);
    await files("back");
    await start(host, database);
    throw error;
  }
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

/** Starts it, and answers what it answers to its first question: sooner than the health check says that it is there. */
async function start({ docker }: BackupHost, database: Database, question = "SELECT 1"): Promise<string[][]> {
  const { container } = database;
  await docker.run(["start", container]);
  try {
    return await query(database, question, { patience: START });
  } catch (error) {
    // Its accounts are those of the backup, which may be another stack's.
    if (error instanceof CliError && error.what.includes("ERROR 1045")) throw new CliError({ what: "the restored server has another root password than this stack", remedy: "restore it table by table: the same command without --physical" });
    const { stdout, stderr } = await docker.run(["logs", "--tail", "8", container]);
    throw new CliError({ what: `the database does not answer on the restored files:\n${(stdout + stderr).trim()}` });
  }
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
