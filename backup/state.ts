import { join } from "node:path";
import { readIfThere, writeWhole } from "./files.ts";
import { FOLDERS } from "./protocol.ts";

/** What else a stack is made of, as it was at the time of a backup. */
export interface State {
  /** Plain variables, and the names of the secret ones; their values are in the stack's file. */
  readonly environment: unknown;
  readonly maintenance: unknown;
  /** The last releases, a JSON line each. */
  readonly releases: string;
}

export const ENVIRONMENT = join(FOLDERS.backups, "state", "environment.json");

/** When a server's files were last about to be put in the place of the live ones: whether they were is not known here. */
const REPLACED = join(FOLDERS.backups, "state", "replaced");
export const noteReplacement = (now = new Date()): void => writeWhole(REPLACED, now.toISOString());
export function lastReplaced(): Date | undefined {
  const noted = readIfThere(REPLACED)?.toString();
  return noted === undefined ? undefined : new Date(noted);
}

export function stateNow(): State {
  const json = (path: string): unknown => {
    try {
      return JSON.parse(readIfThere(path)?.toString() ?? "null") as unknown;
    } catch {
      return null;
    }
  };
  return {
    environment: json(ENVIRONMENT),
    maintenance: json(join(FOLDERS.proxy, "maintenance/current/state.json")),
    releases: readIfThere(join(FOLDERS.records, "releases.jsonl"))?.toString().split("\n").slice(-50).join("\n") ?? "",
  };
}

/** Keeps what a release says of its environment. */
export async function describeEnvironment(input: AsyncIterable<Buffer>): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(chunk);
  writeWhole(ENVIRONMENT, JSON.stringify(JSON.parse(Buffer.concat(chunks).toString())));
}
