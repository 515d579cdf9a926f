import { definitionOf, typeChange } from "./columns.ts";
import type { Schema } from "./schema.ts";
import { clauses, Reader } from "./sql.ts";
import { additive, breaking, type Judgement, unknown, worst } from "./verdict.ts";

/** Judges what follows `alter table`. */
export function alter(schema: Schema, sql: Reader): Judgement {
  sql.skip("if", "exists");
  const table = sql.name();
  if (table === undefined) return unknown("is a statement that Drydock does not know");
  const found = clauses(sql.rest).map((part) => clause(schema, table, new Reader(part)));
  const verdict = worst(found);
  const reasons = [...new Set(found.flatMap((one) => (one.verdict === verdict ? (one.reason ?? []) : [])))];
  return reasons.length === 0 ? { verdict } : { verdict, reason: reasons.join("; ") };
}

function clause(schema: Schema, table: string, sql: Reader): Judgement {
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
      return add(schema, table, sql);
    case "drop":
      return remove(schema, table, sql);
    case "modify":
      sql.skip("column");
      return modify(schema, table, sql.name() ?? "", sql);
    case "change": {
      sql.skip("column");
      const [from, to] = [sql.name() ?? "", sql.name() ?? ""];
      return from === to ? modify(schema, table, from, sql) : renamed(schema, table, from, to);
    }
    case "rename": {
      if (sql.skip("column")) {
        const from = sql.name() ?? "";
        sql.skip("to");
        return renamed(schema, table, from, sql.name() ?? "");
      }
      if (next?.kind === "word" && ["index", "key"].includes(next.value)) return additive;
      sql.oneOf("to", "as");
      const to = sql.name() ?? "";
      const isNew = schema.isNewTable(table);
      schema.addTable(to);
      return isNew ? additive : breaking(`renames the table ${table} to ${to}`);
    }
    case "alter": {
      if (sql.oneOf("index", "check", "constraint") !== undefined) return additive;
      sql.skip("column");
      const column = sql.name() ?? "";
      return sql.skip("drop") && !schema.isNew(table, column)
        ? breaking(`takes the default of ${table}.${column} away: an INSERT without it fails`)
        : additive;
    }
    case undefined:
      return schema.isNewTable(table) ? additive : unknown(`changes ${table} in a way that Drydock does not know`);
    default:
      return additive;
  }
}

function add(schema: Schema, table: string, sql: Reader): Judgement {
  if (sql.oneOf("index", "key", "fulltext", "spatial", "partition", "period", "system") !== undefined) return additive;
  const named = sql.skip("constraint");
  if (named && sql.rest[0]?.kind === "name") sql.name();
  const kind = sql.oneOf("unique", "primary", "foreign", "check");
  const isNew = schema.isNewTable(table);
  if (kind === "unique") return unique(schema, table, sql.names());
  if (kind !== undefined) {
    const what = kind === "foreign" ? "a foreign key" : kind === "primary" ? "a primary key" : "a check";
    return isNew || (kind === "foreign" && sql.names().every((name) => schema.isNew(table, name)))
      ? additive
      : unknown(`adds ${what} to ${table}: the serving release may write rows that it refuses`);
  }
  sql.skip("column");
  sql.skip("if", "not", "exists");
  const column = sql.rest[0]?.kind === "mark" ? undefined : sql.name();
  if (column === undefined) return isNew ? additive : unknown(`adds to ${table} what Drydock can't read`);
  const { nullable, hasDefault } = definitionOf(sql.rest);
  schema.addColumn(table, column);
  if (nullable || hasDefault || isNew) return additive;
  return breaking(
    `adds ${table}.${column}, NOT NULL without a default: an INSERT of the serving release, ` +
      "which does not know it, fails",
  );
}

export function unique(schema: Schema, table: string, columns: readonly string[]): Judgement {
  if (columns.length > 0 && columns.every((column) => schema.isNew(table, column))) return additive;
  return unknown(`adds a unique index to ${table}: the serving release may write what it refuses`);
}

function remove(schema: Schema, table: string, sql: Reader): Judgement {
  const kind = sql.oneOf("index", "key", "foreign", "primary", "constraint", "check", "partition");
  if (schema.isNewTable(table)) return additive;
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
      return schema.isNew(table, column) ? additive : breaking(`drops the column ${table}.${column}`);
    }
  }
}

function modify(schema: Schema, table: string, column: string, sql: Reader): Judgement {
  if (schema.isNew(table, column)) return additive;
  const before = schema.before(table, column);
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

function renamed(schema: Schema, table: string, from: string, to: string): Judgement {
  const isNew = schema.isNew(table, from);
  schema.addColumn(table, to);
  return isNew ? additive : breaking(`renames the column ${table}.${from} to ${to}`);
}

/** Laravel names a unique index `…_unique`; the statement itself doesn't say what is dropped. */
export function index(name: string): Judgement {
  return name.endsWith("_unique")
    ? unknown(`drops the unique index ${name}: upserts of the serving release may rely on it`)
    : additive;
}
