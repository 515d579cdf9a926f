/** How careful Drydock has to be; the rules for images, debugging and addresses depend on it. */
export type Stage = "local" | "staging" | "production";

export const stages: readonly Stage[] = ["local", "staging", "production"];

/**
 * The stage of a stack: what APP_ENV says, else what the stack's name says. A name that says nothing means production,
 * where the rules are strictest.
 */
export function stageOf(stack: string, appEnv?: string): Stage {
  return stages.find((stage) => stage === appEnv) ?? stageByName(stack) ?? "production";
}

/** The stage that a stack's name promises, if it does. */
export function stageByName(stack: string): Stage | undefined {
  // Pulumi may give the fully qualified name: organization/project/stack.
  const name = stack.slice(stack.lastIndexOf("/") + 1).toLowerCase();
  if (name === "prod" || name === "production") return "production";
  return stages.find((stage) => stage === name);
}
