import { type BackupHost, backupHost, containerOf } from "../backup/agent.ts";
import { DumpFilter } from "../backup/dumpFilter.ts";
import type { HostLock } from "../backup/hostLock.ts";
import { withLoader } from "../backup/loader.ts";
import { type Account, readSchema } from "../backup/objects.ts";
import { Progress } from "../backup/progress.ts";
import { clearLoaded, importedName, previousName } from "../backup/restoreDatabase.ts";
import { engineOf, refuseElsewhere, underRestoreLock } from "../backup/resume.ts";
import { shownName } from "../backup/shown.ts";
import { type Database, load, query, quoted } from "../backup/sql.ts";
import { type Say, swap } from "../backup/swap.ts";
import { Unsettled } from "../backup/unsettled.ts";
import { withoutWriters } from "../backup/writers.ts";
import { audited } from "../shared/audit.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { takeLock } from "../shared/locks.ts";
import { select } from "../shared/project.ts";
import { backUpImport, type ImportOptions, mayReplace } from "./common.ts";
import { definersExist, ownedBy } from "./definers.ts";
import { pendingMigrations } from "./migrations.ts";
import { openSource, unpacked } from "./source.ts";

export interface DumpOptions extends ImportOptions {
  readonly keepDefiners?: true;
  readonly backup: boolean;
}

/** Where the application's data is, and whose it is. */
interface Application {
  readonly database: Database;
  readonly schema: string;
  readonly account: Account;
}

interface Outcome {
  readonly schema: string;
  readonly tables: number;
  readonly objects: number;
  /** Whose views, triggers, routines and events are the application's now. */
  readonly definers: readonly string[];
  /** Where what was live is kept. */
  readonly previous: string;
}

/** Puts a dump of a database in the place of the stack's. Returns the exit code. */
export async function importDump(file: string, options: DumpOptions): Promise<number> {
  const source = openSource(file);
  if (file === "-" && process.stdin.isTTY === true)
    throw new CliError({
      what: "- reads the dump from standard input, and nothing is piped in",
      remedy: "ssh old mariadb-dump … | ./drydock import dump -",
      code: Exit.usage,
    });
  if (file === "-" && options.replace && options.yes !== true)
    throw new CliError({
      what: "with - the stack's name can't be asked for: standard input is the dump",
      remedy: "add --yes",
      code: Exit.usage,
    });
  const host = await backupHost(options.stack);
  refuseElsewhere(host.deployed, "./drydock import files DIR");
  const { stack, paths } = host.session;
  return await audited(host.session, "import", ["dump"], async () => {
    const clone = takeLock(paths.lock(stack), stack);
    const progress = new Progress();
    const say: Say = (line, level) => progress.say(line, level);
    try {
      const done = await underRestoreLock(
        host,
        { purpose: "import", about: "an import of a dump", say },
        async (lock) => {
          const application = await applicationOf(host);
          await mayReplace(host, "the dump", await liveTables(application), options, progress);
          return await carryOut(host, application, { file, source }, options, lock, progress);
        },
      );
      const pending = await pendingMigrations(host);
      if (options.backup) await backUpImport(host, progress);
      if (options.json) process.stdout.write(`${JSON.stringify({ stack, ...done, pending: pending ?? null })}\n`);
      else process.stdout.write(`${told(done, pending, stack)}\n`);
      return Exit.ok;
    } finally {
      progress.end();
      clone.release();
    }
  });
}

async function applicationOf(host: BackupHost): Promise<Application> {
  const container = containerOf(host.deployed, "database");
  const { code, stdout, stderr } = await host.docker.run([
    "container",
    "inspect",
    "--format",
    "{{json .Config.Env}}",
    container,
  ]);
  if (code !== 0)
    throw new CliError({
      what: `the database ${container} can't be inspected: ${stderr.trim()}`,
      remedy: "./drydock up",
    });
  const env = JSON.parse(stdout) as string[];
  const of = (name: string): string => env.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
  return {
    database: { docker: host.docker, container, client: await engineOf(host.docker, container) },
    schema: of("MYSQL_DATABASE"),
    account: { user: of("MYSQL_USER"), host: "%" },
  };
}

/**
 * What the schema has that nobody would want to lose, in words: rows, but for those that say which migrations have
 * run.
 */
async function liveTables({ database, schema }: Application): Promise<string> {
  const { tables } = await readSchema(database, schema);
  const filled: string[] = [];
  for (const { name } of tables.filter(({ name, kind }) => kind !== "SEQUENCE" && name !== "migrations")) {
    const [[some] = []] = await query(
      database,
      `SELECT EXISTS (SELECT 1 FROM ${quoted(schema)}.${quoted(name)} LIMIT 1)`,
    );
    if (some === "1") filled.push(shownName(name));
  }
  const names = filled.length > 5 ? [...filled.slice(0, 5), `${filled.length - 5} more`] : filled;
  return filled.length === 0
    ? ""
    : `rows in ${filled.length} table${filled.length === 1 ? "" : "s"} (${names.join(", ")})`;
}

async function carryOut(
  host: BackupHost,
  application: Application,
  from: { readonly file: string; readonly source: ReturnType<typeof openSource> },
  options: DumpOptions,
  lock: HostLock,
  progress: Progress,
): Promise<Outcome> {
  const { database, schema, account } = application;
  await clearLoaded(database, schema);
  const beside = importedName(schema);
  await query(database, `CREATE DATABASE ${quoted(beside)} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`);
  try {
    progress.say(
      `loading ${from.file === "-" ? "the dump" : from.file} into the new schema ${beside}, beside ${schema}`,
    );
    await pour(database, beside, from.source, progress);
    const loaded = await readSchema(database, beside);
    if (loaded.tables.length === 0)
      throw new CliError({
        what: "there is no table in the dump; nothing that is live was touched",
        code: Exit.refused,
      });
    const { content, definers } = options.keepDefiners ? { content: loaded, definers: [] } : ownedBy(loaded, account);
    if (options.keepDefiners) await definersExist(database, loaded);
    const previous = previousName(schema);
    const say: Say = (line, level) => progress.say(line, level);
    await withoutWriters(
      host,
      say,
      { lock },
      async () => await swap(database, { restored: content, live: schema, previous, backup: "an import" }, say),
    );
    return { schema, tables: loaded.tables.length, objects: loaded.objects.length, definers, previous };
  } catch (error) {
    // Put in place, it is gone by itself; left unsettled, it is still needed.
    if (!(error instanceof Unsettled))
      await query(database, `DROP DATABASE IF EXISTS ${quoted(beside)}`).catch(() => undefined);
    throw error;
  }
}

async function pour(
  database: Database,
  schema: string,
  source: ReturnType<typeof openSource>,
  progress: Progress,
): Promise<void> {
  await withLoader(database, schema, async (account) => {
    const { input, done } = load(database, account, schema);
    try {
      await unpacked(source, new DumpFilter(schema), input, (bytes) =>
        progress.on({ event: "progress", step: "load", done: bytes, total: source.bytes, unit: "bytes" }),
      );
      await done;
    } catch (error) {
      input.destroy();
      // What the database said is the cause where it hung up first.
      const cause =
        error instanceof CliError
          ? undefined
          : await Promise.race([
              done.then(
                () => undefined,
                (why: unknown) => why,
              ),
              new Promise<undefined>((wake) => setTimeout(() => wake(undefined), 5_000)),
            ]);
      throw explained(cause ?? error);
    }
  });
}

function explained(error: unknown): unknown {
  // What is wrong with the dump itself has been said already.
  if (error instanceof CliError && error.code !== Exit.failed) return error;
  const what = (error as Error).message;
  const nothing = "nothing that is live was touched";
  if (/ERROR (1044|1142|1227)\b/.test(what))
    return new CliError({
      what: `${what}\nthe dump asks for more than one schema of its own; ${nothing}`,
      remedy:
        "dump the application's database alone: mariadb-dump --single-transaction --routines --triggers --events NAME",
      code: Exit.refused,
    });
  if (/ERROR 1273\b/.test(what))
    return new CliError({
      what: `${what}\nthe dump is of another server, which knows other collations; ${nothing}`,
      remedy:
        "set drydock:database.engine and drydock:database.image to that server's, or replace the collation in the dump",
    });
  return new CliError({ what: `${what}; ${nothing}` });
}

function told(
  { schema, tables, objects, definers, previous }: Outcome,
  pending: readonly string[] | undefined,
  stack: string,
): string {
  const s = select(stack);
  const migrate = `./drydock artisan${s} -- migrate --force`;
  return [
    `Imported ${tables} tables${objects === 0 ? "" : ` and ${objects} views, triggers, routines and events`} ` +
      `into ${schema}.`,
    ...(definers.length === 0
      ? []
      : [`What belonged to ${definers.join(", ")} belongs to the application's account now.`]),
    `What was there before is kept as ${previous}. When nobody needs it any more: ` +
      `./drydock backup restore --forget-previous${s}`,
    ...(pending === undefined
      ? [`Whether migrations are pending could not be asked: ./drydock artisan${s} -- migrate:status`]
      : pending.length === 0
        ? ["No migration is pending."]
        : [
            `${pending.length} migration${pending.length === 1 ? " is" : "s are"} pending (` +
              `${pending.slice(0, 5).map(shownName).join(", ")}${pending.length > 5 ? ", …" : ""}); ` +
              `\`up\` runs them with the next release. Now: ${migrate}`,
          ]),
  ].join("\n");
}
