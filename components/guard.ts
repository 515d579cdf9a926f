import { stageOf } from "../config/stage.ts";
import type { Environment } from "../config/settings.ts";
import type { Role } from "./context.ts";

/** Judges a container's arguments before it is registered. */
export type Guard = (args: object, container: { readonly name: string; readonly role: Role; readonly deleteBeforeReplace: boolean }) => void;

/**
 * The policy pack's own rules, for production and staging: so that a `pulumi up` without `--policy-pack` doesn't create an unsafe container
 * there. The other stacks don't load them: a preview is quicker without.
 */
export async function guardOf(stack: string, environment: Environment): Promise<Guard> {
  const stage = stageOf(stack, environment.plain.APP_ENV);
  if (stage === "local") return () => {};
  const { guardContainer } = await import("../policies/guard.ts");
  const env = { ...environment.plain, ...environment.secret };
  return (args, { name, role, deleteBeforeReplace }) => guardContainer(args, { name, stack, environment: stage, role, deleteBeforeReplace, env });
}
