import { report } from "../../policies/deployed.ts";
import { Exit } from "../shared/errors.ts";
import { openSession } from "../shared/session.ts";
import { gather } from "./gather.ts";

/** Asks the rules about what is deployed, and answers whether a mandatory one is broken. */
export async function check({ stack, json }: { readonly stack?: string; readonly json?: true }): Promise<number> {
  const session = await openSession({ stack });
  const findings = await gather(session);
  process.stdout.write(json ? `${JSON.stringify(findings, null, 2)}\n` : report(findings, session.stack));
  return findings.some(({ level }) => level === "mandatory") ? Exit.failed : Exit.ok;
}
