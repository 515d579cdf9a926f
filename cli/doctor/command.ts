import type { Command } from "commander";
import { STACK } from "../shared/options.ts";

export function register(program: Command): void {
  program
    .command("doctor")
    .description("check what is running for the known issues, and show the command that fixes each")
    .option(...STACK)
    .option(
      "--json",
      "print JSON: stack, release, checks[] {issue, id, title, verdict (fine, broken, unknown), details[], remedies[]}",
    )
    .addHelpText(
      "after",
      `
Inspects every container and changes nothing, except for a file of one byte that it writes and removes where Laravel
writes. The number before a line is that of the known issue. Exits with 1 when something is broken; what can't be
judged, because a container isn't running, is listed as unknown. A stack with monitoring is told how much was found:
drydock_doctor_findings.

Examples:
  $ ./drydock doctor
  $ ./drydock doctor -s prod --json | jq -r '.checks[] | select(.verdict == "broken") | .remedies[]'`,
    )
    .action(async (options: { stack?: string; json?: true }) => {
      const { doctor } = await import("./run.ts");
      process.exitCode = await doctor(options);
    });
}
