import { spawn } from "node:child_process";
import { createReadStream, statSync } from "node:fs";
import { PassThrough, type Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { CliError, Exit } from "../shared/errors.ts";

/** What is imported: bytes, and how many there are, where that is known. */
export interface Source {
  readonly stream: Readable;
  /** 0: nobody knows. */
  readonly bytes: number;
}

export function openSource(file: string): Source {
  if (file === "-") return { stream: process.stdin, bytes: 0 };
  try {
    const found = statSync(file);
    if (found.isDirectory())
      throw new CliError({
        what: `${file} is a folder, and not a dump`,
        remedy: "./drydock import dump FILE; of a folder with uploads: ./drydock import files DIR",
        code: Exit.usage,
      });
    return { stream: createReadStream(file, { highWaterMark: 1 << 18 }), bytes: found.size };
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw new CliError({ what: `${file} can't be read: ${(error as Error).message}`, code: Exit.usage });
  }
}

/** By their first bytes. */
const PACKED: readonly {
  readonly magic: readonly number[];
  readonly name: string;
  readonly command?: readonly [string, ...string[]];
}[] = [
  { magic: [0x1f, 0x8b], name: "gzip" },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], name: "zstd", command: ["zstd", "-dc"] },
  { magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], name: "xz", command: ["xz", "-dc"] },
  { magic: [0x42, 0x5a, 0x68], name: "bzip2", command: ["bzip2", "-dc"] },
];

/**
 * Hands what a source holds on, unpacked where it is packed.
 * @param on called with the number of bytes that have been read of the source
 */
export async function unpacked(
  { stream }: Source,
  filter: Transform,
  to: NodeJS.WritableStream,
  on: (done: number) => void,
): Promise<void> {
  const counted = new PassThrough({ highWaterMark: 1 << 18 });
  let done = 0;
  stream.on("data", (chunk: Buffer) => on((done += chunk.length)));
  const feeding = pipeline(stream, counted);
  feeding.catch(() => undefined); // said by whoever waits for it
  const first = await firstBytes(counted);
  if (first.subarray(0, 4).equals(Buffer.from([0x50, 0x4b, 3, 4])))
    throw new CliError({
      what: "the dump is a zip archive",
      remedy: "unzip -p FILE.zip | ./drydock import dump -",
      code: Exit.usage,
    });
  const packed = PACKED.find(({ magic }) => first.subarray(0, magic.length).equals(Buffer.from(magic)));
  if (packed === undefined) await pipeline(counted, filter, to);
  else if (packed.command === undefined) await pipeline(counted, createGunzip(), filter, to);
  else await throughProgram(packed.command, counted, filter, to);
  await feeding;
}

async function firstBytes(stream: PassThrough): Promise<Buffer> {
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    stream.unshift(chunk as Buffer);
    return chunk as Buffer;
  }
  throw new CliError({ what: "there is nothing in the dump", code: Exit.usage });
}

async function throughProgram(
  [program, ...args]: readonly [string, ...string[]],
  from: Readable,
  filter: Transform,
  to: NodeJS.WritableStream,
): Promise<void> {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-500);
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", () =>
      reject(
        new CliError({
          what: `the dump is packed with ${program}, which is not on this machine`,
          remedy: `install ${program}, or unpack it elsewhere and pipe it in: … | ./drydock import dump -`,
        }),
      ),
    );
    child.once("close", (code) =>
      code === 0 ? resolve() : reject(new CliError({ what: `${program}: ${said.trim() || `exit code ${code}`}` })),
    );
  });
  await Promise.all([pipeline(from, child.stdin), pipeline(child.stdout, filter, to), ended]);
}
