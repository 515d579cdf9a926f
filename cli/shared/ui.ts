import { styleText } from "node:util";
import { harmless } from "../../lib/harmless.ts";

type Style = "bold" | "dim" | "green" | "red" | "yellow" | "cyan" | "magenta" | "blue";

/** Colours are for people: a terminal, without NO_COLOR (https://no-color.org) and not a dumb one. */
export function colourful(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== "") return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== "" && env.FORCE_COLOR !== "0") return true;
  return stream.isTTY === true && env.TERM !== "dumb";
}

export type Painter = (style: Style, text: string) => string;

export function painter(stream: { isTTY?: boolean }): Painter {
  return colourful(stream) ? (style, text) => styleText(style, text) : (_, text) => text;
}

/** Both ends are a person's: only then are questions asked. */
export function onTerminal(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true;
}

/** Colours, bold and the like, which change how the text behind them looks and nothing else. */
const LOOKS = /(\u001b\[[\d;:]*m)/;

/** A line that somebody else has written, with its colours, which end with it. */
export function harmlessLine(line: string): string {
  const parts = line.replace(/\r$/, "").split(LOOKS);
  const text = parts.map((part, index) => (index % 2 === 1 ? part : harmless(part))).join("");
  return parts.length === 1 ? text : `${text}\u001b[0m`;
}

/** Columns as wide as their widest cell, two spaces between, no spaces at the end of a line. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  paint?: (cell: string, column: number) => string,
): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[], painted: boolean): string =>
    cells
      .map(
        (cell, column) =>
          (painted && paint ? paint(cell, column) : cell) + " ".repeat((widths[column] ?? 0) - cell.length),
      )
      .join("  ")
      .trimEnd();
  return [line(head, false), ...rows.map((row) => line(row, true))].join("\n");
}

export interface Step {
  /** One line about what is being done right now. */
  readonly log: (line: string) => void;
}

const HEARTBEAT = 1000;

/**
 * Runs one step of the set-up and says how it goes, on stderr: on a terminal one line that is rewritten, elsewhere
 * plain lines. A step that is over at once and had nothing to say leaves no line: the usual case, where everything is
 * there.
 */
export async function step<T>(
  title: string,
  work: (step: Step) => Promise<T>,
  stream: NodeJS.WriteStream = process.stderr,
): Promise<T> {
  const paint = painter(stream);
  const live = stream.isTTY === true && process.env.TERM !== "dumb";
  const started = Date.now();
  const seconds = (): string => `${Math.round((Date.now() - started) / 1000)} s`;
  let said: string | undefined;
  const draw = (): void => {
    const text = `→ ${title}: ${said} (${seconds()})`;
    stream.write(`\r\u001b[2K${text.slice(0, Math.max(20, (stream.columns ?? 80) - 1))}`);
  };
  const timer = live
    ? setInterval(() => {
        if (said !== undefined) draw();
      }, HEARTBEAT)
    : undefined;
  const log = (line: string): void => {
    said = line.trimEnd();
    if (live) draw();
    else stream.write(`→ ${title}: ${said}\n`);
  };
  const wipe = (): void => {
    clearInterval(timer);
    if (live && said !== undefined) stream.write("\r\u001b[2K");
  };
  try {
    const result = await work({ log });
    wipe();
    if (said !== undefined) stream.write(`${paint("green", "✓")} ${title} (${seconds()})\n`);
    return result;
  } catch (error) {
    wipe();
    stream.write(`${paint("red", "✗")} ${title}\n`);
    throw error;
  }
}

/** Asks for a line on the terminal; an ended input is an empty answer. */
export async function ask(question: string): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const closed = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
    return (await Promise.race([terminal.question(question), closed])).trim();
  } finally {
    terminal.close();
  }
}
