import pino, { type Logger } from "pino";
import type { Event } from "../../contracts/agent.ts";
import { writeAll } from "../../lib/stateFiles.ts";
import { steadyNow } from "./clock.ts";
import { knownSecrets } from "./configuration.ts";

export type Unit = Extract<Event, { event: "progress" }>["unit"];

/** Takes every known secret out of a text; long ones first, for one may begin as another does. */
export function redact(text: string, secrets: readonly string[]): string {
  return [...secrets]
    .sort((a, b) => b.length - a.length)
    .reduce((clean, secret) => clean.replaceAll(secret, "***"), text);
}

/** A value without the secrets in its texts, in whatever depth: in JSON a secret with a quote in it looks otherwise. */
export function clean<T>(value: T, secrets: readonly string[]): T {
  if (typeof value === "string") return redact(value, secrets) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => clean(one, secrets)) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value) as [string, unknown][];
  return Object.fromEntries(entries.map(([key, one]) => [redact(key, secrets), clean(one, secrets)])) as T;
}

/** Says what goes on: to whoever called the verb, and into the container's log. */
export class Reporter {
  readonly #json: boolean;
  readonly #output: 1 | 2;
  readonly #secrets: readonly string[];
  readonly #logger: Logger;
  #last = -Infinity;
  readonly #only: boolean;

  /**
   * @param output where events go: standard error for verbs whose output is data; @param log "only": nobody called,
   * there is but the log
   */
  constructor({ json = false, output = 1, log }: { json?: boolean; output?: 1 | 2; log?: "only" } = {}) {
    this.#only = log === "only";
    this.#json = json;
    this.#output = output;
    this.#secrets = knownSecrets();
    this.#logger = pino(
      { base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (level) => ({ level }) } },
      containerLog(),
    );
  }

  emit(event: Event): void {
    if (this.#only) return;
    if (this.#json) return this.#write(JSON.stringify(clean(event, this.#secrets)));
    if (event.event === "log") return this.#write(event.message);
    if (event.event === "error")
      return this.#write(`error: ${event.message}${event.remedy === undefined ? "" : `\n  remedy: ${event.remedy}`}`);
    if (event.event === "result") {
      const { event: _, ...rest } = event;
      this.#write(JSON.stringify(clean(rest, this.#secrets), undefined, 2));
    }
  }

  /** At most four a second, and the last one. */
  progress(step: string, done: number, total: number, unit: Unit): void {
    const now = steadyNow();
    if (!this.#json || (now - this.#last < 250 && done !== total)) return;
    this.#last = now;
    this.emit({ event: "progress", step, done, total, unit });
  }

  log(level: "info" | "warn" | "error", message: string, fields: Record<string, unknown> = {}): void {
    const said = redact(message, this.#secrets);
    this.#logger[level](clean(fields, this.#secrets), said);
    this.emit({ event: "log", level, message: said });
  }

  #write(line: string): void {
    try {
      writeAll(this.#output, Buffer.from(`${redact(line, this.#secrets)}\n`));
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
