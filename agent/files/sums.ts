import { createHash } from "node:crypto";
import { createReadStream, type Dirent, readdirSync, readFileSync, statSync } from "node:fs";
import { pipeline } from "node:stream/promises";
import { isProvable, joined, keyOf } from "./names.ts";

/** Key of a path (see `keyOf`) to SHA-256. */
export type FileSums = Readonly<Record<string, string>>;

/** What is recorded of files: SHA-256 by the key of a path. `id` changes whenever the content may have changed. */
export type Sums = Readonly<Record<string, { readonly sum: string; readonly id?: string }>>;

/** Called with the path of what can't be read, and why. */
export type Unreadable = (path: Uint8Array, error: Error) => void;

/** Paths of regular files below a folder, from there, sorted; names are bytes, for Linux knows no others. */
export function* filesBelow(root: string, folder: Uint8Array, onUnreadable: Unreadable): Generator<Uint8Array> {
  let entries: Dirent<NonSharedBuffer>[];
  try {
    entries = readdirSync(joined(root, folder), { withFileTypes: true, encoding: "buffer" });
  } catch (error) {
    return onUnreadable(folder, error as Error);
  }
  for (const entry of entries.sort((a, b) => Buffer.compare(a.name, b.name))) {
    const path = joined(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(root, path, onUnreadable);
    else if (entry.isFile()) yield path;
  }
}

/** Sums of all files below a folder that can be read. */
export async function sumsBelow(root: string): Promise<FileSums> {
  const sums: [string, string][] = [];
  // What can't be read is missing in the comparison.
  for (const path of filesBelow(root, Buffer.alloc(0), () => undefined))
    if (isProvable(path)) sums.push([keyOf(path), await sumOf(joined(root, path))]);
  // A file may be called __proto__.
  return Object.fromEntries(sums);
}

/** A small file at once, for many of them cost more in streams than in bytes. */
export async function sumOf(file: Uint8Array, size?: number): Promise<string> {
  const path = Buffer.from(file);
  const hash = createHash("sha256");
  if ((size ?? statSync(path).size) <= 2 ** 20) return hash.update(readFileSync(path)).digest("hex");
  await pipeline(createReadStream(path, { highWaterMark: 1 << 18 }), hash);
  return hash.digest("hex");
}
