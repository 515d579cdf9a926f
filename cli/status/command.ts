import type { Command } from "commander";
import { STACK } from "../shared/options.ts";

export function register(program: Command): void {
  program
    .command("status")
    .description("show the stack's containers, and whether they are healthy")
    .option(...STACK)
    .option(
      "--json",
      "print JSON: stack, url, release, services[] {name, role, container, image, state, health}, " +
        "alarms[] where something is about to fail, restore {state, what} where one is at work or was cut off",
    )
    .addHelpText(
      "after",
      `
Exits with 1 when a service is missing or not healthy, or a restore was cut off.

Examples:
  $ ./drydock status
  $ ./drydock status -s staging --json | jq -r '.services[] | select(.health != "healthy") | .name'`,
    )
    .action(async (options: { stack?: string; json?: true }) => {
      const { status } = await import("./run.ts");
      process.exitCode = await status(options);
    });
}
