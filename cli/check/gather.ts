import { factsIn } from "../../config/facts.ts";
import { checkDeployed, type DeployedFinding } from "../../policies/deployed.ts";
import { ownKeys } from "../../policies/facts.ts";
import { PROJECT } from "../shared/project.ts";
import type { Session } from "../shared/session.ts";
import { notDeployed, stackConfig, stackExists } from "../shared/stack.ts";

/**
 * What the rules say of what is deployed.
 * @throws CliError where nothing is
 */
export async function gather({ stack, env, paths, pulumi }: Session): Promise<readonly DeployedFinding[]> {
  if (!stackExists(stack, env)) throw notDeployed(stack);
  const own = ownKeys(stackConfig(paths, stack), PROJECT);
  const facts = factsIn({ app: {}, database: {}, redis: {}, proxy: {}, ...own }, stack);
  return await checkDeployed(pulumi, stack, facts);
}
