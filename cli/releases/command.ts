import type { Command } from "commander";
import { STACK } from "../shared/options.ts";

export function register(program: Command): void {
  program
    .command("releases")
    .description("list what was released on a stack, newest first")
    .option(...STACK)
    .option("-n, --limit <count>", "how many", "20")
    .option(
      "--json",
      "print JSON: [{sequence, current, release, image, id, digest, by, commit, at, seconds, probes, traffic, " +
        "migrations {contained, applied, ran}, …}]",
    )
    .addHelpText(
      "after",
      `
Read from the stack's records on its Docker host. * is what serves.

Examples:
  $ ./drydock releases
  $ ./drydock releases -s prod --json | jq -r '.[0].image'`,
    )
    .action(async ({ stack, limit, json }: { stack?: string; limit: string; json?: true }) => {
      const { releases } = await import("./run.ts");
      process.stdout.write(await releases({ stack, limit: Number(limit), json: json === true }));
    });
}
