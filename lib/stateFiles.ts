import {
  closeSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { z } from "zod";

const DRAFT = ".part";
export const isDraft = (name: string): boolean => name.endsWith(DRAFT);

/** Writes all of it: on a disk that is getting full, a single call writes the part that fits, and that is no error. */
export function writeAll(file: number, content: Uint8Array): void {
  for (let at = 0; at < content.length; ) {
    const written = writeNow(file, content, at);
    if (written === 0) throw new Error(`no space left: ${at} of ${content.length} bytes were written`);
    at += written;
  }
}

/** A pipe that somebody has made one that doesn't wait may have no room yet: see `output`. */
function writeNow(file: number, content: Uint8Array, at: number): number {
  for (;;) {
    try {
      return writeSync(file, content, at, content.length - at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** What was renamed in a folder stays so after a power cut. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/**
 * Writes a file that is there whole and on the disk, or is as it was before.
 * @param mode of the file; who may read it may enter a folder that is made for it
 */
export function writeAtomically(path: string, content: string | Uint8Array, mode = 0o600): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true, mode: mode | ((mode & 0o444) >> 2) });
  const bytes = typeof content === "string" ? Buffer.from(content) : content;
  const draft = `${path}.${process.pid}${DRAFT}`;
  try {
    const file = openSync(draft, "w", mode);
    try {
      writeAll(file, bytes);
      fsyncSync(file);
      const { size } = fstatSync(file);
      if (size !== bytes.length) throw new Error(`${path}: ${size} of ${bytes.length} bytes are on the disk`);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  syncFolder(folder);
}

/** Takes away what processes that were killed have left half written below a folder. */
export function clearDrafts(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile() && isDraft(entry.name)) rmSync(join(entry.parentPath, entry.name), { force: true });
  }
}

/** undefined where there is no such file. */
export function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (["ENOENT", "ENOTDIR", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

/**
 * A small file of JSON that the agent can do without: where it is damaged the agent begins with an empty one, where it
 * can't be written the agent goes on with what it knows; either is a problem that somebody is to be told of.
 */
export class StateFile<T> {
  #value: T;
  /** What is wrong with the file, in words; undefined where nothing is. */
  problem: string | undefined;

  constructor(
    readonly path: string,
    schema: z.ZodType<T>,
    empty: T,
  ) {
    this.#value = empty;
    try {
      const content = readIfThere(path);
      if (content !== undefined) this.#value = schema.parse(JSON.parse(content.toString()));
    } catch (error) {
      this.problem = `${path} can't be read, and is started anew: ${(error as Error).message.replace(/\s+/g, " ")}`;
    }
  }

  get value(): T {
    return this.#value;
  }

  /** What is wrong with the file, which is then written once more: no problem stays for want of a new value. */
  problemNow(): string | undefined {
    const { problem } = this;
    if (problem !== undefined) this.value = this.#value;
    return problem;
  }

  set value(value: T) {
    this.#value = value;
    try {
      writeAtomically(this.path, JSON.stringify(value));
      this.problem = undefined;
    } catch (error) {
      this.problem = `${this.path} can't be written: ${(error as Error).message}`;
    }
  }
}
