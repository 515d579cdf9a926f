import { closeSync, openSync, readSync } from "node:fs";

const CHUNK = 1 << 18;

/** Reads what is added to a file, line by line. It goes on where the file was removed while it was read. */
export class Tail {
  readonly path: string;
  #file: number | undefined;
  #closed = false;
  #rest = Buffer.alloc(0);

  constructor(path: string) {
    this.path = path;
  }

  /** The lines that have come since the last call; none as long as the file isn't there. */
  lines(): string[] {
    if (this.#closed) return [];
    try {
      this.#file ??= openSync(this.path, "r");
    } catch {
      return [];
    }
    const parts = [this.#rest];
    for (;;) {
      const chunk = Buffer.alloc(CHUNK);
      const count = readSync(this.#file, chunk, 0, CHUNK, null);
      if (count === 0) break;
      parts.push(chunk.subarray(0, count));
    }
    const all = Buffer.concat(parts);
    const end = all.lastIndexOf("\n") + 1;
    this.#rest = all.subarray(end);
    return all
      .subarray(0, end)
      .toString()
      .split("\n")
      .filter((line) => line !== "");
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
    this.#closed = true;
  }
}
