import { open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** In ms. */
const PAUSE = 400;
/** What is smaller is soon written at the end. */
const LARGE = 4 * 2 ** 20;

/** Has all files below a folder on the disk, and the folders. */
export async function flush(folder: string): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isFile()) await synced(path);
    else if (entry.isDirectory()) await flush(path);
  }
  await synced(folder);
}

/** Writes to the disk what is being written below a folder, all the time: at the end, little is left to wait for. */
export class Flusher {
  readonly #running: Promise<void>;
  readonly #sizes = new Map<string, number>();
  readonly #stopping = new AbortController();

  constructor(readonly folder: string) {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      for (const entry of await readdir(this.folder, { withFileTypes: true, recursive: true }).catch(() => [])) {
        // Only a head start: what fails here, such as a file that is renamed just now, is met again at the end.
        if (entry.isFile() && !signal.aborted)
          await this.#look(join(entry.parentPath, entry.name)).catch(() => undefined);
      }
      await setTimeout(PAUSE, undefined, { signal }).catch(() => undefined);
    }
  }

  async #look(path: string): Promise<void> {
    const { size } = await stat(path);
    if (size < LARGE || this.#sizes.get(path) === size) return;
    this.#sizes.set(path, size);
    await synced(path);
  }
}

/** Has a file or a folder on the disk. */
export async function synced(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
