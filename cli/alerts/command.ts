import type { Command } from "commander";
import { STACK } from "../shared/options.ts";
import type { AlertsOptions } from "./run.ts";

export function register(program: Command): void {
  program
    .command("alerts")
    .description("show what is wrong at present, what to do, and which alerts are silent")
    .option(...STACK)
    .option("--all", "those that wait, too: they are raised when it lasts")
    .option(
      "--json",
      "print JSON: alerts[] {name, severity, state, since, summary, remedy, command, labels}, silences[]",
    )
    .option("--rules", "print the rules of all alerts, as Prometheus reads them")
    .addHelpText(
      "after",
      `
Ends with 1 where an alert is raised. What each of them means: docs/alerts.md.

Examples:
  $ ./drydock alerts
  $ ./drydock alerts --rules > drydock.yml
  $ ./drydock alerts -s prod --json | jq -r '.alerts[].name'`,
    )
    .action(async (options: AlertsOptions) => {
      const { showAlerts } = await import("./run.ts");
      process.exitCode = await showAlerts(options);
    });
}
