import { spawn } from "node:child_process";

/** What a finished command left behind. `output` is stdout and stderr together, in the order in which they came. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly output: string;
}

export interface RunOptions {
  /** Added to this process's environment. @default nothing */
  readonly env?: Readonly<Record<string, string>>;
  /** Called for each complete line of stdout and stderr. @default not called */
  readonly onLine?: (line: string) => void;
  /** In milliseconds; then the command is killed and its code is 124, as `timeout` says it. @default no limit */
  readonly timeout?: number;
}

/** Runs a command to its end and never throws: a command that can't be started has the code 127, as a shell says it. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { env: { ...process.env, ...options.env }, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let output = "";
    let rest = "";
    let timedOut = false;
    const timer =
      options.timeout === undefined
        ? undefined
        : setTimeout(() => {
            timedOut = true;
            child.kill("SIGKILL");
          }, options.timeout);
    const take = (text: string): void => {
      output += text;
      if (options.onLine === undefined) return;
      const lines = (rest + text).split(/\r?\n/);
      rest = lines.pop() ?? "";
      lines.forEach(options.onLine);
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      take(text);
    });
    child.stderr.setEncoding("utf8").on("data", take);
    const finish = (code: number): void => {
      clearTimeout(timer);
      if (rest !== "") options.onLine?.(rest);
      resolve({ code: timedOut ? 124 : code, stdout, output });
    };
    child.on("error", (error) => {
      output += error.message;
      finish(127);
    });
    child.on("close", (code) => finish(code ?? 1));
  });
}

/** The last lines of a long output, indented, for the end of an error. */
export function tail(output: string, lines = 15): string {
  return output
    .split("\n")
    .filter((line) => line.trim() !== "")
    .slice(-lines)
    .map((line) => `    ${line}`)
    .join("\n");
}
