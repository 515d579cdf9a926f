/** One word of a statement: a quoted or bare name, a keyword (both in lower case), a text, or a mark. */
export interface Token {
  /** `name` is quoted with backticks, so it is no keyword. */
  readonly kind: "name" | "word" | "text" | "mark";
  readonly value: string;
}

const TOKEN = /`((?:[^`]|``)*)`|('(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*")|([A-Za-z_$][\w$]*)|(\d+(?:\.\d+)?)|(\S)/g;

/** The words of a statement of MariaDB or MySQL, without comments. What is in texts never counts as a keyword. */
export function tokens(sql: string): Token[] {
  const bare = sql.replace(/('(?:[^'\\]|\\.|'')*'|"(?:[^"\\]|\\.|"")*"|`(?:[^`]|``)*`)|--\s[^\n]*|#[^\n]*|\/\*[\s\S]*?\*\//g, (_, text?: string) => text ?? " ");
  return [...bare.matchAll(TOKEN)].map(([, name, text, word, number, mark]): Token => {
    if (name !== undefined) return { kind: "name", value: name.replaceAll("``", "`").toLowerCase() };
    if (text !== undefined) return { kind: "text", value: text };
    if (word !== undefined) return { kind: "word", value: word.toLowerCase() };
    return { kind: "mark", value: number ?? mark ?? "" };
  });
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

export const isMark = (token: Token | undefined, value: string): boolean => token?.kind === "mark" && token.value === value;

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
    if (!words.every((word, index) => this.#rest[index]?.kind === "word" && this.#rest[index].value === word)) return false;
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
    return this.#rest.some((_, start) => words.every((word, index) => this.#rest[start + index]?.kind === "word" && this.#rest[start + index]?.value === word));
  }

  /** The names in the first parentheses that are left. */
  names(): string[] {
    const open = this.#rest.findIndex((token) => isMark(token, "("));
    const close = this.#rest.findIndex((token) => isMark(token, ")"));
    return open < 0 ? [] : this.#rest.slice(open + 1, close < 0 ? undefined : close).filter(({ kind }) => kind === "name" || kind === "word").map(({ value }) => value);
  }
}
