import type { Command } from "commander";
import { STACK, YES } from "../shared/options.ts";
import type { RollbackOptions } from "./run.ts";

export function register(program: Command): void {
  program
    .command("rollback")
    .description("go back to an earlier release's image, with today's variables, without a failed request")
    .argument("[release]", "its number or the beginning of its id (default: the newest one with another image)")
    .option(...STACK)
    .option(YES[0], "don't ask; required without a terminal (the local stack never asks)")
    .option("--migrations", "roll back the migrations that came since, too, after a backup")
    .option("--forward", "undo a rollback: release what the settings say")
    .option("--dry-run", "say what would be done; change nothing")
    .option(
      "--json",
      "print JSON at the end: stack, from, to, migrationsSince[], rolledBack {beforeSwitch, afterSwitch}",
    )
    .addHelpText(
      "after",
      `
Refused (exit code 3) where the earlier code can't run on today's schema; the message says what can be done. Until
--forward, the stack stays pinned to that image by drydock:app.pinned in its file, whatever else changes.

Examples:
  $ ./drydock rollback                 to the release before (./drydock releases lists them)
  $ ./drydock rollback 12 -s prod --yes
  $ ./drydock rollback --forward`,
    )
    .action(async (release: string | undefined, options: RollbackOptions) => {
      const { rollback } = await import("./run.ts");
      process.exitCode = await rollback(release, options);
    });
}
