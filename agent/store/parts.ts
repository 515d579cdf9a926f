import type { Writable } from "node:stream";
import type { Restic } from "./restic.ts";

// What a part of a backup is called in its snapshot: of the database one of the first two, of a service's volume the
// last; files lie there under their own names.
export const DUMP = "database.sql";
export const STREAM = "database.mbstream";
export const TAR = "volume.tar";

/** Writes a volume of a backup as tar. */
export async function readVolume(restic: Restic, id: string, title: string, to: Writable): Promise<void> {
  if (title.startsWith("service ")) await restic.read(id, title, TAR, to);
  else await restic.readFolder(id, title, to);
}
