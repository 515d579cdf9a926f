import { createHash } from "node:crypto";
import { lstatSync, type Stats } from "node:fs";
import { FOLDERS } from "../../contracts/agent.ts";
import type { Entry } from "../../contracts/entry.ts";
import type { Agent } from "../agent.ts";
import { isProvable, joined, keyOf, lossy, pathOf, shown } from "../files/names.ts";
import { filesBelow, type Sums, sumOf } from "../files/sums.ts";
import { messageOf } from "../shared/errors.ts";
import { type PartCopy, shortened } from "../store/entry.ts";
import type { Part } from "../store/restic.ts";

/** A file as it was when its sum was taken. `id` changes whenever its content may have changed. */
interface FileSum {
  readonly sum: string;
  readonly id: string;
}
/** By the key of a path: see `keyOf`. */
export type Manifest = Readonly<Record<string, FileSum>>;

const idOf = ({ ino, size, mtimeMs, ctimeMs }: Stats): string => `${ino}-${size}-${mtimeMs}-${ctimeMs}`;
const at = (path: Uint8Array, root: string): Buffer => joined(root, path);

export interface Found {
  readonly sums: Manifest;
  /** What can't be read, and why, in words. */
  readonly unreadable: readonly string[];
}

/**
 * Sums of the files before they are read into the repository; one that didn't change since the last backup keeps its
 * sum. What can't be read, such as a file to which the application has denied itself any access, is named and left out.
 */
export async function filesToBackUp(
  include: readonly string[],
  previous: Manifest | undefined,
  root: string = FOLDERS.storage,
): Promise<Found> {
  const sums: [string, FileSum][] = [];
  const unreadable: string[] = [];
  const note = (path: Uint8Array, error: Error): void => {
    // Deleted since it was listed.
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return;
    unreadable.push(
      `${shown(keyOf(path))} can't be read: ${(error as NodeJS.ErrnoException).code ?? messageOf(error)}`,
    );
  };
  for (const folder of include) {
    for (const path of existing(folder, root, note)) {
      if (!isProvable(path)) continue;
      try {
        const stats = lstatSync(at(path, root));
        const id = idOf(stats);
        const key = keyOf(path);
        const known = previous !== undefined && Object.hasOwn(previous, key) ? previous[key] : undefined;
        sums.push([key, known?.id === id ? known : { id, sum: await sumOf(at(path, root), stats.size) }]);
      } catch (error) {
        note(path, error as Error);
      }
    }
  }
  return { sums: Object.fromEntries(sums), unreadable };
}

function existing(folder: string, root: string, note: (path: Uint8Array, error: Error) => void): Iterable<Uint8Array> {
  const below = Buffer.from(folder === "." ? "" : folder);
  try {
    return lstatSync(at(below, root)).isDirectory() ? filesBelow(root, below, note) : [below];
  } catch (error) {
    note(below, error as Error);
    return [];
  }
}

/**
 * The sums of those stored files that are still what they were when their sum was taken: the repository then has
 * exactly that. Others were written to meanwhile: they are in the backup, but nobody knows what they should be.
 * @param stored names as restic says them, in which bytes that are no UTF-8 look alike
 */
export function settledSums(
  before: Manifest,
  stored: readonly string[],
  root: string = FOLDERS.storage,
): { readonly sums: Manifest; readonly changed: number; readonly count: number } {
  const keys = new Map<string, string[]>();
  for (const key of Object.keys(before)) keys.set(lossy(pathOf(key)), [...(keys.get(lossy(pathOf(key))) ?? []), key]);
  const times = new Map<string, number>();
  for (const name of stored) times.set(lossy(name), (times.get(lossy(name)) ?? 0) + 1);
  const sums: [string, FileSum][] = [];
  let count = 0;
  for (const [name, found] of times) {
    const alike = keys.get(name) ?? [];
    if (alike.length === 0) {
      if (isFile(Buffer.from(name), root)) count += found;
      continue;
    }
    count += found;
    // Where some of those that look alike were left out, nobody can tell which.
    if (found < alike.length) continue;
    for (const key of alike) if (isStill(key, before[key]!, root)) sums.push([key, before[key]!]);
  }
  return { sums: Object.fromEntries(sums), changed: count - sums.length, count };
}

function isStill(key: string, { id }: FileSum, root: string): boolean {
  try {
    const stats = lstatSync(at(pathOf(key), root));
    return stats.isFile() && idOf(stats) === id;
  } catch {
    return false;
  }
}

/** What has gone meanwhile was one, as far as anybody knows. */
function isFile(path: Uint8Array, root: string): boolean {
  try {
    return lstatSync(at(path, root)).isFile();
  } catch {
    return true;
  }
}

/** What was put into the repository. */
export interface FilesCopy extends PartCopy<NonNullable<Entry["files"]>> {
  readonly sums: Sums;
}

/** A backup as its parts need to know it; `proven`: it is restored and compared at once. */
export interface Making {
  readonly id: string;
  readonly proven: boolean;
}

/** Puts storage/app into the repository. Undefined where there is no file at all. */
export async function backUpFiles(
  agent: Agent,
  backup: Making,
  entries: readonly Entry[],
): Promise<FilesCopy | undefined> {
  const last = entries.find(({ files }) => files !== undefined);
  const previous = last === undefined ? undefined : await agent.local.catalogue.attachment<Manifest>(last.id, "files");
  const { include, exclude } = agent.configuration.files;
  return await backUpFolder(agent, backup, { part: "files", root: FOLDERS.storage, include, exclude, previous });
}

/** What is put into the repository, and under which name. */
export interface Source {
  readonly part: Part;
  readonly root: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  /** Sums from before, of files that may not have changed since. */
  readonly previous: Manifest | undefined;
}

/**
 * Puts a folder that the agent may read itself into the repository. Undefined where nothing is in it: of nothing restic
 * makes no snapshot.
 */
export async function backUpFolder(
  { reporter, local }: Agent,
  { id, proven }: Making,
  { part, root, include, exclude, previous }: Source,
): Promise<FilesCopy | undefined> {
  const before = await filesToBackUp(include, previous, root);
  const stored = await local.restic
    .storeFolder(id, part, root, include, exclude, { reporter, proven })
    .catch((error: unknown) => {
      if (/snapshot is empty/.test(messageOf(error))) return undefined;
      throw error;
    });
  const of = part === "files" ? "" : `${part}: `;
  if (stored === undefined) return void reporter.log("warn", `${of}there is no file to back up`);
  const { sums, changed, count } = settledSums(before.sums, stored.names, root);
  // What is left out on purpose need not be readable: only where restic missed something does it count.
  const found = before.unreadable.length === 0 ? [`some files could not be read: ${stored.unread}`] : before.unreadable;
  const missing = stored.unread === undefined ? [] : found.map((one) => `${of}${one}`);
  for (const one of shortened(missing, 5)) reporter.log("warn", one);
  const { bytes, added } = stored;
  return { sums, missing, entry: { count, bytes, added, manifest: manifestOf(sums), changed } };
}

export const manifestOf = (sums: Sums): string => createHash("sha256").update(JSON.stringify(sums)).digest("hex");
