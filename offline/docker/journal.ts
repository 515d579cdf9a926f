import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * What is being created, on disk before it is asked for. The engine writes an object into its state after the plugin
 * has answered; when one of the two is killed before that, the object exists and nobody knows it. The next creation of
 * the same resource finds the entry here, and by its name the object, and removes it. An entry goes when the engine
 * mentions the object again (it is in the state then), or when the operation ends in order. Docker's objects carry no
 * mark of it: the official plugin would take a label that nobody has asked for as a change.
 */
export interface Entry {
  readonly urn: string;
  /** The object's name, where it was chosen here: a random part makes it nobody else's. */
  readonly name: string | undefined;
  id?: string;
}

const folder = (): string => {
  const base = process.env.XDG_STATE_HOME ? process.env.XDG_STATE_HOME : join(homedir(), ".local", "state");
  // One folder for each state: two clones, or two backends, may have the same URNs.
  const state = createHash("sha256")
    .update(JSON.stringify([process.cwd(), process.env.PULUMI_BACKEND_URL ?? ""]))
    .digest("hex")
    .slice(0, 16);
  return join(base, "drydock", "creating", state);
};
const fileOf = (urn: string): string => join(folder(), createHash("sha256").update(urn).digest("hex").slice(0, 32));
const own = new Map<string, Entry>();

/** @param of the resource that the object is to be of */
export function begin(of: { readonly urn: string; readonly name: string }, name: string): Entry {
  const chosen = name.startsWith(`${of.name}-`) && /^[0-9a-f]{7}$/.test(name.slice(of.name.length + 1));
  const entry: Entry = { urn: of.urn, name: chosen ? name : undefined };
  mkdirSync(folder(), { recursive: true, mode: 0o700 });
  own.set(of.urn, entry);
  writeFileSync(fileOf(of.urn), JSON.stringify(entry), { mode: 0o600 });
  return entry;
}

/** The object exists, and the engine is about to be told. */
export function created(entry: Entry, id: string): void {
  entry.id = id;
  writeFileSync(fileOf(entry.urn), JSON.stringify(entry), { mode: 0o600 });
}

/** Nothing is left of this creation. */
export function abandoned(entry: Entry): void {
  own.delete(entry.urn);
  rmSync(fileOf(entry.urn), { force: true });
}

/** What an earlier, interrupted operation may have left behind for this resource. */
export function leftover(urn: string): Entry | undefined {
  return own.has(urn) ? undefined : load(fileOf(urn));
}

/** All that interrupted operations on this state may have left behind. */
export function leftovers(): Entry[] {
  try {
    return readdirSync(folder())
      .map((name) => load(join(folder(), name)))
      .filter((entry): entry is Entry => entry !== undefined && !own.has(entry.urn));
  } catch {
    return [];
  }
}

/** `id` is in the engine's state; without arguments: the operation ends in order, and so all that was answered is. */
export function settled(urn?: string, id?: string): void {
  if (urn === undefined) {
    for (const entry of [...own.values()]) if (entry.id !== undefined) abandoned(entry);
  } else if (load(fileOf(urn))?.id === id) {
    own.delete(urn);
    rmSync(fileOf(urn), { force: true });
  }
}

function load(file: string): Entry | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Entry;
  } catch {
    return undefined;
  }
}
