import { readFileSync } from "node:fs";
import { dirname } from "node:path/posix";
import type { Values } from "../plugin/values.ts";

/**
 * The files of `uploads` as one tar, to be unpacked at "/"; undefined without any. Owners by name are those of this
 * machine.
 */
export function archiveOf(uploads: readonly Values[]): Buffer | undefined {
  if (uploads.length === 0) return undefined;
  const blocks: Buffer[] = [];
  for (const upload of uploads) {
    const content = upload.contentBase64
      ? Buffer.from(String(upload.contentBase64), "base64")
      : upload.source
        ? readSource(String(upload.source))
        : Buffer.from(String(upload.content ?? ""));
    const mode = upload.permissions
      ? parseInt(String(upload.permissions), 8)
      : upload.executable === true
        ? 0o744
        : 0o644;
    blocks.push(
      header(
        String(upload.file).replace(/^\/+/, ""),
        content.length,
        mode,
        idOf(upload.owner as string | undefined, "passwd"),
        idOf(upload.group as string | undefined, "group"),
      ),
      content,
      Buffer.alloc((512 - (content.length % 512)) % 512),
    );
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function readSource(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Error(`uploads: source ${path} can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function idOf(owner: string | undefined, database: "passwd" | "group"): number {
  if (owner === undefined) return 0;
  if (/^\d+$/.test(owner)) return Number(owner);
  const line = readFileSync(`/etc/${database}`, "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${owner}:`));
  if (line) return Number(line.split(":")[2]);
  throw new Error(`uploads: /etc/${database} of this machine doesn't know "${owner}"; give the number`);
}

/** A ustar header: name (prefix/name over 100 bytes), mode, owner, size. */
function header(path: string, size: number, mode: number, uid: number, gid: number): Buffer {
  const block = Buffer.alloc(512);
  const octal = (value: number, at: number, length: number): void => {
    block.write(value.toString(8).padStart(length - 1, "0"), at);
  };
  const split = Buffer.byteLength(path) > 100;
  if (
    split &&
    (Buffer.byteLength(path.slice(dirname(path).length + 1)) > 100 || Buffer.byteLength(dirname(path)) > 155)
  )
    throw new Error(`uploads: path too long: /${path}`);
  block.write(split ? path.slice(dirname(path).length + 1) : path, 0);
  octal(mode, 100, 8);
  octal(uid, 108, 8);
  octal(gid, 116, 8);
  octal(size, 124, 12);
  // Rounded, not cut off, as the official plugin's are: a file may be of the second that comes.
  octal(Math.round(Date.now() / 1000), 136, 12);
  block.write("        0", 148);
  block.write("ustar\u000000", 257);
  if (split) block.write(dirname(path), 345);
  octal(
    block.reduce((sum, byte) => sum + byte, 0),
    148,
    7,
  );
  return block;
}
