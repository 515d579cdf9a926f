import type { Variables } from "../environment.ts";
import { step } from "../ui.ts";

/** Pulumi's CLI, found or set up. */
export interface Engine {
  readonly bin: string;
  /** What the CLI needs besides what the user has set: PATH, PULUMI_HOME, … */
  readonly variables: Variables;
}

/** Finds the engine, or sets it up with progress; costs next to nothing when it is there. */
export async function ensureEngine(): Promise<Engine> {
  return step("engine", async ({ log }) => {
    const { resolveEngine } = await import("../../offline/install.ts");
    const { bin, env } = await resolveEngine({ log });
    return { bin, variables: env };
  });
}
