import { existsSync, rmSync, statfsSync } from "node:fs";
import { FOLDERS } from "../../contracts/agent.ts";
import { writeAtomically } from "../../lib/stateFiles.ts";
import { messageOf } from "../shared/errors.ts";
import type { Reporter } from "../shared/events.ts";
import type { Restic } from "./restic.ts";

const MIB = 2 ** 20;
const RESERVE = `${FOLDERS.backups}/state/reserve`;

const mib = (bytes: number): string => `${Math.round(bytes / MIB)} MiB`;
const free = (): number => {
  const { bavail, bsize } = statfsSync(FOLDERS.backups);
  return bavail * bsize;
};

/** Some room that only the way out of a full disk may use: not even a lock can be written there otherwise. */
export function keepRoom(): void {
  try {
    if (free() > 64 * MIB && !existsSync(RESERVE)) writeAtomically(RESERVE, Buffer.alloc(8 * MIB));
  } catch {
    // No room even for that.
  }
}

/** What is missing, in words; undefined where there is enough. */
export function tooLittle(needed: number): string | undefined {
  const left = free();
  return left < needed
    ? `the disk of the volume for backups has ${mib(left)} left, and a backup may need ${mib(needed)}`
    : undefined;
}

/** Takes away what a backup has left behind that found no room. */
export async function makeRoom(restic: Pick<Restic, "prune">, reporter: Pick<Reporter, "log">): Promise<void> {
  rmSync(RESERVE, { force: true });
  try {
    await restic.prune();
    reporter.log("info", `what the failed backup had stored is removed; ${mib(free())} are free`);
  } catch (error) {
    reporter.log("error", `what the failed backup had stored could not be removed: ${messageOf(error)}`);
  }
  keepRoom();
}
