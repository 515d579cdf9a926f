import { randomBytes } from "node:crypto";
import { defined } from "../../lib/defined.ts";
import { shownName } from "./shown.ts";
import { bytes, type Database, is, query, queryBytes, quoted, utf8 } from "./sql.ts";
import { NAME, TRIGGER_HEAD } from "./triggerHead.ts";

const KINDS = ["trigger", "view", "procedure", "function", "package", "package body", "event"] as const;
type Kind = (typeof KINDS)[number];

/** What a schema has beside tables, and how it is made again. */
export interface SchemaObject {
  readonly kind: Kind;
  readonly name: string;
  /** The statement that makes it, as the server has it: bytes, one a character, in the character set `client`. */
  readonly create: string;
  readonly sqlMode: string;
  readonly client: string;
  readonly connection: string;
  /** The collation that the schema had when it was made; routines take it for their parameters. */
  readonly schemaCollation?: string;
  /** Of an event. */
  readonly timeZone?: string;
  /** Of a trigger. */
  readonly table?: string;
}

interface Table {
  readonly name: string;
  readonly kind: "BASE TABLE" | "SYSTEM VERSIONED" | "SEQUENCE";
}

export interface Schema {
  readonly name: string;
  readonly collation: string;
  readonly tables: readonly Table[];
  readonly objects: readonly SchemaObject[];
  /** What can't be moved to another schema, in words. */
  readonly problems: readonly string[];
}

const MOVABLE: readonly string[] = ["BASE TABLE", "SYSTEM VERSIONED", "SEQUENCE"] satisfies readonly Table["kind"][];

/** Everything that a schema has. */
export async function readSchema(database: Database, schema: string): Promise<Schema> {
  const [[collation = ""] = []] = await query(
    database,
    `SELECT default_collation_name FROM information_schema.schemata WHERE ${is("schema_name", schema)}`,
  );
  const all = await query(
    database,
    `SELECT table_name, table_type FROM information_schema.tables WHERE ${is("table_schema", schema)} ORDER BY ` +
      "table_name",
  );
  const tables = all.flatMap(([name, kind]) =>
    MOVABLE.includes(kind!) ? [{ name: name!, kind: kind as Table["kind"] }] : [],
  );
  const unknown = all
    .filter(([, kind]) => !MOVABLE.includes(kind!) && kind !== "VIEW")
    .map(([name, kind]) => `${shownName(name!)} is a ${kind!.toLowerCase()}, which can't be moved`);
  const names = await query(
    database,
    `
    SELECT 'trigger', trigger_name, event_object_table FROM (SELECT * FROM information_schema.triggers WHERE
      ${is("trigger_schema", schema)}) AS t ORDER BY event_object_table, event_manipulation, action_timing,
        action_order;
    SELECT 'view', table_name FROM information_schema.views WHERE ${is("table_schema", schema)} ORDER BY table_name;
    SELECT LOWER(routine_type), routine_name FROM information_schema.routines WHERE ${is("routine_schema", schema)}
      ORDER BY routine_type, routine_name;
    SELECT 'event', event_name FROM information_schema.events WHERE ${is("event_schema", schema)} ORDER BY event_name;`,
  );
  const found = names.map(([kind, name, table]) => ({
    kind: kind as Kind,
    name: name!,
    ...defined({ table }),
  }));
  const { objects, problems } = await texts(database, schema, found);
  return { name: schema, collation, tables, objects, problems: [...unknown, ...problems] };
}

const MARK = "drydock-object";

async function texts(
  database: Database,
  schema: string,
  found: readonly Pick<SchemaObject, "kind" | "name" | "table">[],
): Promise<Pick<Schema, "objects" | "problems">> {
  if (found.length === 0) return { objects: [], problems: [] };
  const shows = found.map(
    ({ kind, name }, index) =>
      `SELECT '${MARK}', ${index}; SHOW CREATE ${kind.toUpperCase()} ${quoted(schema)}.${quoted(name)};`,
  );
  // The names of a schema's own tables are left unqualified where it is the current one.
  const rows = await queryBytes(
    database,
    bytes(`USE ${quoted(schema)}; SET sql_mode = ''; SET character_set_results = NULL;\n${shows.join("\n")}`),
    { force: true },
  );
  const answers = new Map<number, string[]>();
  let at = -1;
  for (const row of rows) {
    if (row[0] === MARK && row.length === 2) at = Number(row[1]);
    else answers.set(at, row);
  }
  const objects: SchemaObject[] = [];
  const problems: string[] = [];
  for (const [index, one] of found.entries()) {
    const row = answers.get(index);
    const object = row === undefined ? undefined : objectOf(one, row);
    if (object === undefined) problems.push(`${one.kind} ${shownName(one.name)} can't be read`);
    else if (object === "qualified")
      problems.push(`${one.kind} ${shownName(one.name)} can't be moved: how it is written can't be understood`);
    else objects.push(object);
  }
  return { objects, problems };
}

/** The columns of SHOW CREATE, by kind. */
function objectOf(
  one: Pick<SchemaObject, "kind" | "name" | "table">,
  row: readonly string[],
): SchemaObject | "qualified" | undefined {
  if (one.kind === "view") {
    const [, create, client, connection] = row;
    return create === undefined || connection === undefined
      ? undefined
      : { ...one, create, sqlMode: "", client: client!, connection };
  }
  const [, sqlMode, ...more] = row;
  const timeZone = one.kind === "event" ? more.shift() : undefined;
  const [create, client, connection, schemaCollation] = more;
  if (
    sqlMode === undefined ||
    create === undefined ||
    create === "NULL" ||
    client === undefined ||
    connection === undefined ||
    schemaCollation === undefined
  )
    return undefined;
  const own = one.kind === "trigger" ? unqualified(create, one.name, one.table!) : create;
  return own === undefined
    ? "qualified"
    : {
        ...one,
        create: own,
        sqlMode,
        client,
        connection,
        schemaCollation,
        ...defined({ timeZone }),
      };
}

const TRIGGER = new RegExp(`^(CREATE\\s+DEFINER=${NAME}@${NAME})\\s+${TRIGGER_HEAD}`, "i");

/**
 * MariaDB keeps a trigger's beginning as it was written: where it names its schema, it would be made there, and not
 * where it is wanted.
 */
function unqualified(create: string, name: string, table: string): string | undefined {
  const match = TRIGGER.exec(create);
  return match === null
    ? undefined
    : `${match[1]} TRIGGER ${bytes(quoted(name))} ${match[4]} ON ${bytes(quoted(table))}${match[7]}` +
        create.slice(match[0].length);
}

const EVENT = new RegExp(
  `^(CREATE\\s+DEFINER=${NAME}@${NAME}\\s+EVENT\\s+${NAME}\\s+ON\\s+` +
    `SCHEDULE\\s[\\s\\S]*?\\sON\\s+COMPLETION\\s+(?:NOT\\s+)?PRESERVE)` +
    `\\s+(?:ENABLE|DISABLE(?:\\s+ON\\s+(?:SLAVE|REPLICA))?)(?=\\s)`,
);

/** An event that does nothing by itself. */
export function disabled(event: SchemaObject): SchemaObject | undefined {
  const match = EVENT.exec(event.create);
  return match === null ? undefined : { ...event, create: `${match[1]} DISABLE${event.create.slice(match[0].length)}` };
}

export const dropOf = (schema: string, { kind, name }: Pick<SchemaObject, "kind" | "name">): string =>
  `DROP ${kind.toUpperCase()} IF EXISTS ${quoted(schema)}.${quoted(name)};`;

const isWord = (value: string): boolean => /^[A-Za-z0-9_]+$/.test(value);

/** The SQL that gives a schema its collation; nothing where that is none. */
export const collate = ({ name, collation }: Pick<Schema, "name" | "collation">): string =>
  isWord(collation) ? `ALTER DATABASE ${quoted(name)} COLLATE ${collation};\n` : "";

/**
 * The SQL that makes an object in a schema, in the place of one of that name; bytes, one a character. It ends with a
 * word that nobody can guess, so that no text in it ends it earlier. Where the object can't be made, the schema is left
 * with the collation that the object was made under: see `collate`.
 */
export function makeOf({ name: schema, collation }: Pick<Schema, "name" | "collation">, object: SchemaObject): string {
  const { create, sqlMode, client, connection, schemaCollation, timeZone } = object;
  // The client reads no more than 15 signs of it.
  const end = `z${randomBytes(7).toString("hex")}`;
  const word = (value: string): string => (isWord(value) ? value : "binary");
  const other =
    object.kind !== "view" && schemaCollation !== undefined && schemaCollation !== collation && isWord(collation);
  const own = other ? collate({ name: schema, collation: schemaCollation }) : "";
  const usual = own === "" ? "" : collate({ name: schema, collation });
  return `${bytes(`USE ${quoted(schema)};
${dropOf(schema, object)}
${own}SET sql_mode = ${`X'${Buffer.from(sqlMode, "latin1").toString("hex")}'`};
${
  timeZone === undefined ? "" : `SET time_zone = X'${Buffer.from(timeZone, "latin1").toString("hex")}';\n`
}SET character_set_client = ${word(client)}, collation_connection = ${word(connection)};
DELIMITER ${end}
`)}${create}
${end}
DELIMITER ;
SET NAMES utf8mb4, sql_mode = '';
${bytes(usual)}`;
}

/**
 * A view of another text: the names of one schema in it become those of another. Only for a schema's name that nobody
 * could have written in it.
 */
export function moved(object: SchemaObject, from: string, to: string): SchemaObject {
  const [old, own] = [bytes(`${quoted(from)}.`), bytes(`${quoted(to)}.`)];
  return { ...object, create: object.create.replaceAll(old, () => own) };
}

const QUALIFIED_VIEW = new RegExp(
  `^CREATE\\s+(?:(?:ALGORITHM=\\w+|DEFINER=${NAME}@${NAME}|SQL\\s+SECURITY\\s+\\w+)\\s+)*VIEW\\s+${NAME}\\s*\\.`,
);

/** Whether a view's text names the schema that it is made in: it can't be obtained elsewhere. */
export const isQualified = ({ create }: SchemaObject): boolean => QUALIFIED_VIEW.test(create);

export interface Account {
  readonly user: string;
  readonly host: string;
}

const DEFINER = new RegExp(`^(CREATE\\s(?:[A-Z_]+(?:=[A-Z_]+)?\\s)*?DEFINER=)(${NAME})@(${NAME})(?=\\s)`);

/** Whose rights it runs with. */
export function definerOf({ create }: SchemaObject): Account | undefined {
  const [, , user, host] = DEFINER.exec(create) ?? [];
  return user === undefined || host === undefined ? undefined : { user: utf8(plain(user)), host: utf8(plain(host)) };
}

const plain = (name: string): string =>
  /^[`"]/.test(name) ? name.slice(1, -1).replaceAll(name[0]!.repeat(2), name[0]!) : name;

export function withDefiner(object: SchemaObject, { user, host }: Account): SchemaObject {
  const quote = (name: string, sign: string): string => bytes(sign + name.replaceAll(sign, sign.repeat(2)) + sign);
  return {
    ...object,
    create: object.create.replace(
      DEFINER,
      (_, head: string, old: string) =>
        `${head}${quote(user, old[0] === '"' ? '"' : "`")}@${quote(host, old[0] === '"' ? '"' : "`")}`,
    ),
  };
}

export const labelOf = ({ kind, name }: Pick<SchemaObject, "kind" | "name">): string => `${kind} ${shownName(name)}`;
export const keyOf = ({ kind, name }: Pick<SchemaObject, "kind" | "name">): string => `${kind} ${name}`;
