import { join } from "node:path";
import { FOLDERS } from "../../contracts/agent.ts";
import { readIfThere, writeAtomically } from "../../lib/stateFiles.ts";
import { type Catalogue, nextSequence } from "./catalogue.ts";

/** What else a stack is made of, as it was at the time of a backup. */
export interface State {
  /** Plain variables, and the names of the secret ones; their values are in the stack's file. */
  readonly environment: unknown;
  readonly maintenance: unknown;
  /** The last releases, a JSON line each. */
  readonly releases: string;
}

const ENVIRONMENT = join(FOLDERS.backups, "state", "environment.json");

/**
 * When a server's files were last about to be put in the place of the live ones: whether they were is not known here.
 */
export interface Replacement {
  readonly at: Date;
  /** The backups up to this one in their order were there by then, whatever the clock said. */
  readonly sequence: number;
}

const REPLACED = join(FOLDERS.backups, "state", "replaced");
export async function noteReplacement(catalogue: Pick<Catalogue, "list">, now = new Date()): Promise<void> {
  writeAtomically(REPLACED, `${now.toISOString()} ${nextSequence((await catalogue.list()).entries) - 1}`);
}
export function lastReplaced(): Replacement | undefined {
  const [at, sequence = "0"] = readIfThere(REPLACED)?.toString().split(" ") ?? [];
  return at === undefined ? undefined : { at: new Date(at), sequence: Number(sequence) };
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
  writeAtomically(ENVIRONMENT, JSON.stringify(JSON.parse(Buffer.concat(chunks).toString())));
}
