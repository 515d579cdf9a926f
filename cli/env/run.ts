import { exportLines } from "../shared/environment.ts";
import { openSession } from "../shared/session.ts";

/** Prints the environment in which Pulumi's own CLI works in this clone, for a shell's `eval` or as JSON. */
export async function printEnvironment({
  stack,
  json,
}: {
  readonly stack?: string;
  readonly json?: true;
}): Promise<void> {
  const session = await openSession({ stack });
  const variables = stack === undefined ? session.variables : { ...session.variables, PULUMI_STACK: session.stack };
  process.stdout.write(json ? `${JSON.stringify(variables, null, 2)}\n` : exportLines(variables));
}
