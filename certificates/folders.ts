import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";

/** Where the keeper reads and writes; a test has them elsewhere. */
export interface Folders {
  /** What stacks have put there; read-only. */
  readonly state: string;
  readonly certificates: string;
  readonly accounts: string;
}

export const live = ({ certificates }: Folders, name: string): string =>
  join(certificates, "live", `${fileName(name)}.pem`);
export const proven = ({ certificates }: Folders, name: string): string => join(certificates, "proven", fileName(name));

/** As nginx is told: no asterisk is in a file's name. */
export const fileName = (name: string): string => name.replace("*", "_");

/** Writes a file so that whoever reads it has all of the old one or all of the new one, after a crash too. */
export function replace(path: string, content: string, mode = 0o600): void {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.new`;
  const file = openSync(draft, "w", mode);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(draft, path);
}

export function readIf(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}
