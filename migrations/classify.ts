import { alter, index, unique } from "./alter.ts";
import type { Columns } from "./columns.ts";
import { Schema } from "./schema.ts";
import { clauses, Reader, tokens, withoutValues } from "./sql.ts";
import { additive, breaking, type Finding, type Judgement, unknown } from "./verdict.ts";

/**
 * Judges statements one after the other: what one of them has made, the release that serves doesn't know, so a later
 * one may change it. One judge for all migrations that a release runs.
 */
export class Judge {
  readonly #schema: Schema;

  /** @param columns the columns before the migrations, as far as they are known. @default none */
  constructor(columns: Columns = {}) {
    this.#schema = new Schema(columns);
  }

  judge(statement: string): Finding {
    return { statement: withoutValues(statement), ...this.#statement(new Reader(tokens(statement))) };
  }

  #statement(sql: Reader): Judgement {
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
        return sql.oneOf("table") === undefined
          ? unknown("changes something other than a table")
          : alter(this.#schema, sql);
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

  #create(sql: Reader): Judgement {
    if (sql.skip("or", "replace")) return unknown("replaces what may be there already");
    const temporary = sql.skip("temporary");
    if (sql.skip("table")) {
      sql.skip("if", "not", "exists");
      const table = sql.name();
      if (table !== undefined && !temporary) this.#schema.addTable(table);
      return additive;
    }
    if (sql.skip("unique")) return unique(this.#schema, this.#tableOfIndex(sql), sql.names());
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

  #drop(sql: Reader): Judgement {
    const temporary = sql.skip("temporary");
    const kind = sql.oneOf("table", "view", "index", "function", "procedure", "trigger", "event");
    sql.skip("if", "exists");
    if (kind === "index") return index(sql.name() ?? "");
    if (kind === "trigger" || kind === "event" || kind === undefined)
      return unknown("removes something that the serving release may rely on");
    const names = clauses(sql.rest).map((part) => new Reader(part).name() ?? "");
    if (temporary || (kind === "table" && names.every((name) => this.#schema.isNewTable(name)))) return additive;
    return breaking(`drops the ${kind} ${names.join(", ")}`);
  }

  #rename(sql: Reader): Judgement {
    if (!sql.skip("table")) return unknown("renames something other than a table");
    const names = clauses(sql.rest).map((part) => {
      const one = new Reader(part);
      const from = one.name() ?? "";
      one.skip("to");
      return [from, one.name() ?? ""] as const;
    });
    const known = names.filter(([from]) => !this.#schema.isNewTable(from));
    for (const [, to] of names) this.#schema.addTable(to);
    return known.length === 0
      ? additive
      : breaking(`renames the table ${known.map(([from, to]) => `${from} to ${to}`).join(", ")}`);
  }

  #update(sql: Reader): Judgement {
    const table = sql.name() ?? "";
    const set = sql.rest.findIndex(({ kind, value }) => kind === "word" && value === "set");
    const where = sql.rest.findIndex(({ kind, value }) => kind === "word" && value === "where");
    const names =
      set < 0
        ? []
        : clauses(sql.rest.slice(set + 1, where < 0 ? undefined : where)).map((part) => new Reader(part).name() ?? "");
    const own = names.length > 0 && names.every((name) => this.#schema.isNew(table, name) || name === "updated_at");
    return own ? additive : unknown("changes rows that the serving release reads");
  }
}
