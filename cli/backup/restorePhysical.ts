import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BESIDE, type Results } from "../../contracts/agent.ts";
import type { Entry } from "../../contracts/entry.ts";
import { CliError } from "../shared/errors.ts";
import { ROOT } from "../shared/project.ts";
import { ask, type BackupHost } from "./agent.ts";
import type { Progress } from "./progress.ts";
import { type Companion, startCompanion } from "./restoreCompanion.ts";
import { stamp } from "./restoreDatabase.ts";
import { type Database, databaseOf, is, query, quoted, TABLES } from "./sql.ts";
import type { Say } from "./swap.ts";
import { Unsettled } from "./unsettled.ts";
import { type Background, stopBackground } from "./writers.ts";

/** How long the server may take to start on the restored files, in seconds. */
const START = 180;

export const physicalScript = (): string => readFileSync(join(ROOT, "commands/inside/restore-physical.sh"), "utf8");

export interface PhysicalOptions {
  readonly toTime?: string;
  /** Compares what was proven already once more. */
  readonly compare?: true;
}

/**
 * Puts a server's files in the place of the live ones: as fast as the disk, with the server stopped for two renames.
 * Its companion begins to start at once; nothing live is touched before `swap`.
 */
export class PhysicalRestore {
  readonly #companion: Companion;
  #preparing: Promise<Results["prepare"]> | undefined;
  #background: Background | undefined;
  #given = false;
  #swapped = false;
  /** Whether Horizon, workers and the scheduler may be stopped when what is left takes about a second. */
  early = false;

  constructor(
    readonly host: BackupHost,
    readonly options: PhysicalOptions,
    readonly progress: Progress,
  ) {
    this.#companion = startCompanion(host);
  }

  readonly #files = async (...args: string[]): Promise<string> => await this.#companion.run(physicalScript(), args);
  readonly #say: Say = (line, level) => this.progress.say(line, level);

  /** Begins to make a backup's files beside the live ones. The agent waits for the companion by itself. */
  prepare(id: string): Promise<Results["prepare"]> {
    this.#preparing ??= this.#prepare(id);
    this.#preparing.catch(() => undefined); // said by whoever waits for it
    return this.#preparing;
  }

  async #prepare(id: string): Promise<Results["prepare"]> {
    const {
      host,
      progress,
      options: { toTime, compare },
    } = this;
    progress.say("preparing the server's files beside the live ones");
    const [prepared] = await Promise.all([
      ask(
        host,
        "prepare",
        [id, ...(toTime === undefined ? [] : ["--to-time", toTime]), ...(compare ? ["--compare"] : [])],
        {
          companion: this.#companion,
          on: (event) => {
            if (event.event === "progress" && event.step === "finish" && this.early && !this.#given)
              this.#background ??= stopBackground(host, this.#say);
            progress.on(event);
          },
        },
      ),
      this.#companion.ready,
    ]);
    return prepared;
  }

  /** Answers when they are ready. */
  async ready(entry: Entry): Promise<Results["prepare"]> {
    if (entry.database?.format !== "physical") {
      throw new CliError({
        what: `backup ${entry.id} holds no files of a server`,
        remedy: `./drydock backup restore ${entry.id} (table by table)`,
        code: 3,
      });
    }
    const prepared = await this.prepare(entry.id);
    const how = [
      ...(prepared.copied ? ["copied from what its proof has left"] : []),
      ...(prepared.compared ? ["compared"] : []),
    ];
    this.progress.say(`prepared in ${prepared.seconds.toFixed(1)} s${how.length === 0 ? "" : `: ${how.join(", ")}`}`);
    return prepared;
  }

  /** What works in the background, where it is being stopped already: it is the caller's from here on. */
  takeBackground(): Background | undefined {
    this.#given = true;
    return this.#background;
  }

  /** Swaps them in, while nobody writes. Answers the name under which what was live is kept. */
  async swap(entry: Entry, prepared: Results["prepare"]): Promise<string> {
    const { schema, engine } = entry.database!;
    const previous = `before-${stamp()}`;
    const began = Date.now();
    await swap(databaseOf(this.host, engine), this.#files, schema, previous, prepared, this.#say);
    this.#swapped = true;
    this.progress.say(`swapped in; the database was away for ${((Date.now() - began) / 1000).toFixed(1)} s`);
    return `${BESIDE}/${previous}`;
  }

  /** When the site is open again. */
  async keep(): Promise<void> {
    await this.#files("keep");
    await noteReplaced(this.host, this.#say);
  }

  /** Takes its companion away, and what it made where that was not put in place. */
  async end(): Promise<void> {
    if (!this.#swapped && this.#preparing !== undefined) await this.#files("clear").catch(() => undefined);
    if (!this.#given) await this.#background?.start();
    await this.#companion.remove();
  }
}

/**
 * Once more: a backup that was started since it was prepared is of what was live before, and no increment may build on
 * it. And the log from here on is of other data than the backups before.
 */
export async function noteReplaced(host: BackupHost, say: Say): Promise<void> {
  await ask(host, "replaced").catch((error: Error) => say(`${error.message}; make the next backup a full one`, "warn"));
}

export type Files = (...args: string[]) => Promise<string>;

async function swap(
  database: Database,
  files: Files,
  schema: string,
  previous: string,
  { folder, objects }: Results["prepare"],
  say: Say,
): Promise<void> {
  await stop(database);
  try {
    await files("swap", `restores/${folder}`, previous);
    const found = await start(
      database,
      `SELECT table_name, table_type FROM information_schema.tables WHERE ${is("table_schema", schema)}`,
    );
    if (found.length !== objects)
      throw new CliError({
        what: `the schema ${schema} has ${found.length} tables and views instead of ${objects}`,
        code: 4,
      });
    // All can be opened. That their content is what was backed up was proven before.
    const tables = found.flatMap(([name, type]) =>
      (TABLES as readonly string[]).includes(type!)
        ? [`SELECT 1 FROM ${quoted(schema)}.${quoted(name!)} LIMIT 1;`]
        : [],
    );
    if (tables.length > 0) await query(database, tables.join("\n"));
    await files("proven");
  } catch (error) {
    say("taking it back: what was live is put in place again", "warn");
    try {
      const aside = await takeBack(database, files);
      // Nobody has written to them: the site was closed all the time.
      if (aside !== "") await files("discard", aside);
    } catch (cause) {
      throw new Unsettled(
        `the restored files could not be put in place (${(error as Error).message}), ` +
          `nor what was live be put back (${(cause as Error).message})`,
      );
    }
    throw error;
  }
}

export async function takeBack(database: Database, files: Files): Promise<string> {
  await stop(database);
  const aside = (await files("back")).trim();
  await start(database);
  return aside;
}

async function stop({ docker, container }: Database): Promise<void> {
  const { code, stderr } = await docker.run(["stop", container]);
  if (code !== 0) throw new CliError({ what: `the database could not be stopped: ${stderr.trim()}` });
}

/** Starts it, and answers what it answers to its first question: sooner than the health check says that it is there. */
export async function start(database: Database, question = "SELECT 1"): Promise<string[][]> {
  const { docker, container } = database;
  await docker.run(["start", container]);
  try {
    return await query(database, question, { patience: START });
  } catch (error) {
    // Its accounts are those of the backup, which may be another stack's.
    if (error instanceof CliError && error.what.includes("ERROR 1045"))
      throw new CliError({
        what: "the restored server has another root password than this stack",
        remedy: "restore it table by table: the same command without --physical",
      });
    const { stdout, stderr } = await docker.run(["logs", "--tail", "8", container]);
    throw new CliError({ what: `the database does not answer on the restored files:\n${(stdout + stderr).trim()}` });
  }
}
