import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

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

export function readIf(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}
