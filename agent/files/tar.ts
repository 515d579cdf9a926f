import { createHash } from "node:crypto";
import { constants, lstatSync, readdirSync, readlinkSync, type Stats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { isProvable, joined, keyOf, shown } from "./names.ts";
import type { Sums } from "./sums.ts";

const BLOCK = 512;
/** Of one read, in bytes. */
const CHUNK = 1 << 18;
/** A name of more bytes lies before its header, in a record of its own. */
const LONGEST = 100;

/** What an archive has of a folder. */
export interface Archived {
  /** Of what is in the archive. */
  readonly sums: Sums;
  readonly count: number;
  /**
   * Files that were written to while they were read: each is in it, but perhaps with parts of two moments. And those
   * whose paths are too long to be looked at where they are restored.
   */
  readonly changed: number;
  /** What can't be read, and why, in words. */
  readonly unreadable: readonly string[];
}

/**
 * A folder as tar, in GNU's format, whose names are bytes: folders, regular files, symbolic links; pipes and sockets
 * are left out, hard links become files. The sums are of what is written here, so that a restore has to have exactly
 * these bytes, whoever writes to the files meanwhile. Answers them at the end.
 * @param omitted names at the top that are not the folder's own
 */
export async function* tarOf(root: string, omitted: (name: string) => boolean): AsyncGenerator<Uint8Array, Archived> {
  const sums: [string, { sum: string }][] = [];
  const unreadable: string[] = [];
  let [count, changed] = [0, 0];

  async function* below(folder: Buffer): AsyncGenerator<Uint8Array> {
    for (const name of namesIn(folder)) {
      if (folder.length === 0 && omitted(name.toString())) continue;
      const path = joined(folder, name);
      try {
        const stats = lstatSync(joined(root, path));
        if (stats.isSymbolicLink()) {
          const target = readlinkSync(joined(root, path), { encoding: "buffer" });
          yield* header(path, { ...of(stats), type: "2", target });
        } else if (stats.isDirectory()) {
          yield* header(path, { ...of(stats), type: "5" });
          yield* below(path);
        } else if (stats.isFile()) yield* file(path);
      } catch (error) {
        note(path, error as NodeJS.ErrnoException);
      }
    }
  }

  function namesIn(folder: Buffer): readonly Buffer[] {
    try {
      return readdirSync(joined(root, folder), { encoding: "buffer" }).sort(Buffer.compare);
    } catch (error) {
      note(folder, error as NodeJS.ErrnoException);
      return [];
    }
  }

  async function* file(path: Buffer): AsyncGenerator<Uint8Array> {
    // Somebody may have put something else there since it was looked at: a link, a pipe that nobody writes to.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const handle = await open(joined(root, path), flags);
    try {
      const before = await handle.stat();
      if (!before.isFile()) return;
      yield* header(path, { ...of(before), type: "0", size: before.size });
      count++;
      const hash = createHash("sha256");
      let broken: NodeJS.ErrnoException | undefined;
      for (let left = before.size; left > 0; ) {
        const read = await chunkOf(handle, Math.min(CHUNK, left)).catch((error: NodeJS.ErrnoException) => {
          broken ??= error;
          return Buffer.alloc(0);
        });
        // It has become shorter, or its disk is damaged: its length is written already.
        const chunk = read.length > 0 ? read : Buffer.alloc(Math.min(CHUNK, left));
        left -= chunk.length;
        hash.update(chunk);
        yield chunk;
      }
      yield padding(before.size);
      if (broken !== undefined) return note(path, broken);
      const after = await handle.stat();
      if (after.size !== before.size || after.mtimeMs !== before.mtimeMs || after.ctimeMs !== before.ctimeMs) changed++;
      if (!isProvable(path)) changed++;
      else sums.push([keyOf(path), { sum: hash.digest("hex") }]);
    } finally {
      await handle.close();
    }
  }

  function note(path: Buffer, error: NodeJS.ErrnoException): void {
    // Deleted since it was listed.
    if (["ENOENT", "ENOTDIR"].includes(error.code ?? "")) return;
    if (["ENOMEM", "EMFILE", "ENFILE", undefined].includes(error.code)) throw error;
    unreadable.push(`${shown(keyOf(path)) || "the folder itself"} can't be read: ${error.code}`);
  }

  yield* below(Buffer.alloc(0));
  yield Buffer.alloc(2 * BLOCK);
  return { sums: Object.fromEntries(sums), count, changed, unreadable };
}

async function chunkOf(handle: FileHandle, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length);
  return buffer.subarray(0, bytesRead);
}

interface Head {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Seconds. */
  readonly time: number;
  readonly type: string;
  readonly size?: number;
  /** Where a link leads. */
  readonly target?: Buffer;
}

const of = ({ mode, uid, gid, mtimeMs }: Stats) => ({
  mode: mode & 0o7777,
  uid,
  gid,
  time: Math.max(0, Math.floor(mtimeMs / 1000)),
});

function* header(path: Buffer, head: Head): Generator<Uint8Array> {
  for (const [type, long] of [["K", head.target] as const, ["L", path] as const]) {
    if (long === undefined || long.length <= LONGEST) continue;
    const size = long.length + 1;
    yield block(Buffer.from("././@LongLink"), { mode: 0, uid: 0, gid: 0, time: 0, type, size });
    yield Buffer.concat([long, Buffer.alloc(1), padding(size)]);
  }
  yield block(path, head);
}

/** One header, as <https://www.gnu.org/software/tar/manual/html_node/Standard.html> has it. */
function block(path: Buffer, { mode, uid, gid, time, type, size = 0, target }: Head): Buffer {
  const head = Buffer.alloc(BLOCK);
  path.copy(head, 0, 0, LONGEST);
  number(head, 100, 8, mode);
  number(head, 108, 8, uid);
  number(head, 116, 8, gid);
  number(head, 124, 12, size);
  number(head, 136, 12, time);
  head.fill(" ", 148, 156);
  head.write(type, 156);
  target?.copy(head, 157, 0, LONGEST);
  head.write("ustar  \0", 257, "latin1");
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return head;
}

/** Octal digits; what doesn't fit is in base 256, with the first bit set. */
function number(head: Buffer, at: number, length: number, value: number): void {
  const digits = value.toString(8);
  if (digits.length < length) return void head.write(`${digits.padStart(length - 1, "0")}\0`, at, "latin1");
  let left = BigInt(value);
  for (let index = at + length - 1; index > at; index--, left >>= 8n) head[index] = Number(left & 0xffn);
  head[at] = 0x80;
}

const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
