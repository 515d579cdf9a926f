import { createHash } from "node:crypto";
import { createReadStream, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** Path to SHA-256. */
export type FileSums = Record<string, string>;

/** Regular files below a folder, from there; sorted. */
export function* filesBelow(root: string, folder = ""): Generator<string> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(root, path);
    else if (entry.isFile()) yield path;
  }
}

/** A small file at once, for many of them cost more in streams than in bytes. */
export async function sumOf(file: string, size = statSync(file).size): Promise<string> {
  const hash = createHash("sha256");
  if (size <= 2 ** 20) return hash.update(readFileSync(file)).digest("hex");
  await pipeline(createReadStream(file, { highWaterMark: 1 << 18 }), hash);
  return hash.digest("hex");
}
