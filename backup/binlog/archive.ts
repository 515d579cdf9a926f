import type { Writable } from "node:stream";
import { once } from "node:events";
import { requireSecret } from "../configuration.ts";
import { refused } from "../errors.ts";
import type { BinlogPosition } from "../protocol.ts";
import { derivedKey, open, seal } from "../seal.ts";
import type { Store } from "../store.ts";

/** A file of the log as it is in the repository: pieces that follow each other. */
export interface Archived {
  readonly file: string;
  /** Seconds since 1970. */
  readonly begun: number;
  readonly segments: readonly Segment[];
  /** Where the last piece ends. */
  readonly end: number;
}

export interface Segment {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly size: number;
}

const FOLDER = "binlogs/";
const digits = (value: number): string => String(value).padStart(12, "0");
const PATTERN = /^binlogs\/(\d+)-([^/]+)\/(\d+)-(\d+)$/;

export const segmentName = (file: string, begun: number, from: number, to: number): string => `${FOLDER}${digits(begun)}-${file}/${digits(from)}-${digits(to)}`;

/** Sorted by when they were begun; a file with a gap ends before it. */
export function archivedFrom(objects: readonly { readonly name: string; readonly size: number }[]): readonly Archived[] {
  const files = new Map<string, { file: string; begun: number; segments: Segment[]; end: number }>();
  for (const { name, size } of [...objects].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const [, begun = "", file = "", from = "", to = ""] = PATTERN.exec(name) ?? [];
    if (file === "") continue;
    const key = `${begun}-${file}`;
    const known = files.get(key) ?? { file, begun: Number(begun), segments: [], end: 0 };
    files.set(key, known);
    // A piece that was written twice, longer the second time, begins where an earlier one does.
    if (Number(from) > known.end || Number(to) <= known.end) continue;
    if (Number(from) < known.end) known.segments = known.segments.filter((one) => one.from < Number(from));
    known.segments.push({ name, from: Number(from), to: Number(to), size });
    known.end = Number(to);
  }
  return [...files.values()].sort((a, b) => a.begun - b.begun || (a.file < b.file ? -1 : 1));
}

const successor = (file: string): string => file.replace(/\d+$/, (number) => String(Number(number) + 1).padStart(number.length, "0"));

/**
 * The files from a position on, in order, up to another position or as far as they go.
 * @param before seconds since 1970: the position was there by then, so a later file of the same name is not meant
 * @throws AgentError (refused) where a piece is missing
 */
export function chain(archived: readonly Archived[], from: BinlogPosition, before: number, to?: BinlogPosition): readonly Archived[] {
  const missing = (what: string) => refused(`the binary log in the repository lacks ${what}`, "take another backup, or another moment: ./drydock backup list");
  let current = archived.findLast(({ file, begun }) => file === from.file && begun <= before + 1);
  if (current === undefined || current.end < from.position) throw missing(`${from.file} at ${from.position}`);
  const found = [current];
  while (to === undefined || current.file !== to.file) {
    const next: Archived | undefined = archived.find(({ file, begun }) => file === successor(current!.file) && begun >= current!.begun);
    if (next === undefined) {
      if (to !== undefined) throw missing(`${successor(current.file)}, on the way to ${to.file}`);
      break;
    }
    found.push((current = next));
  }
  if (to !== undefined && current.end < to.position) throw missing(`${to.file} at ${to.position} (it reaches ${current.end})`);
  return found;
}

export class BinlogArchive {
  readonly #key = derivedKey(requireSecret("repositoryKey"));

  constructor(readonly store: Store) {}

  async files(): Promise<readonly Archived[]> {
    return archivedFrom(await this.store.list(FOLDER));
  }

  async put(file: string, begun: number, from: number, content: Buffer): Promise<Segment> {
    const name = segmentName(file, begun, from, from + content.length);
    const sealed = seal(this.#key, name, content);
    await this.store.put(name, sealed);
    return { name, from, to: from + content.length, size: sealed.length };
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
