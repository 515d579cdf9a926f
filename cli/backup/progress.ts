import type { Event } from "../../contracts/agent.ts";
import { painter } from "../shared/ui.ts";
import { bytes } from "./format.ts";
import { shown } from "./shown.ts";

const WIDTH = 28;
const TITLES: Readonly<Record<string, string>> = {
  hook: "hook",
  files: "files",
  dump: "database",
  physical: "database files",
  sums: "checksums",
  restore: "restoring",
  load: "loading",
  prepare: "recovering",
  replay: "binary log",
  compare: "comparing",
  finish: "to the disk",
  copy: "to S3",
  prune: "clearing",
};

/** What the agent says, on standard error: a bar that is rewritten on a terminal, a line for each step elsewhere. */
export class Progress {
  #line = false;
  readonly #steps = new Set<string>();
  readonly #live: boolean;
  readonly #stream: NodeJS.WriteStream;

  constructor(stream: NodeJS.WriteStream = process.stderr) {
    this.#stream = stream;
    this.#live = stream.isTTY === true && process.env.TERM !== "dumb";
  }

  readonly on = (event: Event): void => {
    if (event.event === "log") return this.say(event.message, event.level);
    if (event.event !== "progress") return;
    const title = TITLES[event.step] ?? event.step;
    if (this.#live) {
      this.#stream.write(`\r\u001b[2K${bar(title, event).slice(0, Math.max(20, (this.#stream.columns ?? 80) - 1))}`);
      this.#line = true;
    } else if (!this.#steps.has(event.step)) this.#stream.write(`→ ${title}\n`);
    this.#steps.add(event.step);
  };

  say(text: string, level: "info" | "warn" | "error" = "info"): void {
    this.end();
    this.#stream.write(
      `${level === "info" ? "→" : painter(this.#stream)(level === "warn" ? "yellow" : "red", "!")} ${shown(text)}\n`,
    );
  }

  end(): void {
    if (this.#line) this.#stream.write("\r\u001b[2K");
    this.#line = false;
  }
}

export function bar(title: string, { done, total, unit }: Extract<Event, { event: "progress" }>): string {
  const amount = (count: number): string => (unit === "bytes" ? bytes(count) : `${count} ${unit}`);
  const head = `→ ${title.padEnd(15)}`;
  if (total <= 0) return `${head} ${amount(done)}`;
  const share = Math.min(1, done / total);
  const full = Math.round(share * WIDTH);
  return (
    `${head} [${"█".repeat(full)}${"░".repeat(WIDTH - full)}] ${String(Math.floor(share * 100)).padStart(3)} %  ` +
    `${amount(done)} of ${amount(total)}`
  );
}
