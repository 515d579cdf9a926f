// Reads `.env` files as vlucas/phpdotenv does, which Laravel reads them with: quotes, values over several lines,
// `export`, comments, escapes.

/** One line of a `.env` file, or several that belong together. */
export interface Entry {
  readonly name: string;
  /** Undefined where there is no equals sign. `$` as it was written; see `references`. */
  readonly value: string | undefined;
  /**
   * Where in the value a `$` begins a reference to another variable, if `{NAME}` follows; elsewhere it stands for
   * itself.
   */
  readonly references: readonly number[];
}

/** What can't be read, without any of its value. */
export interface Unreadable {
  /** What stands before the equals sign. */
  readonly name: string;
  readonly why: string;
}

const BLANK = " \t\n\r\0\v";
const trim = (text: string): string => {
  let [from, to] = [0, text.length];
  while (from < to && BLANK.includes(text[from]!)) from++;
  while (to > from && BLANK.includes(text[to - 1]!)) to--;
  return text.slice(from, to);
};
const isSpace = (character: string): boolean => /^[ \t\n\r\v\f]$/.test(character);

/** Reads a whole file. */
export function readDotenv(text: string): (Entry | Unreadable)[] {
  return statements(text.replace(/^\ufeff/, "")).map(readStatement);
}

/** The lines that say something; those of a value in double quotes that has several are put together. */
function statements(text: string): string[] {
  const found: string[] = [];
  let open: string[] | undefined;
  // A quote that is escaped neither opens nor ends a value.
  const quotes = (line: string) => [...line.replaceAll("\\\\", "").matchAll(/(?<!\\)"/g)].length;
  for (const line of text.split(/\r\n|\n|\r/)) {
    if (open !== undefined) {
      open.push(line);
      if (quotes(line) === 0) continue;
      found.push(open.join("\n"));
      open = undefined;
      continue;
    }
    const begin = line.indexOf('="');
    const comment = line.indexOf("#");
    if (begin !== -1 && (comment === -1 || comment > begin) && quotes(line) <= 1) open = [line];
    else found.push(line);
  }
  if (open !== undefined) found.push(open.join("\n"));
  return found.filter((line) => trim(line) !== "" && !trim(line).startsWith("#"));
}

function readStatement(line: string): Entry | Unreadable {
  const equals = line.indexOf("=");
  let name = equals === -1 ? line : trim(line.slice(0, equals));
  if (/^export[ \t\n\r\v\f]/.test(name) && name.length > 6) name = name.slice(6).replace(/^[ \t\n\r\v\f]+/, "");
  if (name.length > 2 && (name[0] === '"' || name[0] === "'") && name.at(-1) === name[0]) name = name.slice(1, -1);
  if (!/^[\p{Ll}\p{Lu}\p{M}\p{N}_.]+$/u.test(name))
    return { name: name.slice(0, 40), why: "is no name for a variable" };
  if (equals === -1) return { name, value: undefined, references: [] };
  const read = readValue(trim(line.slice(equals + 1)));
  return "why" in read ? { name, ...read } : { name, ...read };
}

const ESCAPES: Readonly<Record<string, string>> = {
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  '"': '"',
  "\\": "\\",
  $: "$",
};

function readValue(
  raw: string,
): { readonly value: string; readonly references: readonly number[] } | { readonly why: string } {
  let value = "";
  const references: number[] = [];
  // Positions are those of characters, not of UTF-16's units.
  let length = 0;
  let state: "begin" | "bare" | "single" | "double" | "after" = "begin";
  const add = (text: string): void => {
    value += text;
    length += 1;
  };
  const characters = [...raw];
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index]!;
    if (state === "begin" && (character === "'" || character === '"')) state = character === "'" ? "single" : "double";
    else if ((state === "begin" || state === "bare" || state === "after") && character === "#")
      return { value, references };
    else if (state === "after" || (state === "bare" && isSpace(character))) {
      if (!isSpace(character)) return { why: "has something behind its value: put quotes around all of it" };
      state = "after";
    } else if (state === "single") {
      if (character === "'") state = "after";
      else add(character);
    } else if (state === "double") {
      if (character === '"') state = "after";
      else if (character === "\\") {
        const escaped = ESCAPES[characters[++index] ?? ""];
        if (index >= characters.length) return { why: "has no closing quote" };
        if (escaped === undefined)
          return { why: "has a backslash in double quotes that escapes nothing: write two, or single quotes" };
        add(escaped);
      } else {
        if (character === "$") references.push(length);
        add(character);
      }
    } else {
      state = "bare";
      if (character === "$") references.push(length);
      add(character);
    }
  }
  return state === "single" || state === "double" ? { why: "has no closing quote" } : { value, references };
}

/** The value as `drydock:env` has it: `${NAME}` is a reference there, and `\${NAME}` these characters. */
export function asSetting({ value = "", references }: Pick<Entry, "value" | "references">): string {
  const meant = new Set(references);
  return [...value]
    .map((character, index, all) => {
      const literal =
        character === "$" && !meant.has(index) && /^\$\{[\w.]+\}/.test(all.slice(index, index + 80).join(""));
      return literal ? "\\$" : character;
    })
    .join("");
}
