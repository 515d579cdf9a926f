import type { Command } from "commander";
import { STACK } from "../shared/options.ts";
import type { LogsOptions } from "./run.ts";

export function register(program: Command): void {
  program
    .command("logs")
    .description("show what the containers of a role write, of all of them together in the order of time")
    .argument("<role>", "app, horizon, scheduler, worker, proxy, database, redis, cache, backup, prometheus, …, or all")
    .option(...STACK)
    .option("-f, --follow", "keep printing new lines, also of containers that start meanwhile")
    .option("-n, --tail <lines>", "the last lines of each container, or all", "100")
    .option("--before", "what the containers that the last releases took away had written (drydock:logs.keepDays)")
    .option("--since <time>", "only later ones: 10m, 2d, 2026-01-31T10:00:00 (this machine's clock; with Z: UTC)")
    .option("--grep <pattern>", "only lines that match a regular expression, in capitals or not")
    .option("--release <id>", "only those of one release (its number or id), also of its containers that are gone")
    .option("-t, --timestamps", "show when each line was written")
    .option("--json", "print JSON, a line each: {service, role, release, at, text}")
    .addHelpText(
      "after",
      `
Examples:
  $ ./drydock logs app
  $ ./drydock logs horizon --follow --since 10m
  $ ./drydock logs all --tail 20
  $ ./drydock logs app --grep 'error|exception' --since 1h
  $ ./drydock logs horizon --before`,
    )
    .action(async (role: string, options: LogsOptions) => {
      const { showLogs } = await import("./run.ts");
      process.exitCode = await showLogs(role, options);
    });
}
