import type { Command } from "commander";
import { STACK } from "../shared/options.ts";

export function register(program: Command): void {
  program
    .command("check")
    .description("check what is deployed against the policies, including what is older than a rule")
    .option(...STACK)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Reads Pulumi's state only, contacts no server and changes nothing. Exit code 1 if a mandatory rule is broken.

Examples:
  $ ./drydock check
  $ ./drydock check -s prod`,
    )
    .action(async (options: { readonly stack?: string; readonly json?: true }) => {
      const { check } = await import("./run.ts");
      process.exitCode = await check(options);
    });
}
