import { steadyNow } from "../shared/clock.ts";

/** How long no look at the backups may succeed before somebody is told, in ms. */
const PATIENCE = 600_000;

/** When it was last seen how the backups are: an agent that can't look doesn't know that all is well. */
export class LastLook {
  readonly #started: number;
  #succeeded: number | undefined;
  #error = "";

  /** @param now of the steady clock, in ms; here and below */
  constructor(now = steadyNow()) {
    this.#started = now;
  }

  succeeded(now = steadyNow()): void {
    this.#succeeded = now;
  }

  failed(error: string): void {
    this.#error = error;
  }

  isRecent(now = steadyNow()): boolean {
    return this.#succeeded !== undefined && now - this.#succeeded <= PATIENCE;
  }

  /** What is wrong, in words; undefined where nothing is, or not for long yet. */
  problem(now = steadyNow()): string | undefined {
    const minutes = (now - (this.#succeeded ?? this.#started)) / 60_000;
    return minutes * 60_000 > PATIENCE
      ? `the agent can't look after the backups for ${minutes.toFixed(0)} minutes: ${this.#error}`
      : undefined;
  }
}
