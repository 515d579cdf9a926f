import { readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { FOLDERS } from "../../contracts/agent.ts";

/**
 * What the proof of the newest backup has restored and compared: a server's data, ended in order, in the volume
 * `restore`. It gets its name when all of it is on the disk, and loses it before any of it goes; nobody writes to it.
 */
const PREFIX = "kept-";

export const isKept = (name: string): boolean => name.startsWith(PREFIX);
export const keptAt = (backup: string): string => join(FOLDERS.restore, PREFIX + backup);

/** The backups of which something is kept: one at most. */
export function kept(): readonly string[] {
  return readdirSync(FOLDERS.restore)
    .filter(isKept)
    .map((name) => name.slice(PREFIX.length));
}

export function forgetKept(): void {
  for (const backup of kept()) {
    const leaving = join(FOLDERS.restore, `leaving-${backup}`);
    renameSync(keptAt(backup), leaving);
    rmSync(leaving, { recursive: true, force: true });
  }
}
