import { CliError, Exit } from "../shared/errors.ts";
import { ALONE, clearJournal, noteTurn, type Plan, readJournal, writeJournal } from "./journal.ts";
import { drop, inTheWay, isSetAside, make, unlike } from "./making.ts";
import {
  collate,
  disabled,
  isQualified,
  keyOf,
  labelOf,
  moved,
  readSchema,
  type Schema,
  type SchemaObject,
} from "./objects.ts";
import { shownName } from "./shown.ts";
import { type Database, is, query, quoted } from "./sql.ts";
import { Unsettled } from "./unsettled.ts";

export type Say = (line: string, level?: "info" | "warn") => void;

/**
 * Puts a restored schema in the live one's place, with one RENAME TABLE; what was live is kept under another name.
 * Either all of it is in place at the end, or nothing is; where this process is killed, or the machine, `settle` brings
 * it to one of the two.
 * @throws CliError (refused) before anything was touched where something can't be moved
 */
export async function swap(
  database: Database,
  {
    restored,
    live,
    previous,
    backup,
  }: { readonly restored: Schema; readonly live: string; readonly previous: string; readonly backup: string },
  say: Say,
): Promise<void> {
  const current = await readSchema(database, live);
  const plan: Plan = { version: 1, backup, began: new Date().toISOString(), live: current, restored, previous };
  const problems = [
    ...restored.problems,
    ...current.problems.filter((problem) => / which can't be moved$/.test(problem)),
  ];
  if (restored.tables.length === 0 && current.tables.length === 0)
    problems.push(`neither ${live} nor ${restored.name} has a table`);
  if (problems.length > 0)
    throw new CliError({
      what: `the backup can't be put in place table by table: ${problems.join("; ")}; nothing was touched`,
      remedy: "restore the server's files as a whole: --physical, of a full backup",
      code: Exit.refused,
    });
  for (const problem of current.problems) say(`of what is live, ${problem}: it is not kept`, "warn");
  await writeJournal(database, plan);
  try {
    await forward(database, plan, say);
  } catch (error) {
    const why = messageOf(error);
    try {
      await noteTurn(database, "back");
      await back(database, plan, say);
    } catch (cause) {
      throw new Unsettled(
        `the restored schema could not be put in place (${why}), ` +
          `and what was live could not be put back (${messageOf(cause)})`,
      );
    }
    throw new CliError({
      what: `the restored schema could not be put in place: ${why}; what was live still is`,
      remedy: "run the same command again; or restore the server's files as a whole: --physical",
    });
  }
  await finish(database, plan, say).catch((error: unknown) =>
    say(
      "what was restored is live, but the rest of it has to be done once more (./drydock backup restore " +
        `--resume): ${messageOf(error)}`,
      "warn",
    ),
  );
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Brings a swap that was cut off to an end. Answers to which; undefined where there was none. */
export async function settle(
  database: Database,
  say: Say,
): Promise<{ readonly ended: "finished" | "back"; readonly plan: Plan } | undefined> {
  const journal = await readJournal(database);
  if (journal === undefined) {
    await clearJournal(database);
    return undefined;
  }
  const { plan, turn } = journal;
  const which = `the restore of backup ${plan.backup} (${plan.began})`;
  try {
    // Until the tables have changed places, what is live is still what it was.
    if (turn !== "proven" && (turn === "back" || !(await renamed(database, plan)).some(Boolean))) {
      say(`${which} was cut off while its tables were put in place; it is taken back`, "warn");
      if (turn !== "back") await noteTurn(database, "back");
      await back(database, plan, say);
      return { ended: "back", plan };
    }
    say(`${which} was cut off after the tables had changed places; it is finished`, "warn");
    // Somebody may have written to them since: they are not taken back.
    if (turn !== "proven") await forward(database, plan, say);
    await finish(database, plan, say);
    return { ended: "finished", plan };
  } catch (error) {
    throw new Unsettled(`${which} was cut off, and could not be brought to an end: ${messageOf(error)}`);
  }
}

interface Move {
  readonly table: string;
  readonly from: string;
  readonly to: string;
}

/** In their order: first the live ones make room. */
const moves = ({ live, restored, previous }: Plan): Move[] => [
  ...live.tables.map(({ name }) => ({ table: name, from: live.name, to: previous })),
  ...restored.tables.map(({ name }) => ({ table: name, from: restored.name, to: live.name })),
];

/**
 * Which of the moves have been made: a table that is in the schema where it was kept, or is not where it was loaded,
 * has been moved.
 */
async function renamed(database: Database, plan: Plan): Promise<boolean[]> {
  const [kept, left] = [await tablesOf(database, plan.previous), await tablesOf(database, plan.restored.name)];
  return moves(plan).map(({ table, to }) => (to === plan.previous ? kept.has(table) : !left.has(table)));
}

async function tablesOf(database: Database, schema: string): Promise<Set<string>> {
  return new Set(
    (
      await query(
        database,
        `SELECT table_name FROM information_schema.tables WHERE ${is("table_schema", schema)} AND table_type <> 'VIEW'`,
      )
    ).map(([name]) => name!),
  );
}

/**
 * One statement: there is either the old or the new. Somebody who still writes makes it fail after half a minute, not
 * wait for ever.
 */
async function rename(database: Database, pairs: readonly Move[]): Promise<void> {
  if (pairs.length === 0) return;
  const list = pairs
    .map(({ table, from, to }) => `${quoted(from)}.${quoted(table)} TO ${quoted(to)}.${quoted(table)}`)
    .join(", ");
  await query(database, `${ALONE}SET SESSION foreign_key_checks = 0, lock_wait_timeout = 30; RENAME TABLE ${list};`);
}

async function forward(database: Database, plan: Plan, say: Say): Promise<void> {
  const { live, restored, previous } = plan;
  await query(
    database,
    `${ALONE}CREATE DATABASE IF NOT EXISTS ${quoted(previous)} CHARACTER SET utf8mb4; ` +
      `ALTER DATABASE ${quoted(previous)} COLLATE ` +
      `${/^[A-Za-z0-9_]+$/.test(live.collation) ? live.collation : "utf8mb4_unicode_ci"};`,
  );
  const done = await renamed(database, plan);
  if (!done.every(Boolean)) {
    say("setting triggers and events aside");
    // Neither can be moved with its table; views and routines stay where they are until there is something in
    // their place.
    await drop(database, live.name, [...live.objects.filter(isSetAside), ...inTheWay(live, restored)]);
    await drop(
      database,
      restored.name,
      restored.objects.filter(({ kind }) => kind === "trigger"),
    );
    say("putting the tables in place");
    await rename(
      database,
      moves(plan).filter((_, index) => !done[index]),
    );
  }
  say("making views, triggers, routines and events");
  const broken = await make(
    database,
    live,
    restored.objects.map((object) => moved(object, restored.name, live.name)),
  );
  if (broken.length > 0)
    throw new CliError({
      what:
        "what belongs to the restored tables could not be made: " +
        `${broken.map(({ object, why }) => `${labelOf(object)} (${why})`).join("; ")}`,
    });
  const wanted = new Set(restored.objects.map(keyOf));
  await drop(
    database,
    live.name,
    live.objects.filter((object) => !wanted.has(keyOf(object))),
  );
  const missing = await unlike(database, live.name, restored);
  if (missing.length > 0)
    throw new CliError({ what: `what is in place now is not what was restored: ${missing.join("; ")}` });
  await noteTurn(database, "proven");
}

/** What is live is what was restored; the rest is clearing up. */
async function finish(database: Database, plan: Plan, say: Say): Promise<void> {
  const { restored } = plan;
  await keepBeside(database, plan, say);
  const left = await tablesOf(database, restored.name);
  if (left.size > 0)
    throw new CliError({
      what: `the schema ${restored.name} still has ${[...left].map(shownName).join(", ")}, and is left as it is`,
    });
  await query(database, `DROP DATABASE IF EXISTS ${quoted(restored.name)}`);
  await clearJournal(database);
}

/** What is kept has its views, routines and triggers where that is possible; what is kept does nothing by itself. */
async function keepBeside(database: Database, { live, previous }: Plan, say: Say): Promise<void> {
  const whole = live.objects.flatMap((object) =>
    object.kind === "event" ? (disabled(object) ?? []) : object.kind === "view" && isQualified(object) ? [] : object,
  );
  const broken = await make(database, { name: previous, collation: live.collation }, whole);
  const lost = [
    ...live.objects.filter((object) => !whole.some((one) => keyOf(one) === keyOf(object))),
    ...broken.map(({ object }) => object),
  ];
  if (lost.length > 0)
    say(
      `the schema that is kept, ${previous}, is without: ${lost.map(labelOf).join(", ")}; the backups have them`,
      "warn",
    );
}

/** Whether only the journal is left of what was taken back: both schemas go last. */
async function isTakenBack(database: Database, { restored, previous }: Plan): Promise<boolean> {
  const found = await query(
    database,
    `SELECT schema_name FROM information_schema.schemata WHERE ${is("schema_name", restored.name)}`,
  );
  return found.length === 0 && (await tablesOf(database, previous)).size === 0;
}

/** Brings back what was live. What was restored is a copy: it goes. */
async function back(database: Database, plan: Plan, say: Say): Promise<void> {
  const { live, restored, previous } = plan;
  if (await isTakenBack(database, plan)) return await clearJournal(database);
  const done = await renamed(database, plan);
  const made = moves(plan).filter((_, index) => done[index]);
  if (made.length > 0) {
    await drop(database, live.name, [
      ...[...restored.objects, ...live.objects].filter(isSetAside),
      ...inTheWay(restored, live),
    ]);
    // What was live, once more in one statement: the restored tables make room.
    await rename(
      database,
      made.reverse().map(({ table, from, to }) => ({ table, from: to, to: from })),
    );
  }
  // Where it was cut off, an object may have been about to be made under another one.
  await query(database, `${ALONE}${collate(live)}`);
  const own = new Set(live.objects.map(keyOf));
  const there = await readSchema(database, live.name);
  await drop(
    database,
    live.name,
    restored.objects.filter((object) => !own.has(keyOf(object))),
  );
  const same = (object: SchemaObject): boolean =>
    there.objects.some((one) => keyOf(one) === keyOf(object) && one.create === object.create);
  const broken = await make(
    database,
    live,
    live.objects.filter((object) => !same(object)),
  );
  for (const { object, why } of broken)
    say(`${labelOf(object)} was broken before, and could not be made again (${why})`, "warn");
  const kept = await tablesOf(database, previous);
  if (kept.size > 0)
    throw new CliError({
      what: `the schema ${previous} still has ${[...kept].map(shownName).join(", ")}, and is left as it is`,
    });
  await query(
    database,
    `DROP DATABASE IF EXISTS ${quoted(previous)}; DROP DATABASE IF EXISTS ${quoted(restored.name)};`,
  );
  await clearJournal(database);
}
