import { isMark, type Token } from "./sql.ts";

/** What the database says of a column before a migration. */
export interface Column {
  /** As information_schema prints it: `varchar(50)`, `bigint(20) unsigned`, `enum('a','b')`. */
  readonly type: string;
  readonly nullable: boolean;
  readonly hasDefault: boolean;
}

/** Columns by table, then name; both in lower case. */
export type Columns = Readonly<Record<string, Readonly<Record<string, Column>>>>;

/** What a column's definition in a statement says. */
export interface Definition {
  readonly type: string;
  readonly nullable: boolean;
  /** Whether an INSERT may leave it out: a default, a generated value, a counter. */
  readonly hasDefault: boolean;
}

/** A type ends where one of these begins. */
const MODIFIERS = [
  "not",
  "null",
  "default",
  "comment",
  "after",
  "first",
  "character",
  "charset",
  "collate",
  "auto_increment",
  "primary",
  "unique",
  "key",
  "as",
  "generated",
  "on",
  "invisible",
  "visible",
  "virtual",
  "stored",
  "persistent",
  "check",
  "references",
  "constraint",
  "srid",
  "ref_system_id",
];

export function definitionOf(list: readonly Token[]): Definition {
  const end = list.findIndex(({ kind, value }) => kind === "word" && MODIFIERS.includes(value));
  const type = (end < 0 ? list : list.slice(0, end))
    .map(({ value }, index) =>
      index > 0 && /^\w/.test(value) && !isMark(list[index - 1], "(") && !isMark(list[index - 1], ",")
        ? ` ${value}`
        : value,
    )
    .join("");
  const words =
    end < 0
      ? []
      : list
          .slice(end)
          .filter(({ kind }) => kind === "word")
          .map(({ value }) => value);
  const hasDefault = ["default", "auto_increment", "as", "generated"].some((word) => words.includes(word));
  return { type, nullable: !words.some((word, index) => word === "not" && words[index + 1] === "null"), hasDefault };
}

/** How a column's new type relates to its old one for code that knows only the old. */
export function typeChange(before: string, after: string): "same" | "wider" | "other" {
  const [a, b] = [parse(before), parse(after)];
  const both = (ranks: readonly string[]) => [ranks.indexOf(a.base), ranks.indexOf(b.base)] as const;
  for (const ranks of [INTEGERS, ["float", "double"]]) {
    const [from, to] = both(ranks);
    if (from >= 0 && to >= 0) return a.unsigned !== b.unsigned || to < from ? "other" : to === from ? "same" : "wider";
  }
  const [from, to] = both(TEXTS);
  if (from >= 0 && to >= 0) return to < from ? "other" : to > from ? "wider" : byLength(a.numbers, b.numbers);
  if (a.base !== b.base) return "other";
  if (a.base === "decimal") {
    const [[p = 10, s = 0], [q = 10, t = 0]] = [a.numbers, b.numbers];
    return p === q && s === t && a.unsigned === b.unsigned
      ? "same"
      : q - t >= p - s && t >= s && a.unsigned === b.unsigned
        ? "wider"
        : "other";
  }
  if (a.base === "enum" || a.base === "set") {
    return a.texts.length === b.texts.length && a.texts.every((text, index) => b.texts[index] === text)
      ? "same"
      : a.texts.every((text) => b.texts.includes(text))
        ? "wider"
        : "other";
  }
  return byLength(a.numbers, b.numbers);
}

const INTEGERS = ["tinyint", "smallint", "mediumint", "int", "bigint"];
const TEXTS = ["varchar", "tinytext", "text", "mediumtext", "longtext"];
const ALIASES: Readonly<Record<string, string>> = {
  integer: "int",
  json: "longtext",
  boolean: "tinyint",
  bool: "tinyint",
  numeric: "decimal",
  "double precision": "double",
};

function byLength([a = 0]: readonly number[], [b = 0]: readonly number[]): "same" | "wider" | "other" {
  return a === b ? "same" : b > a ? "wider" : "other";
}

function parse(type: string): {
  base: string;
  numbers: readonly number[];
  texts: readonly string[];
  unsigned: boolean;
} {
  const [, word = "", inside = ""] = /^\s*([a-z_]+(?: precision)?)\s*(?:\((.*)\))?/i.exec(type) ?? [];
  const base = word.toLowerCase();
  return {
    base: ALIASES[base] ?? base,
    numbers: [...inside.matchAll(/\d+/g)].map(([digits]) => Number(digits)),
    texts: [...inside.matchAll(/'(?:[^']|'')*'/g)].map(([text]) => text),
    unsigned: /\bunsigned\b/i.test(type),
  };
}
