import type { Variables } from "../shared/environment.ts";
import { CliError } from "../shared/errors.ts";
import { step } from "../shared/ui.ts";

/** Pulumi's CLI, found or set up. */
export interface Engine {
  readonly bin: string;
  /** What the CLI needs besides what the user has set: PATH, PULUMI_HOME, … */
  readonly variables: Variables;
}

/**
 * Finds the engine, or sets it up with progress; costs next to nothing when it is there.
 * @param plugins that are needed besides those of every stack
 * @param brief says which engine it is only when it takes a while: for commands that don't change anything. @default
 *   false
 */
export async function ensureEngine(brief = false, plugins: readonly "aws"[] = []): Promise<Engine> {
  return step("engine", async ({ log }) => {
    const { resolveEngine } = await import("../../offline/install.ts");
    const began = Date.now();
    try {
      const { bin, env } = await resolveEngine({
        plugins,
        log: (line) => {
          if (!brief || Date.now() - began > A_WHILE) log(line);
        },
      });
      return { bin, variables: env };
    } catch (error) {
      throw explained(error as Error);
    }
  });
}

/** The last line of an error of the set-up is its remedy, where it has several. */
function explained(error: Error): CliError {
  if (error.name === "WrongChecksum") {
    return new CliError({
      what: error.message,
      remedy:
        "a proxy that changes downloads does this, and so does somebody who means harm: look at the file first\n" +
        "without any download of Pulumi's: DRYDOCK_OFFLINE=1 ./drydock up (builds its CLI from Go modules)",
    });
  }
  const [what = "", ...remedy] = error.message.split(/\n(?=Install |[^\n]*DRYDOCK_)/);
  return new CliError({ what, ...(remedy.length === 0 ? {} : { remedy: remedy.join("\n") }) });
}

/** In ms. */
const A_WHILE = 1_500;
