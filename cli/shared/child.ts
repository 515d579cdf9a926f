import type { ChildProcess } from "node:child_process";

/** What a command said, and how it ended. */
export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HearOptions {
  /** What the child reads on standard input. @default nothing */
  readonly input?: string | Uint8Array | undefined;
  /** In milliseconds; then the child is killed and the code is 124, as `timeout` says it. @default no limit */
  readonly timeout?: number | undefined;
  /** How what it says becomes a text: "latin1" makes a character of each byte. @default "utf8" */
  readonly encoding?: BufferEncoding | undefined;
  /** Called with all that it says, as it comes. @default not called */
  readonly on?: ((chunk: Buffer) => void) | undefined;
}

/** Hears a child out: what it says on the streams that are pipes, to its end. Rejects where it could not be started. */
export function hear(child: ChildProcess, { input, timeout, encoding, on }: HearOptions = {}): Promise<Said> {
  return new Promise((resolve, reject) => {
    let late = false;
    const timer =
      timeout === undefined
        ? undefined
        : setTimeout(() => {
            late = true;
            child.kill("SIGKILL");
          }, timeout);
    // Who doesn't read all of it has another reason to fail.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
    const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
      const chunks: Buffer[] = [];
      stream?.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        on?.(chunk);
      });
      return () => Buffer.concat(chunks).toString(encoding);
    }) as [() => string, () => string];
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code: late ? 124 : (code ?? 1), stdout: stdout(), stderr: stderr() });
    });
  });
}
