import { writeSync } from "node:fs";
import pino, { type Logger } from "pino";
import { knownSecrets } from "./configuration.ts";
import type { Event } from "./protocol.ts";

export type Unit = Extract<Event, { event: "progress" }>["unit"];

/** Takes every known secret out of a text. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets.reduce((clean, secret) => clean.replaceAll(secret, "***"), text);
}

/** Says what goes on: to whoever called the verb, and into the container's log. */
export class Reporter {
  readonly #json: boolean;
  readonly #output: 1 | 2;
  readonly #secrets: readonly string[];
  readonly #logger: Logger;
  #last = 0;
  readonly #only: boolean;

  /** @param output where events go: standard error for verbs whose output is data; @param log "only": nobody called, there is but the log */
  constructor({ json = false, output = 1, log }: { json?: boolean; output?: 1 | 2; log?: "only" } = {}) {
    this.#only = log === "only";
    this.#json = json;
    this.#output = output;
    this.#secrets = knownSecrets();
    this.#logger = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } }, containerLog());
  }

  emit(event: Event): void {
    if (this.#only) return;
    if (this.#json) return this.#write(JSON.stringify(event));
    if (event.event === "log") return this.#write(event.message);
    if (event.event === "error") return this.#write(`error: ${event.message}${event.remedy === undefined ? "" : `\n  remedy: ${event.remedy}`}`);
    if (event.event === "result") {
      const { event: _, ...rest } = event;
      this.#write(JSON.stringify(rest, undefined, 2));
    }
  }

  /** At most four a second, and the last one. */
  progress(step: string, done: number, total: number, unit: Unit): void {
    const now = Date.now();
    if (!this.#json || (now - this.#last < 250 && done !== total)) return;
    this.#last = now;
    this.emit({ event: "progress", step, done, total, unit });
  }

  log(level: "info" | "warn" | "error", message: string, fields: Record<string, unknown> = {}): void {
    const clean = redact(message, this.#secrets);
    this.#logger[level](fields, clean);
    this.emit({ event: "log", level, message: clean });
  }

  #write(line: string): void {
    try {
      writeSync(this.#output, `${redact(line, this.#secrets)}\n`);
    } catch {
      // Who called has gone; the work goes on.
    }
  }
}

/** Whoever runs a verb by `docker exec` has an output of his own: the first process has the container's log. */
function containerLog(): pino.DestinationStream {
  try {
    return pino.destination({ dest: "/proc/1/fd/2", append: true, sync: true });
  } catch {
    return pino.destination({ dest: 2, sync: true });
  }
}
