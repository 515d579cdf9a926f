import { Transform, type TransformCallback } from "node:stream";
import { CliError, Exit } from "../shared/errors.ts";
import { shownName } from "./shown.ts";
import { bytes, quoted } from "./sql.ts";
import { NAME as ANY_NAME, TRIGGER_HEAD } from "./triggerHead.ts";

/** A line that is longer is one of rows, and is handed through as it comes. */
const LONGEST = 65_536;
const NAME = "(?:`((?:[^`]|``)*)`|([0-9A-Za-z_$]+))";
const USE = new RegExp(`^USE\\s+${NAME}\\s*;\\s*$`, "i");

/**
 * Statements that choose a database, or ask for rights over the whole server: what is imported is one schema, whatever
 * it was called.
 */
const LEFT_OUT = [
  /^(?:\/\*![0-9]+ )?(?:CREATE|DROP) (?:DATABASE|SCHEMA)\b.*;\s*$/i,
  /^SET @@SESSION\.SQL_LOG_BIN\s*=.*;\s*$/i,
  /^CHANGE (?:MASTER|REPLICATION SOURCE) TO\b.*;\s*$/i,
  /^\/\*M!\d+\\-.*\*\/\s*$/,
];

/** They set the schema's collation for a moment, by its name: as it was when a routine or a trigger was made. */
const COLLATION = new RegExp(`^ALTER DATABASE ${NAME} (CHARACTER SET [0-9A-Za-z_]+ COLLATE [0-9A-Za-z_]+\\s*;\\s*)$`);
/** How a trigger begins in a dump. */
const CREATES = `^/\\*!50003 CREATE\\*/ /\\*!50017 DEFINER=${ANY_NAME}@${ANY_NAME}\\*/ /\\*!50003 `;
const TRIGGER = new RegExp(`(${CREATES})${TRIGGER_HEAD}`, "i");
const OF_A_TRIGGER = new RegExp(`${CREATES}TRIGGER\\b`, "i");

/**
 * The SQL of one schema out of what mariadb-dump, mysqldump and their like have written, for a schema of another name.
 * What else names the schema that it was made of is left as it is: whoever loads it has no rights there.
 */
export class DumpFilter extends Transform {
  /** The schema that it was made of, where it says so. */
  schema: string | undefined;
  #rest: Buffer = Buffer.alloc(0);
  /** Of a long line, the end of which has not come yet. */
  #through = false;
  /** In the text of a trigger or a routine. */
  #body = false;
  /** The line before was the one that begins it. */
  #begins = false;
  /** The beginning of a trigger, as far as it has come: it may have several lines, and name its schema in any. */
  #trigger = "";
  #purged = false;
  #head = "";
  #tail = "";

  constructor(readonly target: string) {
    super();
  }

  override _transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback): void {
    try {
      if (this.#head.length < 4096) this.#head += chunk.toString("latin1", 0, 4096);
      this.#tail = (this.#tail + chunk.toString("latin1", Math.max(0, chunk.length - 512))).slice(-512);
      this.#take(chunk);
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    try {
      if (this.#rest.length > 0) this.#line(this.#rest);
      this.#asItIs();
      // They say so at their end. A dump that was made without comments has neither.
      if (/^-- (?:MySQL|MariaDB) dump /m.test(this.#head) && !/^-- Dump completed/m.test(this.#tail)) {
        throw new CliError({
          what: "the dump is cut off: it doesn't end with `-- Dump completed`; nothing that is live was touched",
          remedy: "make it once more, or copy it once more",
          code: Exit.refused,
        });
      }
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  #take(chunk: Buffer): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = Buffer.alloc(0);
    for (;;) {
      const end = data.indexOf(10);
      if (end === -1) break;
      const line = data.subarray(0, end + 1);
      data = data.subarray(end + 1);
      if (this.#through) this.push(line);
      else this.#line(line);
      this.#through = false;
    }
    if (this.#through || data.length > LONGEST) {
      this.#asItIs();
      this.#through = true;
      if (data.length > 0) this.push(data);
    } else this.#rest = data;
  }

  #line(line: Buffer): void {
    if (line.length > LONGEST) {
      this.#asItIs();
      return void this.push(line);
    }
    const text = line.toString("latin1");
    const delimiter = /^DELIMITER\s+(\S+)/i.exec(text)?.[1];
    if (delimiter !== undefined) this.#asItIs();
    if (this.#trigger !== "" || (this.#begins && OF_A_TRIGGER.test(text))) this.#triggerLine(text);
    else if (this.#body && delimiter === undefined) this.push(line);
    else if (COLLATION.test(text))
      this.push(
        Buffer.from(
          text.replace(
            COLLATION,
            (...[, , , rest]: string[]) => `ALTER DATABASE ${bytes(quoted(this.target))} ${rest}`,
          ),
          "latin1",
        ),
      );
    else if (!this.#leavesOut(text)) this.push(line);
    if (delimiter !== undefined) this.#body = delimiter !== ";";
    this.#begins = delimiter !== undefined && this.#body;
  }

  #triggerLine(text: string): void {
    this.#trigger += text;
    const [head, creates, own, name, event, of, table, goesOn] = TRIGGER.exec(this.#trigger) ?? [];
    // A client takes one comment in another for its end, and what a name has for a comment.
    if (head !== undefined && (own !== undefined || of !== undefined || head.includes("/*", creates!.length)))
      this.#trigger = `${creates}TRIGGER ${name} ${event} ON ${table}${goesOn}${this.#trigger.slice(head.length)}`;
    if (head !== undefined || this.#trigger.length > LONGEST) this.#asItIs();
  }

  #asItIs(): void {
    if (this.#trigger !== "") this.push(Buffer.from(this.#trigger, "latin1"));
    this.#trigger = "";
  }

  #leavesOut(text: string): boolean {
    if (this.#purged || /^SET @@GLOBAL\.GTID_PURGED\s*=/i.test(text)) {
      this.#purged = !/;\s*$/.test(text);
      return true;
    }
    const use = USE.exec(text);
    if (use === null) return LEFT_OUT.some((one) => one.test(text));
    const schema = Buffer.from(use[1]?.replaceAll("``", "`") ?? use[2]!, "latin1").toString("utf8");
    if (this.schema !== undefined && this.schema !== schema) {
      throw new CliError({
        what:
          `the dump holds more than one database: ${shownName(this.schema)}, ${shownName(schema)}; ` +
          "nothing that is live was touched",
        remedy: "dump the application's own: mariadb-dump --single-transaction --routines --triggers --events NAME",
        code: Exit.refused,
      });
    }
    this.schema = schema;
    return true;
  }
}
