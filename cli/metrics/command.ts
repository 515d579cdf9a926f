import { type Command, Option } from "commander";
import { STACK } from "../shared/options.ts";
import type { MetricsOptions } from "./run.ts";

export function register(program: Command): void {
  program
    .command("metrics")
    .description("show how the stack is and was: requests, queues, PHP, database, Redis, machine")
    .option(...STACK)
    .addOption(new Option("--last <time>", "how far back").choices(["hour", "day", "week"]).default("hour"))
    .option("--json", "print JSON: from, to, step, metrics[] {name, unit, now, least, most, values[]}")
    .option("--grafana", "print a dashboard for Grafana that shows the same, as it imports it")
    .addHelpText(
      "after",
      `
Examples:
  $ ./drydock metrics
  $ ./drydock metrics --last day
  $ ./drydock metrics --grafana > drydock.json
  $ ./drydock metrics -s prod --json | jq '.metrics[] | {name, now}'`,
    )
    .action(async (options: MetricsOptions) => {
      const { showMetrics } = await import("./run.ts");
      process.exitCode = await showMetrics(options);
    });
}
