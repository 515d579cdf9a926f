import type { Command } from "commander";
import { STACK } from "../shared/options.ts";

export function register(program: Command): void {
  program
    .command("drift")
    .description("say what was changed by hand since the last deployment, and which command puts it right")
    .option(...STACK)
    .option(
      "--json",
      "print JSON: stack, drift, findings[] {kind (missing, stopped, changed, foreign), name, what, remedy}",
    )
    .addHelpText(
      "after",
      `
Compares containers, networks, volumes, images and the proxy's site with what the last deployment left, and finds what
else uses its networks and volumes. It only reads, takes no lock and shows no value of a variable. The processes
themselves are checked by ./drydock doctor. A stack with monitoring is told how much was found: drydock_drift_findings.

Exits with 0 where nothing was changed, with 4 where something was, with 1 where it could not be found out.

Examples:
  $ ./drydock drift
  $ ./drydock drift -s prod --json | jq -r '.findings[].remedy'
  17 * * * * cd /srv/infra && ./drydock drift -s prod >/tmp/drift 2>&1 || mail -s drift ops@example.com </tmp/drift`,
    )
    .action(async (options: { stack?: string; json?: true }) => {
      const { drift } = await import("./run.ts");
      process.exitCode = await drift(options);
    });
}
