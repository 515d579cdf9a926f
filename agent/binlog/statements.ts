import { defined } from "../../lib/defined.ts";
import { eventsOf, HEADER, MAGIC } from "./format.ts";

/** A statement of a binary log, with the schema that was the default one when it was run. */
export interface Statement {
  /** Where it begins and ends in its file. */
  readonly from: number;
  readonly to: number;
  /** Empty where there was none. */
  readonly schema: string;
  readonly text: string;
}

const QUERY = 2;
/** What MariaDB writes with log_bin_compress; its text can't be read here. */
const QUERY_COMPRESSED = 165;
/** A longer one changes rows, and rows are logged as rows. */
const LONGEST = 64 * 2 ** 20;

/** The statements of a file of the log that are logged as such: definitions, and the like. Rows are left out. */
export function* statementsOf(path: string): Generator<Statement> {
  for (const { type, from, to, bytes } of eventsOf(path)) {
    if ((type !== QUERY && type !== QUERY_COMPRESSED) || to - from > LONGEST) continue;
    yield { from, to, ...queryOf(bytes(), type === QUERY_COMPRESSED) };
  }
}

/**
 * After the header: thread (4 bytes), seconds (4), length of the schema's name (1), error (2), length of the variables
 * (2).
 */
function queryOf(event: Buffer, compressed: boolean): Pick<Statement, "schema" | "text"> {
  const schemaLength = event[HEADER + 8]!;
  const begin = HEADER + 13 + event.readUInt16LE(HEADER + 11);
  const schema = event.subarray(begin, begin + schemaLength).toString();
  // The checksum at the end, where there is one, belongs to no word that is looked for.
  return { schema, text: compressed ? "" : event.subarray(begin + schemaLength + 1).toString() };
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** What concerns accounts, and no schema's content. */
const ACCOUNTS = new RegExp(
  String.raw`^\s*(?:grant|revoke|create\s+(?:or\s+replace\s+)?(?:user|role)|alter\s+user|drop\s+(?:user|` +
    String.raw`role)|rename\s+user|set\s+(?:password|default\s+role)|flush)\b`,
  "i",
);

/**
 * Whether a statement that was run from outside a schema may have changed it: it names it, in front of a name or as a
 * schema. One that names it otherwise may be taken for such a one; that does no harm where it is run.
 */
export function reaches({ schema: at, text }: Pick<Statement, "schema" | "text">, schema: string): boolean {
  if (at === schema || ACCOUNTS.test(text)) return false;
  const name = `(?:\`${escaped(schema.replaceAll("`", "``"))}\`|(?<![\\w$\`])${escaped(schema)}(?![\\w$]))`;
  return new RegExp(`${name}\\s*\\.|\\b(?:database|schema)\\s+(?:if\\s+(?:not\\s+)?exists\\s+)?${name}`, "i").test(
    text,
  );
}

/** A part of the log that is replayed at once: what concerns the schema, or one statement from outside it as it is. */
export interface Stretch {
  readonly file: string;
  readonly from: number;
  /** The end of the file without it. */
  readonly to?: number;
  /** The schema from which a statement is run that is replayed as it is; empty where it was none. */
  readonly outside?: string;
}

/**
 * How the log of one schema is replayed. The tools choose statements by the schema that was the default one, and would
 * leave out without a word what was done to a table from outside: `ALTER TABLE shop.orders …` of an administrator.
 * @param files in order, with their paths
 */
export function stretchesOf(
  files: readonly { readonly name: string; readonly path: string }[],
  from: number,
  schema: string,
  to?: number,
): readonly Stretch[] {
  return files.flatMap(({ name, path }, index) => {
    const last = index === files.length - 1 ? to : undefined;
    let at = index === 0 ? from : MAGIC.length;
    const stretches: Stretch[] = [];
    for (const statement of statementsOf(path)) {
      if (statement.from < at || (last !== undefined && statement.from >= last) || !reaches(statement, schema))
        continue;
      if (statement.from > at) stretches.push({ file: name, from: at, to: statement.from });
      stretches.push({ file: name, from: statement.from, to: statement.to, outside: statement.schema });
      at = statement.to;
    }
    if (last === undefined || at < last) stretches.push({ file: name, from: at, ...defined({ to: last }) });
    return stretches;
  });
}
