import { factsIn } from "../../config/facts.ts";
import { checkDeployed, report } from "../../policies/deployed.ts";
import { ownKeys } from "../../policies/facts.ts";
import { Exit } from "../shared/errors.ts";
import { PROJECT } from "../shared/project.ts";
import { openSession } from "../shared/session.ts";
import { notDeployed, stackConfig, stackExists } from "../shared/stack.ts";

/** Asks the rules about what is deployed, and answers whether a mandatory one is broken. */
export async function check({ stack, json }: { readonly stack?: string; readonly json?: true }): Promise<number> {
  const session = await openSession({ stack });
  if (!stackExists(session.stack, session.env)) throw notDeployed(session.stack);
  const own = ownKeys(stackConfig(session.paths, session.stack), PROJECT);
  const facts = factsIn({ app: {}, database: {}, redis: {}, proxy: {}, ...own }, session.stack);
  const findings = await checkDeployed(session.pulumi, session.stack, facts);
  process.stdout.write(json ? `${JSON.stringify(findings, null, 2)}\n` : report(findings, session.stack));
  return findings.some(({ level }) => level === "mandatory") ? Exit.failed : Exit.ok;
}
