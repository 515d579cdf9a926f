import type { Command } from "commander";
import { STACK } from "../shared/options.ts";

export function register(program: Command): void {
  program
    .command("audit")
    .description("list what was done to a stack, by whom, and how it ended, newest first")
    .option(...STACK)
    .option("-n, --limit <count>", "how many", "30")
    .option(
      "--json",
      "print JSON: [{id, at, by, verb, args[], result, seconds}]; result is started, done, refused, " +
        "interrupted or failed (CODE)",
    )
    .addHelpText(
      "after",
      `
up, rollback, destroy, maintenance and artisan leave a line; secrets are not kept. What stays \`started\` is still at
work, or was killed.

Examples:
  $ ./drydock audit
  $ ./drydock audit -s prod --json | jq '.[] | select(.verb == "rollback")'`,
    )
    .action(async ({ stack, limit, json }: { stack?: string; limit: string; json?: true }) => {
      const { auditLog } = await import("./run.ts");
      process.stdout.write(await auditLog({ stack, limit: Number(limit), json: json === true }));
    });
}
