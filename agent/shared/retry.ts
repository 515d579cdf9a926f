import { AgentError } from "./errors.ts";
import type { Reporter } from "./events.ts";

/** Does again what failed for a reason that passes, such as a lost connection: twice, after longer pauses. */
export async function tryAgain<T>(
  { reporter }: { readonly reporter: Pick<Reporter, "log"> },
  work: (last: boolean) => Promise<T>,
  pauses: readonly number[] = [5_000, 20_000],
): Promise<T> {
  for (const pause of [...pauses, undefined]) {
    try {
      return await work(pause === undefined);
    } catch (error) {
      if (pause === undefined || !(error instanceof AgentError) || !error.transient) throw error;
      reporter.log("warn", `${error.message}; trying again in ${pause / 1000} s`);
      await new Promise((wake) => setTimeout(wake, pause));
    }
  }
  throw new Error("unreachable");
}
