import { type ChildProcess, spawn } from "node:child_process";
import { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { AgentError } from "./errors.ts";
import { isTransient } from "./transience.ts";

export interface ExecuteOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What it reads; nothing without it. */
  readonly stdin?: Readable;
  /** A connection that is its standard input, without a copy in between. */
  readonly connection?: Socket;
  /**
   * Where its output goes; else it is answered as text. A socket is its own standard output, without a copy in between.
   */
  readonly stdout?: Writable;
  readonly onLine?: (line: string) => void;
  /** Other ends than 0 that are none of failure; `onEnd` is told which. @default none */
  readonly accept?: readonly number[];
  /** Called with the code and the end of what it said, where it did not fail. @default nothing */
  readonly onEnd?: (code: number, said: string) => void;
  /** Milliseconds. @default none */
  readonly timeout?: number;
  readonly onStart?: (child: ChildProcess) => void;
}

/**
 * Runs a program to its end and answers what it printed.
 * @throws AgentError with the end of what it said, where it fails
 */
export async function execute(file: string, args: readonly string[], options: ExecuteOptions = {}): Promise<string> {
  const { env, cwd, stdin, connection, stdout, onLine, timeout, onStart, onEnd, accept = [] } = options;
  const direct = stdout instanceof Socket;
  const child = spawn(file, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: [connection ?? (stdin === undefined ? "ignore" : "pipe"), direct ? stdout : "pipe", "pipe"],
    timeout,
    killSignal: "SIGKILL",
  });
  onStart?.(child);
  const errors = new Tail(4000);
  child.stderr!.setEncoding("utf8").on("data", (chunk: string) => errors.add(chunk));
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  const output: string[] = [];
  let rest = "";
  const reading = direct
    ? undefined
    : stdout === undefined
      ? new Promise<void>((resolve) => {
          child
            .stdout!.setEncoding("utf8")
            .on("data", (chunk: string) => {
              if (onLine === undefined) return void output.push(chunk);
              const lines = (rest + chunk).split("\n");
              rest = lines.pop()!;
              lines.forEach(onLine);
            })
            .once("close", resolve);
        })
      : pipeline(child.stdout!, stdout);
  const writing = stdin === undefined ? undefined : pour(stdin, child.stdin!);
  const [end, read, written] = await Promise.allSettled([ended, reading, writing]);
  if (end.status === "rejected") throw new AgentError(`${file} could not be started: ${(end.reason as Error).message}`);
  const { code, signal } = end.value;
  if (code !== 0 && !(code !== null && accept.includes(code))) {
    const reason =
      signal !== null && timeout !== undefined
        ? `took longer than ${Math.round(timeout / 1000)} s`
        : `failed (${signal ?? `code ${code}`})`;
    throw new AgentError(`${file} ${reason}${errors.text === "" ? "" : `: ${errors.text}`}`, {
      transient: isTransient({ program: file, code, text: errors.text }),
    });
  }
  for (const one of [written, read])
    if (one.status === "rejected")
      throw new AgentError(`${file}: its data broke off: ${(one.reason as Error).message}`, { transient: true });
  if (rest !== "") onLine?.(rest);
  onEnd?.(code, errors.text);
  return output.join("");
}

/**
 * Where the program reads nothing more, the rest is read and thrown away: its own end says why, and who sends can be
 * told.
 */
async function pour(from: Readable, to: Writable): Promise<void> {
  to.on("error", () => {
    from.unpipe(to);
    from.resume();
  });
  from.pipe(to);
  try {
    await finished(from, { writable: false });
  } finally {
    if (from.errored !== null || !from.readableEnded) to.destroy();
  }
}

/** The end of a long text. */
class Tail {
  text = "";
  constructor(readonly limit: number) {}
  add(chunk: string): void {
    this.text = (this.text + chunk).slice(-this.limit).trimStart();
  }
}
