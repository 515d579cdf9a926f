import { bytes, type Database, utf8 } from "../../../cli/backup/sql.ts";
import type { Docker } from "../../../cli/shared/docker.ts";

/** An object as the server keeps it; texts are bytes, one a character. */
interface Made {
  readonly kind: string;
  readonly name: string;
  readonly create: string;
  readonly table: string | undefined;
  readonly sqlMode: string;
  readonly client: string;
  readonly connection: string;
  readonly schemaCollation: string;
  readonly timeZone: string;
}

interface SchemaInMemory {
  collation: string;
  /** Rows in words, and the table's kind. */
  readonly tables: Map<string, { readonly kind: string; readonly rows: string }>;
  readonly objects: Map<string, Made>;
}

const NAME = "`((?:[^`]|``)*)`";
const plain = (name: string): string => name.replaceAll("``", "`");
const escaped = (field: string): string =>
  field.replace(/[\\\0\n\t]/g, (sign) => ({ "\\": "\\\\", "\0": "\\0", "\n": "\\n", "\t": "\\t" })[sign]!);

class Refused extends Error {}

/**
 * A database's server in memory, as much of one as a restore by tables asks for: it takes the statements that are sent
 * to it, refuses what a server refuses, and knows nothing else, so that an unknown one fails. Real servers are asked
 * the same in test/hostile.
 */
export class MemoryServer implements Database {
  readonly container = "database-1";
  readonly client = "mariadb";
  readonly schemas = new Map<string, SchemaInMemory>();
  /** Every statement, in order, as text. */
  readonly said: string[] = [];
  /** Of these statements what went into the binary log. */
  readonly logged: string[] = [];
  /** Names of the calls' locks; undefined where a call took none. */
  readonly locks: (string | undefined)[] = [];
  /** Answers why a statement fails. */
  fails: (statement: string) => string | undefined = () => undefined;
  /** Called before each call of Docker; where it never answers, the command line was killed. */
  before: () => Promise<void> = async () => undefined;

  readonly docker: Docker = {
    env: {},
    run: async (args, options = {}) => {
      await this.before();
      const input = (options.input as Buffer).toString("latin1");
      const [, , container, , , , , client, , length] = args;
      if (container !== this.container || client !== this.client || Number(length) !== input.length)
        throw new Error(`no call of the database's client: ${args.join(" ")}`);
      return this.#session(input, args.includes("--force"));
    },
  };

  schema(name: string, collation = "utf8mb4_unicode_ci"): SchemaInMemory {
    const made: SchemaInMemory = { collation, tables: new Map(), objects: new Map() };
    this.schemas.set(name, made);
    return made;
  }

  /** All that there is, for a comparison. */
  picture(): unknown {
    return Object.fromEntries(
      [...this.schemas]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([name, { collation, tables, objects }]) => [
          name,
          { collation, tables: Object.fromEntries(tables), objects: [...objects.values()].map((one) => ({ ...one })) },
        ]),
    );
  }

  #session(input: string, force: boolean): { code: number; stdout: string; stderr: string } {
    const session: Record<string, string> = { database: "", sql_log_bin: "1", time_zone: "SYSTEM" };
    const rows: string[][] = [];
    let stderr = "";
    let code = 0;
    this.locks.push(undefined);
    for (const statement of statementsOf(input)) {
      session.statement = statement;
      this.said.push(utf8(statement));
      try {
        const why = this.fails(utf8(statement));
        if (why !== undefined) throw new Refused(why);
        rows.push(...this.#run(statement, session));
        if (session.sql_log_bin === "1" && !/^(?:SELECT|SHOW|USE|SET|DO)\b/.test(statement))
          this.logged.push(statement);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        stderr += `ERROR 1064 (42000) at line 1: ${bytes(error.message)}\n`;
        code = 1;
        if (!force) break;
      }
    }
    return { code, stdout: rows.map((row) => `${row.map(escaped).join("\t")}\n`).join(""), stderr };
  }

  #of(name: string): SchemaInMemory {
    const found = this.schemas.get(name);
    if (found === undefined) throw new Refused(`Unknown database '${utf8(name)}'`);
    return found;
  }

  #run(statement: string, session: Record<string, string>): string[][] {
    for (const [pattern, work] of this.#grammar) {
      const match = new RegExp(`^(?:${pattern})$`, "s").exec(statement);
      if (match !== null) return work.call(this, match.slice(1) as string[], session) ?? [];
    }
    throw new Error(`this server does not know: ${utf8(statement)}`);
  }

  readonly #grammar: readonly (readonly [
    pattern: string,
    work: (parts: string[], session: Record<string, string>) => string[][] | undefined,
  ])[] = [
    [
      "DO GET_LOCK\\('([^']*)', (\\d+)\\)",
      ([name]) => {
        this.locks[this.locks.length - 1] = name;
        return undefined;
      },
    ],
    [
      "SET (?:SESSION )?(.*)",
      ([list], session) => {
        for (const [, name, value] of list!.matchAll(/(\w+)(?: = | )([^,]*)/g))
          session[name!] = value!.startsWith("X'")
            ? Buffer.from(value!.slice(2, -1), "hex").toString("latin1")
            : value!.replace(/^'|'$/g, "");
        return undefined;
      },
    ],
    [
      `USE ${NAME}`,
      ([name], session) => {
        this.#of(plain(name!));
        session.database = plain(name!);
        return undefined;
      },
    ],
    [
      `CREATE DATABASE (IF NOT EXISTS )?(?:${NAME}|(\\w+))(?: CHARACTER SET utf8mb4)?`,
      ([unless, name, bare]) => {
        const of = bare ?? plain(name!);
        if (!this.schemas.has(of)) this.schema(of, "utf8mb4_general_ci");
        else if (unless === undefined) throw new Refused(`Can't create database '${of}'; database exists`);
        return undefined;
      },
    ],
    [
      `ALTER DATABASE ${NAME} COLLATE (\\w+)`,
      ([name, collation]) => {
        this.#of(plain(name!)).collation = collation!;
        return undefined;
      },
    ],
    [
      `DROP DATABASE IF EXISTS (?:${NAME}|(\\w+))`,
      ([name, bare]) => {
        this.schemas.delete(bare ?? plain(name!));
        return undefined;
      },
    ],
    [
      "RENAME TABLE (.*)",
      ([list]) => {
        this.#rename(list!);
        return undefined;
      },
    ],
    [
      `DROP (TRIGGER|VIEW|PROCEDURE|FUNCTION|PACKAGE|PACKAGE BODY|EVENT) IF EXISTS ${NAME}\\.${NAME}`,
      ([kind, schema, name]) => {
        const { objects } = this.#of(plain(schema!));
        objects.delete(`${kind!.toLowerCase()} ${plain(name!)}`);
        if (kind === "PACKAGE") objects.delete(`package body ${plain(name!)}`);
        return undefined;
      },
    ],
    [
      "SELECT default_collation_name FROM information_schema\\.schemata WHERE (.*)",
      ([condition]) => {
        const found = this.schemas.get(compared("schema_name", condition!));
        return found === undefined ? [] : [[found.collation]];
      },
    ],
    [
      "SELECT schema_name FROM information_schema\\.schemata WHERE (.*)",
      ([condition]) => {
        const name = compared("schema_name", condition!);
        return this.schemas.has(name) ? [[name]] : [];
      },
    ],
    [
      "SELECT table_name, table_type FROM information_schema\\.tables WHERE (.*) ORDER BY table_name",
      ([condition]) => this.#tables(compared("table_schema", condition!)),
    ],
    [
      "SELECT table_name, table_type FROM information_schema\\.tables WHERE (.*) AND table_type IN " +
        "\\('BASE TABLE', 'SYSTEM VERSIONED'\\)",
      ([condition]) =>
        this.#tables(compared("table_schema", condition!)).filter(([, kind]) =>
          ["BASE TABLE", "SYSTEM VERSIONED"].includes(kind!),
        ),
    ],
    [
      "SELECT table_name FROM information_schema\\.tables WHERE (.*) AND table_type <> 'VIEW'",
      ([condition]) =>
        this.#tables(compared("table_schema", condition!)).flatMap(([name, kind]) =>
          kind === "VIEW" ? [] : [[name!]],
        ),
    ],
    [
      "SELECT table_name FROM information_schema\\.tables WHERE table_schema = '(\\w+)'",
      ([schema]) => this.#tables(schema!).map(([name]) => [name!]),
    ],
    [
      "SELECT 'trigger', trigger_name, event_object_table FROM \\(SELECT \\* FROM information_schema\\.triggers WHERE" +
        "\\s+(.*)\\) AS t ORDER BY event_object_table, event_manipulation, action_timing,\\s+action_order",
      ([condition]) =>
        this.#objects(compared("trigger_schema", condition!), ["trigger"]).map(({ name, table }) => [
          "trigger",
          name,
          table!,
        ]),
    ],
    [
      "SELECT 'view', table_name FROM information_schema\\.views WHERE (.*) ORDER BY table_name",
      ([condition]) => this.#objects(compared("table_schema", condition!), ["view"]).map(({ name }) => ["view", name]),
    ],
    [
      "SELECT LOWER\\(routine_type\\), routine_name FROM information_schema\\.routines WHERE (.*)\\s+" +
        "ORDER BY routine_type, routine_name",
      ([condition]) =>
        this.#objects(compared("routine_schema", condition!), ["function", "package", "package body", "procedure"]).map(
          ({ kind, name }) => [kind, name],
        ),
    ],
    [
      "SELECT 'event', event_name FROM information_schema\\.events WHERE (.*) ORDER BY event_name",
      ([condition]) =>
        this.#objects(compared("event_schema", condition!), ["event"]).map(({ name }) => ["event", name]),
    ],
    ["SELECT '([^']*)', (\\d+)", ([mark, index]) => [[mark!, index!]]],
    [
      `SHOW CREATE (TRIGGER|VIEW|PROCEDURE|FUNCTION|PACKAGE|PACKAGE BODY|EVENT) ${NAME}\\.${NAME}`,
      ([kind, schema, name]) => {
        const one = this.#of(plain(schema!)).objects.get(`${kind!.toLowerCase()} ${plain(name!)}`);
        if (one === undefined) throw new Refused(`${kind} ${utf8(name!)} does not exist`);
        if (one.kind === "view") return [[one.name, one.create, one.client, one.connection]];
        const zone = one.kind === "event" ? [one.timeZone] : [];
        return [[one.name, one.sqlMode, ...zone, one.create, one.client, one.connection, one.schemaCollation]];
      },
    ],
    [
      "CREATE\\s.*?\\b(TRIGGER|VIEW|PROCEDURE|FUNCTION|PACKAGE BODY|PACKAGE|EVENT)\\s+" + `(?:${NAME}\\.)?${NAME}(.*)`,
      ([kind, schema, name, rest], session) => {
        this.#make(kind!.toLowerCase(), plain(schema ?? session.database!), plain(name!), rest!, session);
        return undefined;
      },
    ],
    [
      "CREATE TABLE (\\w+)\\.entries \\(.*\\) ENGINE=InnoDB",
      ([schema]) => {
        this.#of(schema!).tables.set("entries", { kind: "BASE TABLE", rows: "" });
        return undefined;
      },
    ],
    [
      "START TRANSACTION",
      (_, session) => {
        session.held = "";
        return undefined;
      },
    ],
    [
      "INSERT INTO (\\w+)\\.entries \\(kind, entry\\) VALUES \\('(\\w+)', X'([0-9a-f]*)'\\)",
      ([schema, kind, entry], session) => {
        const { tables } = this.#of(schema!);
        if (!tables.has("entries")) throw new Refused(`Table '${schema}.entries' doesn't exist`);
        const line = `${kind}:${entry}\n`;
        if (session.held === undefined)
          tables.set("entries", { kind: "BASE TABLE", rows: tables.get("entries")!.rows + line });
        else {
          session.held += line;
          session.into = schema!;
        }
        return undefined;
      },
    ],
    [
      "COMMIT",
      (_, session) => {
        const { tables } = this.#of(session.into!);
        tables.set("entries", { kind: "BASE TABLE", rows: tables.get("entries")!.rows + session.held });
        return undefined;
      },
    ],
    [
      "SELECT kind, HEX\\(entry\\) FROM (\\w+)\\.entries ORDER BY id",
      ([schema]) =>
        (this.#of(schema!).tables.get("entries")?.rows ?? "")
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => [line.split(":")[0]!, line.split(":")[1]!.toUpperCase()]),
    ],
  ];

  #tables(schema: string): string[][] {
    const found = this.schemas.get(schema);
    if (found === undefined) return [];
    return [
      ...[...found.tables].map(([name, { kind }]) => [name, kind]),
      ...[...found.objects.values()].filter(({ kind }) => kind === "view").map(({ name }) => [name, "VIEW"]),
    ].sort(([a], [b]) => (a! < b! ? -1 : 1));
  }

  #objects(schema: string, kinds: readonly string[]): Made[] {
    return [...(this.schemas.get(schema)?.objects.values() ?? [])]
      .filter(({ kind }) => kinds.includes(kind))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** All or nothing. */
  #rename(list: string): void {
    const pair = new RegExp(`${NAME}\\.${NAME} TO ${NAME}\\.${NAME}(?:, |$)`, "gs");
    const pairs = [...list.matchAll(pair)].map((match) => match.slice(1).map((part) => plain(part!)));
    if ([...list.matchAll(pair)].map(([whole]) => whole).join("") !== list) throw new Refused(`syntax: ${list}`);
    const after = new Map([...this.schemas].map(([name, { tables }]) => [name, new Map(tables)]));
    for (const [from, table, to, as] of pairs as [string, string, string, string][]) {
      const row = after.get(from)?.get(table);
      if (row === undefined) throw new Refused(`Table '${utf8(from)}.${utf8(table)}' doesn't exist`);
      if ([...this.#of(from).objects.values()].some((one) => one.kind === "trigger" && one.table === table))
        throw new Refused("Trigger in wrong schema");
      if (after.get(to) === undefined || after.get(to)!.has(as) || this.#of(to).objects.has(`view ${as}`))
        throw new Refused(`Table '${utf8(as)}' already exists`);
      after.get(from)!.delete(table);
      after.get(to)!.set(as, row);
    }
    for (const [name, tables] of after) {
      const own = this.#of(name).tables;
      own.clear();
      for (const [table, row] of tables) own.set(table, row);
    }
  }

  #make(kind: string, schema: string, name: string, rest: string, session: Record<string, string>): void {
    const { tables, objects, collation } = this.#of(schema);
    const on = kind === "trigger" ? new RegExp(`\\sON (?:${NAME}\\.)?${NAME}\\s`).exec(rest) : null;
    if (kind === "view" && tables.has(name)) throw new Refused(`Table '${utf8(name)}' already exists`);
    if (objects.has(`${kind} ${name}`)) throw new Refused(`${kind} ${utf8(name)} already exists`);
    if (kind === "trigger" && !tables.has(plain(on?.[2] ?? ""))) throw new Refused("the trigger's table doesn't exist");
    for (const [, other, from] of kind === "view"
      ? rest.matchAll(new RegExp(`FROM (?:${NAME}\\.)?${NAME}`, "g"))
      : []) {
      const where = this.#of(plain(other ?? schema));
      if (!where.tables.has(plain(from!)) && !where.objects.has(`view ${plain(from!)}`))
        throw new Refused(`Table '${utf8(from!)}' doesn't exist`);
    }
    objects.set(`${kind} ${name}`, {
      ...{ kind, name, create: session.statement!, table: on === null ? undefined : plain(on[2]!) },
      ...{ sqlMode: session.sql_mode ?? "", client: session.character_set_client ?? "utf8mb4" },
      ...{ connection: session.collation_connection ?? "utf8mb4_general_ci", schemaCollation: collation },
      timeZone: session.time_zone!,
    });
  }
}

/** The name that a comparison by `is` asks for; whatever else is compared is refused. */
function compared(column: string, condition: string): string {
  const match = new RegExp(
    `^${column} = CONVERT\\(X'([0-9a-f]*)' USING utf8mb4\\) AND CAST\\(${column} AS BINARY\\) = X'([0-9a-f]*)'$`,
  ).exec(condition.trim());
  if (match === null || match[1] !== match[2]) throw new Error(`no exact comparison of ${column}: ${condition}`);
  return Buffer.from(match[1]!, "hex").toString("latin1");
}

/** As the client takes SQL apart: statements end with the delimiter outside of quotes. */
function* statementsOf(input: string): Generator<string> {
  let delimiter = ";";
  let rest = input;
  const quotes = /'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*"|`(?:[^`]|``)*`/y;
  for (;;) {
    rest = rest.trimStart();
    const other = /^DELIMITER (\S+)\n/.exec(rest);
    if (other !== null) {
      delimiter = other[1]!;
      rest = rest.slice(other[0].length);
      continue;
    }
    let at = 0;
    while (at < rest.length && !rest.startsWith(delimiter, at)) {
      quotes.lastIndex = at;
      at += quotes.exec(rest)?.[0].length ?? 1;
    }
    const statement = rest.slice(0, at).trim();
    if (statement !== "") yield statement;
    if (at >= rest.length) return;
    rest = rest.slice(at + delimiter.length);
  }
}
