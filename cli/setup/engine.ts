import type { Variables } from "../environment.ts";
import { step } from "../ui.ts";

/** Pulumi's CLI, found or set up. */
export interface Engine {
  readonly bin: string;
  /** What the CLI needs besides what the user has set: PATH, PULUMI_HOME, … */
  readonly variables: Variables;
}

/**
 * Finds the engine, or sets it up with progress; costs next to nothing when it is there.
 * @param brief says which engine it is only when it takes a while: for commands that don't change anything. @default false
 */
export async function ensureEngine(brief = false): Promise<Engine> {
  return step("engine", async ({ log }) => {
    const { resolveEngine } = await import("../../offline/install.ts");
    const began = Date.now();
    const { bin, env } = await resolveEngine({ log: (line) => { if (!brief || Date.now() - began > A_WHILE) log(line); } });
    return { bin, variables: env };
  });
}

/** In ms. */
const A_WHILE = 1_500;
