import { chmodSync, type Dirent, lstatSync, readdirSync, rmSync } from "node:fs";
import { joined } from "./names.ts";

/**
 * Removes a folder with all that is in it. What an application has denied itself is denied to whoever unpacks it, too:
 * a folder without the right to write keeps what it has.
 */
export function removeAll(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    open(Buffer.from(folder));
    rmSync(folder, { recursive: true, force: true });
  }
}

function open(folder: Buffer): void {
  if (!lstatSync(folder).isDirectory()) return;
  chmodSync(folder, 0o700);
  for (const entry of readdirSync(folder, { withFileTypes: true, encoding: "buffer" }) as Dirent<NonSharedBuffer>[])
    if (entry.isDirectory()) open(joined(folder, entry.name));
}
