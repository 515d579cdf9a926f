import { write } from "node:fs";
import { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

/** Until what is full is tried again, in ms. */
const PAUSE = 5;

/**
 * Standard output as a stream that can be ended. Whoever looks at `process.stdout` makes a pipe one that doesn't wait,
 * and AWS's SDK does so: what a slow reader has no room for yet is tried again.
 */
export function output(): Writable {
  return new Writable({
    write(chunk: Buffer, _, done) {
      writeWhenFree(1, chunk).then(() => done(), done);
    },
  });
}

async function writeWhenFree(file: number, content: Uint8Array): Promise<void> {
  for (let at = 0; at < content.length; ) {
    try {
      at += (await promisify(write)(file, content, at, content.length - at)).bytesWritten;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      await sleep(PAUSE);
    }
  }
}
