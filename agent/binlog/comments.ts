import { Transform, type TransformCallback } from "node:stream";
import { eventsOf, HEADER } from "./format.ts";

const TABLE_MAP = 19;

/**
 * The tables with a line break in their names whose rows a file of the log changes, each as the tools write it into a
 * comment of one line, the line break included: what comes after it would be a statement. Bytes.
 */
export function brokenComments(path: string): readonly Buffer[] {
  const found = new Map<string, Buffer>();
  for (const event of eventsOf(path))
    if (event.type === TABLE_MAP)
      for (const comment of commentsOf(event.bytes())) found.set(comment.toString("latin1"), comment);
  return [...found.values()];
}

/** After the header: number of the table (6 bytes), flags (2), and two names, each with its length and a zero. */
function commentsOf(event: Buffer): readonly Buffer[] {
  const named = (at: number): readonly [name: string, next: number] => {
    const length = event[at]!;
    return [event.subarray(at + 1, at + 1 + length).toString("latin1"), at + length + 2];
  };
  const [schema, next] = named(HEADER + 8);
  const [table] = named(next);
  if (!/\n/.test(schema + table)) return [];
  const comment = (how: (name: string) => string) =>
    Buffer.from(`Table_map: \`${how(schema)}\`.\`${how(table)}\` mapped to number `, "latin1");
  // MariaDB's tool doubles backticks, MySQL's doesn't.
  return [comment((name) => name.replaceAll("`", "``")), comment((name) => name)];
}

/** Hands SQL through, with such comments in one line. */
export class WholeComments extends Transform {
  readonly #comments: readonly Buffer[];
  readonly #longest: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(comments: readonly Buffer[]) {
    super();
    this.#comments = comments;
    this.#longest = Math.max(1, ...comments.map(({ length }) => length));
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    const data = this.#repaired(Buffer.concat([this.#rest, chunk]));
    // One that the next chunk completes begins here.
    const keep = Math.min(data.length, this.#longest - 1);
    this.#rest = Buffer.from(data.subarray(data.length - keep));
    done(null, data.subarray(0, data.length - keep));
  }

  override _flush(done: TransformCallback): void {
    done(null, this.#rest);
  }

  #repaired(data: Buffer): Buffer {
    for (const comment of this.#comments)
      for (let at = data.indexOf(comment); at !== -1; at = data.indexOf(comment, at + 1))
        for (let index = at; index < at + comment.length; index++) if (data[index] === 10) data[index] = 32;
    return data;
  }
}
