import { lstatSync, type Stats } from "node:fs";
import { join } from "node:path";
import { filesBelow, sumOf } from "./companion/sums.ts";
import { FOLDERS } from "./protocol.ts";

/** A file as it was when its sum was taken. `id` changes whenever its content may have changed. */
export interface FileSum {
  readonly sum: string;
  readonly id: string;
}
export type Manifest = Record<string, FileSum>;

const idOf = ({ ino, size, mtimeMs, ctimeMs }: Stats): string => `${ino}-${size}-${mtimeMs}-${ctimeMs}`;

/** Sums of the files before they are read into the repository; one that didn't change since the last backup keeps its sum. */
export async function filesToBackUp(include: readonly string[], previous: Manifest | undefined): Promise<Manifest> {
  const sums: Manifest = {};
  for (const folder of include) {
    for (const path of existing(folder)) {
      try {
        const stats = lstatSync(join(FOLDERS.storage, path));
        const id = idOf(stats);
        const known = previous?.[path];
        sums[path] = known?.id === id ? known : { id, sum: await sumOf(join(FOLDERS.storage, path), stats.size) };
      } catch (error) {
        // Deleted since it was listed.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
  }
  return sums;
}

function existing(folder: string): Iterable<string> {
  const root = folder === "." ? "" : folder;
  try {
    return lstatSync(join(FOLDERS.storage, root)).isDirectory() ? filesBelow(FOLDERS.storage, root) : [root];
  } catch {
    return [];
  }
}

/**
 * The sums of those stored files that are still what they were when their sum was taken: the repository then has exactly that. Others were
 * written to meanwhile: they are in the backup, but nobody knows what they should be.
 */
export function settledSums(before: Manifest, stored: readonly string[]): { readonly sums: Manifest; readonly changed: number; readonly count: number } {
  const sums: Manifest = {};
  let count = 0;
  for (const path of stored) {
    const known = before[path];
    try {
      const stats = lstatSync(join(FOLDERS.storage, path));
      if (!stats.isFile()) continue;
      if (known !== undefined && idOf(stats) === known.id) sums[path] = known;
    } catch {
      // Gone meanwhile.
    }
    count++;
  }
  return { sums, changed: count - Object.keys(sums).length, count };
}
