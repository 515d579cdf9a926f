import { setTimeout as sleep } from "node:timers/promises";
import { CliError, Exit } from "../shared/errors.ts";

/** How often a stack that somebody else changes is looked at again, in ms. */
const AGAIN = 3_000;
/** How long `--wait` waits, in seconds, unless it says so. */
const WAIT = 1800;

/** What `--wait` says, in seconds; undefined: being refused at once. @throws CliError (usage) */
export function waitSeconds(wait: true | string | undefined): number | undefined {
  if (wait === undefined) return undefined;
  if (wait === true) return WAIT;
  if (/^[1-9]\d{0,5}$/.test(wait)) return Number(wait);
  throw new CliError({
    what: `--wait is "${wait}", expected a number of seconds`,
    remedy: "./drydock up --wait 600",
    code: Exit.usage,
  });
}

/**
 * Does `work`, and does it again as long as it is refused because somebody else changes the stack.
 * @param seconds for how long; undefined: not at all
 * @param pause between two looks, in ms
 */
export async function whileHeld<T>(seconds: number | undefined, work: () => Promise<T>, pause = AGAIN): Promise<T> {
  const end = Date.now() + (seconds ?? 0) * 1000;
  let told: string | undefined;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof CliError) || error.held === undefined || Date.now() + pause > end) throw error;
      if (told !== error.what)
        process.stderr.write(`→ ${error.what}; waiting for it, for up to ${seconds} s (--wait)\n`);
      told = error.what;
      await sleep(pause);
    }
  }
}
