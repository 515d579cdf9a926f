import type { Command } from "commander";
import { STACK } from "../shared/options.ts";
import type { LogsOptions } from "./run.ts";

export function register(program: Command): void {
  program
    .command("logs")
    .description("show what the containers of a role write")
    .argument("<role>", "app, horizon, scheduler, proxy, database, redis, cache, or all")
    .option(...STACK)
    .option("-f, --follow", "keep printing new lines")
    .option("-n, --tail <lines>", "the last lines of each container, or all", "100")
    .option("--before", "what the containers that the last releases took away had written (drydock:logs.keepDays)")
    .option("--since <time>", "only later ones: 10m, 2h, 2026-01-31T10:00:00")
    .addHelpText(
      "after",
      `
Examples:
  $ ./drydock logs app
  $ ./drydock logs horizon --follow --since 10m
  $ ./drydock logs all --tail 20
  $ ./drydock logs horizon --before`,
    )
    .action(async (role: string, options: LogsOptions) => {
      const { showLogs } = await import("./run.ts");
      process.exitCode = await showLogs(role, options);
    });
}
