/** One word of a statement: a quoted or bare name, a keyword (both in lower case), a text, or a mark. */
export interface Token {
  /** `name` is quoted with backticks, so it is no keyword. */
  readonly kind: "name" | "word" | "text" | "mark";
  readonly value: string;
}

/** A piece of a statement; all of them together are the statement, but for spaces and comments. */
interface Piece {
  readonly kind: "name" | "text" | "number" | "word" | "mark";
  readonly source: string;
  /** Where it begins. */
  readonly at: number;
}

const WORD = "[\\w$\\u0080-\\u{10ffff}]";
const QUOTED = {
  // MySQL and MariaDB by default, and where sql_mode has NO_BACKSLASH_ESCAPES.
  escapes: `'(?:[^'\\\\]|\\\\[^]|'')*'|"(?:[^"\\\\]|\\\\[^]|"")*"`,
  none: `'(?:[^']|'')*'|"(?:[^"]|"")*"`,
};

// Comments have no name here. What stands in one that the server runs (it begins with an exclamation mark) is read like
// the rest.
const pattern = (quoted: string): RegExp =>
  new RegExp(
    [
      "(?<name>`(?:[^`]|``)*`)",
      `(?<text>${quoted}|(?<!${WORD})(?<tag>\\$[A-Za-z_]*\\$)[^]*?\\k<tag>)`,
      "--(?=\\s|$)[^\\n]*|#[^\\n]*|\\/\\*(?!M?!)[^]*?\\*\\/|\\/\\*M?!\\d*|\\*\\/",
      `(?<number>(?<!${WORD})(?:0x[0-9a-f]+|0b[01]+|(?:\\d+(?:\\.\\d*)?|\\.\\d+)(?:e[+-]?\\d+)?)(?!${WORD}))`,
      `(?<word>${WORD}+)`,
      "(?<mark>\\S)",
    ].join("|"),
    "giu",
  );

const PATTERNS = Object.values(QUOTED).map(pattern);

/**
 * The statement read in one of the two ways; undefined where that can't be: something is left open, or a `\\` stands by
 * itself.
 */
function readAs(sql: string, how: RegExp): Piece[] | undefined {
  const pieces = [...sql.matchAll(how)].flatMap(({ 0: source, index: at, groups = {} }): Piece[] => {
    const kind = (["name", "text", "number", "word", "mark"] as const).find((one) => groups[one] !== undefined);
    return kind === undefined ? [] : [{ kind, source, at }];
  });
  const open = pieces.some(
    ({ kind, source }, index) =>
      kind === "mark" && (/^[`'"\\]$/.test(source) || (source === "/" && pieces[index + 1]?.source === "*")),
  );
  return open ? undefined : pieces;
}

/**
 * Undefined where it can't be said what is a text in it and what is not: it was cut off, or two ways of reading it are
 * possible.
 */
function read(sql: string): Piece[] | undefined {
  const [one, other] = PATTERNS.map((how) => readAs(sql, how)).filter((pieces) => pieces !== undefined);
  const same =
    other === undefined ||
    (one!.length === other.length && one!.every(({ source }, index) => source === other[index]!.source));
  return same ? one : undefined;
}

/**
 * The words of a statement of MariaDB or MySQL, without comments; of one that can't be read, none. What is in texts
 * never counts as a keyword.
 */
export function tokens(sql: string): Token[] {
  return (read(sql) ?? []).map(({ kind, source }): Token => {
    if (kind === "name") return { kind, value: source.slice(1, -1).replaceAll("``", "`").toLowerCase() };
    if (kind === "word") return { kind, value: source.toLowerCase() };
    return { kind: kind === "number" ? "mark" : kind, value: source };
  });
}

const SCHEMA = new RegExp(
  String.raw`^\s*(?:create(?:\s+or\s+replace)?(?:\s+temporary)?\s+table|create\s+(?:(?:unique|fulltext|` +
    String.raw`spatial)\s+)?index|alter\s+(?:ignore\s+|online\s+)*table|drop\s|rename\s)`,
  "i",
);

/**
 * A statement as it may be shown and kept: its values may be passwords or a person's data. Texts become `'…'`, numbers
 * `?`, comments go; of a table's own description the numbers stay, and the words of an enum: they are the schema, and a
 * later judgement needs them. What can't be read is left out from there on.
 */
export function withoutValues(sql: string): string {
  const pieces = read(sql);
  if (pieces === undefined) return `${/^\s*\w*/.exec(sql)?.[0].trim() ?? ""} … (it can't be read)`.trim();
  const words = pieces.filter(({ kind }) => kind === "word").map(({ source }) => source.toLowerCase());
  const schema = SCHEMA.test(sql) && !words.includes("select");
  let shown = "";
  let end = 0;
  let list = false;
  pieces.forEach(({ kind, source, at }, index) => {
    // Between two pieces are spaces and comments alone.
    if (at > end && shown !== "") shown += " ";
    end = at + source.length;
    if (source === "(" && schema) list = /^(enum|set)$/i.test(pieces[index - 1]?.source ?? "");
    if (source === ")") list = false;
    const kept = kind === "text" ? list : kind !== "number" || schema;
    shown += kept ? source : kind === "text" ? "'…'" : "?";
  });
  return shown;
}

/** The parts of a list between its commas, those in parentheses left whole. */
export function clauses(list: readonly Token[]): Token[][] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of list) {
    if (isMark(token, "(")) depth++;
    if (isMark(token, ")")) depth--;
    if (depth === 0 && isMark(token, ",")) parts.push([]);
    else parts.at(-1)!.push(token);
  }
  return parts.filter((part) => part.length > 0);
}

export const isMark = (token: Token | undefined, value: string): boolean =>
  token?.kind === "mark" && token.value === value;

/** Reads a statement from left to right. */
export class Reader {
  #rest: readonly Token[];

  constructor(list: readonly Token[]) {
    this.#rest = list;
  }

  get rest(): readonly Token[] {
    return this.#rest;
  }

  /** Whether these keywords come next, one after the other; then they are passed. */
  skip(...words: readonly string[]): boolean {
    if (!words.every((word, index) => this.#rest[index]?.kind === "word" && this.#rest[index].value === word))
      return false;
    this.#rest = this.#rest.slice(words.length);
    return true;
  }

  /** The next keyword out of these, if it comes; it is passed. */
  oneOf(...words: readonly string[]): string | undefined {
    return words.find((word) => this.skip(word));
  }

  /** A name, without the database in front of it. */
  name(): string | undefined {
    const [first, dot, second] = this.#rest;
    if (first === undefined || (first.kind !== "name" && first.kind !== "word")) return undefined;
    const qualified = isMark(dot, ".") && second !== undefined;
    this.#rest = this.#rest.slice(qualified ? 3 : 1);
    return (qualified ? second : first).value;
  }

  /** Whether the keywords stand anywhere in what is left, one after the other. */
  has(...words: readonly string[]): boolean {
    return this.#rest.some((_, start) =>
      words.every(
        (word, index) => this.#rest[start + index]?.kind === "word" && this.#rest[start + index]?.value === word,
      ),
    );
  }

  /** The names in the first parentheses that are left. */
  names(): string[] {
    const open = this.#rest.findIndex((token) => isMark(token, "("));
    const close = this.#rest.findIndex((token) => isMark(token, ")"));
    return open < 0
      ? []
      : this.#rest
          .slice(open + 1, close < 0 ? undefined : close)
          .filter(({ kind }) => kind === "name" || kind === "word")
          .map(({ value }) => value);
  }
}
