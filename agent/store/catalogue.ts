import { type Entry, entrySchema } from "../../contracts/entry.ts";
import { requireSecret } from "../shared/configuration.ts";
import { refused } from "../shared/errors.ts";
import { derivedKey, open, seal } from "./encryption.ts";
import type { Store } from "./store.ts";

/** By the order in which they were made, which the clock's is not always; those of earlier agents by the clock. */
const newestFirst = (a: Entry, b: Entry): number => (b.sequence ?? 0) - (a.sequence ?? 0) || (a.id < b.id ? 1 : -1);

/** The place of the next backup in that order. */
export const nextSequence = (entries: readonly Entry[]): number =>
  1 + Math.max(0, ...entries.map(({ sequence = 0 }) => sequence));

const FOLDER = "backups/catalogue/";
const nameOf = (id: string, kind: string): string => `${FOLDER}${id}.${kind}`;

/**
 * What belongs to an entry and lies beside it: the sums of its files; those of each volume's, by its title; the
 * environment's plain part, maintenance mode and releases at that time.
 */
const ATTACHMENTS = ["files", "volumes", "state"] as const;
export type Attachments = Partial<Record<(typeof ATTACHMENTS)[number], unknown>>;

/**
 * All backups that are complete. Each object is sealed, so that a bucket shows nobody the names of tables and files.
 */
export class Catalogue {
  readonly #key = derivedKey(requireSecret("repositoryKey"));

  constructor(readonly store: Store) {}

  /** Newest first. What can't be read is an error of that entry, not of all: it is left out and counted. */
  async list(): Promise<{ readonly entries: readonly Entry[]; readonly unreadable: readonly string[] }> {
    const entries: Entry[] = [];
    const unreadable: string[] = [];
    for (const { name } of await this.store.list(FOLDER)) {
      if (!name.endsWith(".entry")) continue;
      try {
        const content = await this.#read(name);
        if (content !== undefined) entries.push(entrySchema.parse(JSON.parse(content.toString())));
      } catch {
        unreadable.push(name);
      }
    }
    return { entries: entries.sort(newestFirst), unreadable };
  }

  /**
   * By id, its beginning, or `latest`: the newest verified one.
   * @param part what that has to hold. @default anything
   * @throws AgentError (refused)
   */
  async find(id: string, part?: "database" | "files" | { readonly title: string }): Promise<Entry> {
    const { entries } = await this.list();
    if (id === "latest") {
      const has = (entry: Entry): boolean =>
        typeof part === "object"
          ? Object.hasOwn(entry.volumes ?? {}, part.title)
          : part === undefined || entry[part] !== undefined;
      const newest = entries.find((entry) => entry.verified && has(entry));
      if (newest === undefined)
        throw refused(
          "there is no verified backup" +
            `${part === undefined ? "" : ` of ${typeof part === "object" ? part.title : `the ${part}`}`}`,
          "./drydock backup run",
        );
      return newest;
    }
    const found = entries.filter((entry) => entry.id.startsWith(id));
    if (found.length !== 1)
      throw refused(
        found.length === 0 ? `no backup is called ${id}` : `${id} begins the name of ${found.length} backups`,
        "./drydock backup list",
      );
    return found[0]!;
  }

  /** The entry last: a backup is listed when all of it is there. */
  async write(entry: Entry, attachments: Attachments = {}): Promise<void> {
    for (const [kind, value] of Object.entries(attachments)) await this.#write(nameOf(entry.id, kind), value);
    await this.#write(nameOf(entry.id, "entry"), entry);
  }

  /** All that lies beside an entry. */
  async attachments(id: string): Promise<Attachments> {
    const found: Attachments = {};
    for (const kind of ATTACHMENTS) {
      const value = await this.attachment(id, kind);
      if (value !== undefined) found[kind] = value;
    }
    return found;
  }

  async attachment<T>(id: string, kind: (typeof ATTACHMENTS)[number]): Promise<T | undefined> {
    const content = await this.#read(nameOf(id, kind));
    return content === undefined ? undefined : (JSON.parse(content.toString()) as T);
  }

  async remove(id: string): Promise<void> {
    // The entry first: half of a backup is none.
    await this.store.remove([nameOf(id, "entry")]);
    await this.store.remove(ATTACHMENTS.map((kind) => nameOf(id, kind)));
  }

  async #write(name: string, value: unknown): Promise<void> {
    await this.store.put(name, seal(this.#key, name, Buffer.from(JSON.stringify(value))));
  }

  async #read(name: string): Promise<Buffer | undefined> {
    const sealed = await this.store.get(name);
    return sealed === undefined ? undefined : open(this.#key, name, sealed);
  }
}
