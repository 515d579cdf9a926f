import { ALONE } from "./journal.ts";
import { collate, dropOf, keyOf, labelOf, makeOf, readSchema, type Schema, type SchemaObject } from "./objects.ts";
import { shownName } from "./shown.ts";
import { bytes, type Database, query, queryBytes } from "./sql.ts";

/** What can't be moved with its table. */
export const isSetAside = ({ kind }: SchemaObject): boolean => kind === "trigger" || kind === "event";

/** Views of one schema that are called as tables of another, which are to come there. */
export const inTheWay = ({ objects }: Schema, { tables }: Schema): SchemaObject[] =>
  objects.filter(({ kind, name }) => kind === "view" && tables.some((table) => table.name === name));

export async function drop(database: Database, schema: string, objects: readonly SchemaObject[]): Promise<void> {
  // A package takes its body along.
  if (objects.length > 0) await query(database, ALONE + objects.map((object) => dropOf(schema, object)).join("\n"));
}

/** The order in which they need each other; views among themselves in any. */
const ORDER = ["function", "procedure", "package", "package body", "view", "trigger", "event"] as const;

/** Makes objects, each by itself. Answers those that could not be made. */
export async function make(
  database: Database,
  schema: Pick<Schema, "name" | "collation">,
  objects: readonly SchemaObject[],
): Promise<{ readonly object: SchemaObject; readonly why: string }[]> {
  // One that fails leaves the schema with the collation that it was made under.
  const usual = bytes(collate(schema));
  let left = ORDER.flatMap((kind) => objects.filter((object) => object.kind === kind));
  while (left.length > 0) {
    const failed: { object: SchemaObject; why: string }[] = [];
    // All at once first; one by one where that fails, for what one needs may come after it.
    if ((await attempt(database, usual + left.map((object) => makeOf(schema, object)).join(""))) === undefined)
      return [];
    for (const object of left) {
      const why = await attempt(database, usual + makeOf(schema, object));
      if (why !== undefined) failed.push({ object, why });
    }
    if (failed.length === left.length) {
      await attempt(database, usual);
      return failed;
    }
    left = failed.map(({ object }) => object);
  }
  return [];
}

async function attempt(database: Database, sql: string): Promise<string | undefined> {
  try {
    await queryBytes(database, bytes(ALONE) + sql);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^the database said: /, "");
  }
}

/** What a schema lacks, or has besides. */
export async function unlike(database: Database, schema: string, wanted: Schema): Promise<string[]> {
  const found = await readSchema(database, schema);
  const list = ({ tables, objects }: Schema): Map<string, string> =>
    new Map([
      ...tables.map(({ name }) => [`table ${name}`, `table ${shownName(name)}`] as const),
      ...objects.map((object) => [keyOf(object), labelOf(object)] as const),
    ]);
  const [have, want] = [list(found), list(wanted)];
  // One that was for a single moment is gone when that has passed.
  const over = new Set(
    wanted.objects.filter(({ kind, create }) => kind === "event" && /\sON SCHEDULE AT\s/.test(create)).map(keyOf),
  );
  return [
    ...[...want].filter(([key]) => !have.has(key) && !over.has(key)).map(([, label]) => `${label} is missing`),
    ...[...have].filter(([key]) => !want.has(key)).map(([, label]) => `${label} was not in it`),
    ...found.problems,
  ];
}
