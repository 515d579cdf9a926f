import { performance } from "node:perf_hooks";

/** Milliseconds since some moment, whatever the clock is set to. */
export const steadyNow = (): number => performance.now();

/** By so much clocks may differ, in ms. */
export const TOLERANCE = 300_000;
/** So long a clock that was set stays an alarm, in ms. */
const REMEMBERED = 86_400_000;

export const isFuture = (time: number, now: number): boolean => time > now + TOLERANCE;

/** Notices that the clock was set while this process ran. */
export class ClockWatch {
  #wall: number;
  #steady: number;
  #jump: { readonly text: string; readonly at: number } | undefined;

  constructor(wall = Date.now(), steady = steadyNow()) {
    this.#wall = wall;
    this.#steady = steady;
  }

  /** What is wrong, in words, for a day; undefined where nothing is. */
  look(wall = Date.now(), steady = steadyNow()): string | undefined {
    const by = wall - this.#wall - (steady - this.#steady);
    if (Math.abs(by) > TOLERANCE) {
      const way = by > 0 ? "ahead, or the machine slept" : "back";
      this.#jump = {
        text: `the clock was set ${span(Math.abs(by))} ${way}, to ${new Date(wall).toISOString()}`,
        at: steady,
      };
    }
    this.#wall = wall;
    this.#steady = steady;
    if (this.#jump !== undefined && steady - this.#jump.at > REMEMBERED) this.#jump = undefined;
    return this.#jump?.text;
  }
}

function span(ms: number): string {
  const hours = ms / 3_600_000;
  if (hours >= 48) return `${Math.round(hours / 24)} days`;
  return hours >= 2 ? `${Math.round(hours)} hours` : `${Math.round(ms / 60_000)} minutes`;
}
