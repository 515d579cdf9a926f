import { once } from "node:events";
import type { Writable } from "node:stream";
import type { BinlogPosition } from "../../contracts/entry.ts";
import { defined } from "../../lib/defined.ts";
import { requireSecret } from "../shared/configuration.ts";
import { refused } from "../shared/errors.ts";
import { derivedKey, open, seal } from "../store/encryption.ts";
import type { Store } from "../store/store.ts";
import { MAGIC, startedByRestart, wholeEvents } from "./format.ts";

/** A file of the log as it is in the repository: pieces that follow each other. */
export interface Archived {
  readonly file: string;
  /** Seconds since 1970. */
  readonly started: number;
  readonly segments: readonly Segment[];
  /** Where the last piece ends. */
  readonly end: number;
  /** Names of all that is stored of it, also of what has become useless. */
  readonly objects: readonly string[];
  readonly mark?: Mark;
}

/**
 * How a file ends. `complete`: the server went on to the next one. `hole`: it did, and what it wrote before that was
 * never had. `replaced`: it did, on other data: its files had been put in place by a restore.
 */
export type Mark = "complete" | "hole" | "replaced";

export interface Segment {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly size: number;
  /** It ends within an event. */
  readonly more: boolean;
}

const FOLDER = "binlogs/";
const digits = (value: number): string => String(value).padStart(12, "0");
/**
 * A piece without a length is a mark, and the end of its name says which. Of several the last one counts, in this
 * order.
 */
const SIGNS = { complete: "", hole: "!", replaced: "=" } as const satisfies Readonly<Record<Mark, string>>;
const markOf = (sign: string): Mark =>
  (Object.keys(SIGNS) as Mark[]).find((mark) => SIGNS[mark] === sign) ?? "complete";
/** `~`: the piece ends within an event. */
const PATTERN = /^binlogs\/(\d+)-([^/]+)\/(\d+)-(\d+)([~!=]?)$/;

export const segmentName = (
  file: string,
  started: number,
  from: number,
  to: number,
  sign: "~" | (typeof SIGNS)[Mark] = "",
): string => `${FOLDER}${digits(started)}-${file}/${digits(from)}-${digits(to)}${sign}`;

interface Growing {
  readonly file: string;
  readonly started: number;
  segments: Segment[];
  tip: number;
  readonly objects: string[];
  readonly marks: Map<number, Mark>;
}

/** Sorted by when they were started; a file with a gap ends before it. */
export function archivedFrom(
  objects: readonly { readonly name: string; readonly size: number }[],
): readonly Archived[] {
  const files = new Map<string, Growing>();
  for (const { name, size } of [...objects].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const [, started = "", file = "", from = "", to = "", sign = ""] = PATTERN.exec(name) ?? [];
    if (file === "") continue;
    const key = `${started}-${file}`;
    const known: Growing = files.get(key) ?? {
      file,
      started: Number(started),
      segments: [],
      tip: 0,
      objects: [],
      marks: new Map(),
    };
    files.set(key, known);
    known.objects.push(name);
    if (from === to) known.marks.set(Number(to), markOf(sign));
    // A piece that was written twice, longer the second time, begins where an earlier one does.
    if (Number(from) > known.tip || Number(to) <= known.tip) continue;
    if (Number(from) < known.tip) known.segments = known.segments.filter((one) => one.from < Number(from));
    known.segments.push({ name, from: Number(from), to: Number(to), size, more: sign === "~" });
    known.tip = Number(to);
  }
  return [...files.values()].map(settled).sort((a, b) => a.started - b.started || (a.file < b.file ? -1 : 1));
}

/** Without the beginning of an event whose rest is not there. */
function settled({ file, started, segments, marks, objects }: Growing): Archived {
  const whole = segments.slice(0, segments.findLastIndex(({ more }) => !more) + 1);
  const end = whole.at(-1)?.to ?? 0;
  const mark = marks.get(end);
  return { file, started, segments: whole, end, objects, ...defined({ mark }) };
}

export const successor = (file: string): string =>
  file.replace(/\d+$/, (number) => String(Number(number) + 1).padStart(number.length, "0"));

/** The file that is meant: the last one started by then; where a clock was wrong, the only one of that name. */
function named(archived: readonly Archived[], file: string, before: number): Archived | undefined {
  const all = archived.filter((one) => one.file === file);
  return all.findLast(({ started }) => started <= before + 1) ?? (all.length === 1 ? all[0] : undefined);
}

/** The next file; of those with its name the first that was started later, or where a clock was wrong, the only one. */
function nextOf(archived: readonly Archived[], { file, started }: Archived): Archived | undefined {
  const all = archived.filter((one) => one.file === successor(file));
  return all.find((one) => one.started >= started) ?? (all.length === 1 ? all[0] : undefined);
}

/**
 * The files from a position on, in order, up to another position or as far as they go. Whether each is complete is
 * another question: see `BinlogArchive.follow`.
 * @param before seconds since 1970: the position was there by then, so a later file of the same name is not meant
 * @throws AgentError (refused) where a file is missing
 */
export function chain(
  archived: readonly Archived[],
  from: BinlogPosition,
  before: number,
  to?: BinlogPosition,
): readonly Archived[] {
  let current = named(archived, from.file, before);
  if (current === undefined || current.end < from.position) throw lacks(`${from.file} at ${from.position}`);
  const found = [current];
  while (to === undefined || current.file !== to.file) {
    const next = nextOf(archived, current);
    if (next === undefined || found.includes(next)) {
      if (to !== undefined) throw lacks(`${successor(current.file)}, on the way to ${to.file}`);
      break;
    }
    found.push((current = next));
  }
  if (to !== undefined && current.end < to.position)
    throw lacks(`${to.file} at ${to.position} (it reaches ${current.end})`);
  return found;
}

const lacks = (what: string) =>
  refused(
    `the binary log in the repository lacks ${what}`,
    "take another backup, or another moment: ./drydock backup list",
  );

const ofOtherData = ({ file }: Archived, last: Date) =>
  refused(
    `the server's files were replaced by a restore after ${last.toISOString()} (${file}): ` +
      "what the log says after that is of other data than this backup",
    `choose a moment before ${last.toISOString()}, or a backup that was made after that restore: ./drydock backup list`,
  );

/** What is followed, and what is to be said of it. */
export interface Followed {
  readonly files: readonly Archived[];
  readonly warnings: readonly string[];
}

export class BinlogArchive {
  readonly #key: Buffer;

  /** @param repositoryKey the secret that its own key is made of. @default the agent's */
  constructor(
    readonly store: Store,
    repositoryKey = requireSecret("repositoryKey"),
  ) {
    this.#key = derivedKey(repositoryKey);
  }

  async files(): Promise<readonly Archived[]> {
    return archivedFrom(await this.store.list(FOLDER));
  }

  /** @param more the piece ends within an event */
  async put(file: string, started: number, from: number, content: Buffer, more = false): Promise<void> {
    const name = segmentName(file, started, from, from + content.length, more ? "~" : "");
    await this.store.put(name, seal(this.#key, name, content));
  }

  /** Notes that a file ends here, and how. */
  async mark({ file, started, end }: Pick<Archived, "file" | "started" | "end">, mark: Mark): Promise<void> {
    const name = segmentName(file, started, end, end, SIGNS[mark]);
    await this.store.put(name, seal(this.#key, name, Buffer.alloc(0)));
  }

  /**
   * The files from a position on up to another one or to a moment, as `chain` finds them, without a hole on the way.
   * @throws AgentError (refused) where one is, or may be, before that
   */
  async follow(
    from: BinlogPosition,
    before: number,
    until: { readonly position: BinlogPosition } | { readonly time: Date },
  ): Promise<Followed> {
    const archived = await this.files();
    const found = chain(archived, from, before, "position" in until ? until.position : undefined);
    const warnings: string[] = [];
    for (const [index, file] of found.entries()) {
      const next = found[index + 1];
      const replaced = file.mark === "replaced";
      if (next === undefined && ("position" in until || (archived.at(-1) === file && !replaced))) break;
      if (!replaced && (await this.isComplete(file))) continue;
      if ("time" in until && (await this.#lastTime(file)) >= Math.floor(until.time.getTime() / 1000))
        return { files: found.slice(0, index + 1), warnings };
      if (replaced) throw ofOtherData(file, new Date((await this.#lastTime(file)) * 1000));
      if (next !== undefined && file.mark !== "hole" && startedByRestart(await this.#content(next.segments[0]))) {
        warnings.push(
          `${file.file} ends at ${file.end} without an end: the server was killed, ` +
            "and what it wrote last may be missing",
        );
        continue;
      }
      const last = new Date((await this.#lastTime(file)) * 1000).toISOString();
      throw refused(
        `the binary log in the repository has a hole: ${file.file} is there as far as ${file.end} (${last}), ` +
          "and goes on without what followed",
        `choose a moment before ${last}, or a backup that was made after the hole: ./drydock backup list`,
      );
    }
    return { files: found, warnings };
  }

  /** Whether the server wrote nothing more into this file. */
  async isComplete({ segments, mark }: Archived): Promise<boolean> {
    if (mark !== undefined) return mark !== "hole";
    const last = segments.at(-1);
    // The rest of a large event is rows.
    if (last === undefined || segments.at(-2)?.more === true) return false;
    return wholeEvents(await this.#content(last), last.from).closed;
  }

  /** When the last event was, in seconds since 1970; 0 where there is none. */
  async #lastTime({ segments }: Archived): Promise<number> {
    const begins = segments.findLastIndex((_, index) => segments[index - 1]?.more !== true);
    const segment = segments[begins];
    if (segment === undefined) return 0;
    const content = await this.#content(segment);
    if (!segment.more) return wholeEvents(content, segment.from).lastTime ?? 0;
    return content.readUInt32LE(segment.from === 0 ? MAGIC.length : 0);
  }

  async #content(segment: Pick<Segment, "name"> | undefined): Promise<Buffer> {
    const sealed = segment === undefined ? undefined : await this.store.get(segment.name);
    return sealed === undefined ? Buffer.alloc(0) : open(this.#key, segment!.name, sealed);
  }

  /** Writes a file as the server had it. */
  async read({ segments }: Archived, to: Writable): Promise<void> {
    let at = 0;
    for (const { name, from } of segments) {
      const sealed = await this.store.get(name);
      if (sealed === undefined) throw refused(`${name} is gone from the repository`);
      const content = open(this.#key, name, sealed).subarray(at - from);
      at += content.length;
      if (!to.write(content)) await once(to, "drain");
    }
  }
}
