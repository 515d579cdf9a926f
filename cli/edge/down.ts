import { destroyConfirmed } from "../destroy/run.ts";
import { volumesOf } from "../destroy/volumes.ts";
import { audited } from "../shared/audit.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { notDeployed, readDeployment, stackExists } from "../shared/stack.ts";
import { ask, onTerminal } from "../shared/ui.ts";
import { openEdge, readEdge } from "./target.ts";

export interface DownOptions {
  readonly stack?: string;
  readonly yes?: true;
}

/** Removes the edge; what stacks have told it, its accounts and its certificates stay. Returns the exit code. */
export async function down(options: DownOptions): Promise<number> {
  const target = await openEdge(options.stack);
  const { session } = target;
  const { stack } = session;
  if (!stackExists(stack, session.env)) throw notDeployed(stack);
  const { claims } = await readEdge(target).catch(() => ({ claims: [] }));
  if (claims.length > 0) {
    const stacks = [...new Set(claims.map((claim) => claim.stack))].join(", ");
    throw new CliError({
      what:
        `visitors of ${claims.map(({ name }) => name).join(", ")} (${stacks}) come through this edge: ` +
        "it is not removed",
      remedy: "take drydock:domains out of these stacks and deploy them, or destroy them first",
      code: Exit.refused,
    });
  }
  if (options.yes !== true) {
    if (!onTerminal())
      throw new CliError({
        what: `the edge ${stack} is not removed without confirmation, and there is no terminal to ask on`,
        remedy: "./drydock edge down --yes",
        code: Exit.refused,
      });
    if ((await ask(`Type the stack's name to go on (${stack}): `)) !== stack)
      throw new CliError({ what: "not confirmed; nothing was changed", code: Exit.refused });
  }
  const volumes = volumesOf(await readDeployment(session.pulumi, stack), true);
  return await audited(session, "edge", ["down"], () => destroyConfirmed(session, false, volumes));
}
