import { type Columns, definitionOf, typeChange } from "./columns.ts";
import { clauses, Reader, tokens, withoutValues } from "./sql.ts";

/**
 * What a change of the schema means for the release that serves while it runs: `additive`, it goes on as before;
 * `breaking`, its queries fail or its data is gone; `unknown`, the statement alone doesn't tell.
 */
export type Verdict = "additive" | "breaking" | "unknown";

export interface Finding {
  /** Without the values in it. */
  readonly statement: string;
  readonly verdict: Verdict;
  /** Why, where it is not additive. */
  readonly reason?: string;
}

const additive: Omit<Finding, "statement"> = { verdict: "additive" };
const breaking = (reason: string): Omit<Finding, "statement"> => ({ verdict: "breaking", reason });
const unknown = (reason: string): Omit<Finding, "statement"> => ({ verdict: "unknown", reason });

const RANK: readonly Verdict[] = ["additive", "unknown", "breaking"];

/** The worst of them. */
export function worst(findings: readonly Pick<Finding, "verdict">[]): Verdict {
  return RANK[Math.max(0, ...findings.map(({ verdict }) => RANK.indexOf(verdict)))] ?? "additive";
}

/**
 * Judges statements one after the other: what one of them has made, the release that serves doesn't know, so a later
 * one may change it. One judge for all migrations that a release runs.
 */
export class Judge {
  readonly #columns: Columns;
  readonly #tables = new Set<string>();
  readonly #added = new Set<string>();

  /** @param columns the columns before the migrations, as far as they are known. @default none */
  constructor(columns: Columns = {}) {
    this.#columns = columns;
  }

  judge(statement: string): Finding {
    return { statement: withoutValues(statement), ...this.#statement(new Reader(tokens(statement))) };
  }

  #statement(sql: Reader): Omit<Finding, "statement"> {
    const verb = sql.oneOf(
      "create",
      "alter",
      "drop",
      "rename",
      "truncate",
      "insert",
      "update",
      "delete",
      "replace",
      "select",
      "show",
      "describe",
      "set",
      "start",
      "begin",
      "commit",
      "savepoint",
      "release",
      "optimize",
      "analyze",
    );
    switch (verb) {
      case "create":
        return this.#create(sql);
      case "alter":
        return sql.oneOf("table") === undefined ? unknown("changes something other than a table") : this.#alter(sql);
      case "drop":
        return this.#drop(sql);
      case "rename":
        return this.#rename(sql);
      case "truncate":
        return breaking("deletes all rows of a table");
      case "insert":
        return additive;
      case "update":
        return this.#update(sql);
      case "delete":
      case "replace":
        return unknown("changes rows that the serving release reads");
      case "select":
      case "show":
      case "describe":
        return unknown("looks at the database before it decides what to do, so what it will do can't be known");
      case undefined:
        return unknown("is a statement that Drydock does not know");
      default:
        return additive;
    }
  }

  #create(sql: Reader): Omit<Finding, "statement"> {
    if (sql.skip("or", "replace")) return unknown("replaces what may be there already");
    const temporary = sql.skip("temporary");
    if (sql.skip("table")) {
      sql.skip("if", "not", "exists");
      const table = sql.name();
      if (table !== undefined && !temporary) this.#tables.add(table);
      return additive;
    }
    if (sql.skip("unique")) return this.#unique(this.#tableOfIndex(sql), sql.names());
    if (sql.oneOf("index", "fulltext", "spatial", "view", "function", "procedure", "sequence") !== undefined)
      return additive;
    return unknown("makes something that acts by itself, such as a trigger");
  }

  /** Of `create unique index NAME on TABLE (…)`. */
  #tableOfIndex(sql: Reader): string {
    sql.skip("index");
    sql.skip("if", "not", "exists");
    sql.name();
    sql.skip("on");
    return sql.name() ?? "";
  }

  #drop(sql: Reader): Omit<Finding, "statement"> {
    const temporary = sql.skip("temporary");
    const kind = sql.oneOf("table", "view", "index", "function", "procedure", "trigger", "event");
    sql.skip("if", "exists");
    if (kind === "index") return index(sql.name() ?? "");
    if (kind === "trigger" || kind === "event" || kind === undefined)
      return unknown("removes something that the serving release may rely on");
    const names = clauses(sql.rest).map((part) => new Reader(part).name() ?? "");
    if (temporary || (kind === "table" && names.every((name) => this.#tables.has(name)))) return additive;
    return breaking(`drops the ${kind} ${names.join(", ")}`);
  }

  #rename(sql: Reader): Omit<Finding, "statement"> {
    if (!sql.skip("table")) return unknown("renames something other than a table");
    const names = clauses(sql.rest).map((part) => {
      const one = new Reader(part);
      const from = one.name() ?? "";
      one.skip("to");
      return [from, one.name() ?? ""] as const;
    });
    const known = names.filter(([from]) => !this.#tables.has(from));
    for (const [, to] of names) this.#tables.add(to);
    return known.length === 0
      ? additive
      : breaking(`renames the table ${known.map(([from, to]) => `${from} to ${to}`).join(", ")}`);
  }

  #update(sql: Reader): Omit<Finding, "statement"> {
    const table = sql.name() ?? "";
    const set = sql.rest.findIndex(({ kind, value }) => kind === "word" && value === "set");
    const where = sql.rest.findIndex(({ kind, value }) => kind === "word" && value === "where");
    const names =
      set < 0
        ? []
        : clauses(sql.rest.slice(set + 1, where < 0 ? undefined : where)).map((part) => new Reader(part).name() ?? "");
    const own = names.length > 0 && names.every((name) => this.#isNew(table, name) || name === "updated_at");
    return own ? additive : unknown("changes rows that the serving release reads");
  }

  #alter(sql: Reader): Omit<Finding, "statement"> {
    sql.skip("if", "exists");
    const table = sql.name();
    if (table === undefined) return unknown("is a statement that Drydock does not know");
    const found = clauses(sql.rest).map((part) => this.#clause(table, new Reader(part)));
    const verdict = worst(found);
    const reasons = [...new Set(found.flatMap((one) => (one.verdict === verdict ? (one.reason ?? []) : [])))];
    return reasons.length === 0 ? { verdict } : { verdict, reason: reasons.join("; ") };
  }

  #clause(table: string, sql: Reader): Omit<Finding, "statement"> {
    const verb = sql.oneOf(
      "add",
      "drop",
      "modify",
      "change",
      "rename",
      "alter",
      "auto_increment",
      "comment",
      "algorithm",
      "lock",
      "enable",
      "disable",
    );
    const [next] = sql.rest;
    switch (verb) {
      case "add":
        return this.#add(table, sql);
      case "drop":
        return this.#remove(table, sql);
      case "modify":
        sql.skip("column");
        return this.#modify(table, sql.name() ?? "", sql);
      case "change": {
        sql.skip("column");
        const [from, to] = [sql.name() ?? "", sql.name() ?? ""];
        return from === to ? this.#modify(table, from, sql) : this.#renamed(table, from, to);
      }
      case "rename": {
        if (sql.skip("column")) {
          const from = sql.name() ?? "";
          sql.skip("to");
          return this.#renamed(table, from, sql.name() ?? "");
        }
        if (next?.kind === "word" && ["index", "key"].includes(next.value)) return additive;
        sql.oneOf("to", "as");
        const to = sql.name() ?? "";
        const isNew = this.#tables.has(table);
        this.#tables.add(to);
        return isNew ? additive : breaking(`renames the table ${table} to ${to}`);
      }
      case "alter": {
        if (sql.oneOf("index", "check", "constraint") !== undefined) return additive;
        sql.skip("column");
        const column = sql.name() ?? "";
        return sql.skip("drop") && !this.#isNew(table, column)
          ? breaking(`takes the default of ${table}.${column} away: an INSERT without it fails`)
          : additive;
      }
      case undefined:
        return this.#tables.has(table) ? additive : unknown(`changes ${table} in a way that Drydock does not know`);
      default:
        return additive;
    }
  }

  #add(table: string, sql: Reader): Omit<Finding, "statement"> {
    if (sql.oneOf("index", "key", "fulltext", "spatial", "partition", "period", "system") !== undefined)
      return additive;
    const named = sql.skip("constraint");
    if (named && sql.rest[0]?.kind === "name") sql.name();
    const kind = sql.oneOf("unique", "primary", "foreign", "check");
    const isNew = this.#tables.has(table);
    if (kind === "unique") return this.#unique(table, sql.names());
    if (kind !== undefined) {
      const what = kind === "foreign" ? "a foreign key" : kind === "primary" ? "a primary key" : "a check";
      return isNew || (kind === "foreign" && sql.names().every((name) => this.#isNew(table, name)))
        ? additive
        : unknown(`adds ${what} to ${table}: the serving release may write rows that it refuses`);
    }
    sql.skip("column");
    sql.skip("if", "not", "exists");
    const column = sql.rest[0]?.kind === "mark" ? undefined : sql.name();
    if (column === undefined) return isNew ? additive : unknown(`adds to ${table} what Drydock can't read`);
    const { nullable, hasDefault } = definitionOf(sql.rest);
    this.#added.add(`${table}.${column}`);
    if (nullable || hasDefault || isNew) return additive;
    return breaking(
      `adds ${table}.${column}, NOT NULL without a default: an INSERT of the serving release, ` +
        "which does not know it, fails",
    );
  }

  #unique(table: string, columns: readonly string[]): Omit<Finding, "statement"> {
    if (columns.length > 0 && columns.every((column) => this.#isNew(table, column))) return additive;
    return unknown(`adds a unique index to ${table}: the serving release may write what it refuses`);
  }

  #remove(table: string, sql: Reader): Omit<Finding, "statement"> {
    const kind = sql.oneOf("index", "key", "foreign", "primary", "constraint", "check", "partition");
    if (this.#tables.has(table)) return additive;
    switch (kind) {
      case "index":
      case "key":
        sql.skip("if", "exists");
        return index(sql.name() ?? "");
      case "foreign":
        return unknown(`drops a foreign key of ${table}: the serving release may rely on its cascade`);
      case "primary":
        return breaking(`drops the primary key of ${table}`);
      case "constraint":
        return unknown(`drops a constraint of ${table}`);
      case "check":
        return additive;
      case "partition":
        return breaking(`drops a partition of ${table} with its rows`);
      default: {
        sql.skip("column");
        sql.skip("if", "exists");
        const column = sql.name() ?? "";
        return this.#isNew(table, column) ? additive : breaking(`drops the column ${table}.${column}`);
      }
    }
  }

  #modify(table: string, column: string, sql: Reader): Omit<Finding, "statement"> {
    if (this.#isNew(table, column)) return additive;
    const before = this.#columns[table]?.[column];
    if (before === undefined)
      return unknown(`changes the column ${table}.${column}, and what it was before is not known`);
    const after = definitionOf(sql.rest);
    if (typeChange(before.type, after.type) === "other")
      return breaking(`changes the type of ${table}.${column} from ${before.type} to ${after.type}`);
    if (before.nullable && !after.nullable)
      return breaking(`makes ${table}.${column} NOT NULL: a NULL that the serving release writes is refused`);
    if (before.hasDefault && !after.hasDefault && !after.nullable)
      return breaking(`takes the default of ${table}.${column} away: an INSERT without it fails`);
    return additive;
  }

  #renamed(table: string, from: string, to: string): Omit<Finding, "statement"> {
    const isNew = this.#isNew(table, from);
    this.#added.add(`${table}.${to}`);
    return isNew ? additive : breaking(`renames the column ${table}.${from} to ${to}`);
  }

  #isNew(table: string, column: string): boolean {
    return this.#tables.has(table) || this.#added.has(`${table}.${column}`);
  }
}

/** Laravel names a unique index `…_unique`; the statement itself doesn't say what is dropped. */
function index(name: string): Omit<Finding, "statement"> {
  return name.endsWith("_unique")
    ? unknown(`drops the unique index ${name}: upserts of the serving release may rely on it`)
    : additive;
}
