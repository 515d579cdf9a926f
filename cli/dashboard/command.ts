import type { Command } from "commander";
import { STACK } from "../shared/options.ts";
import type { DashboardOptions } from "./run.ts";

export function register(program: Command): void {
  program
    .command("dashboard")
    .description("show the stack in a browser: what runs, releases, requests, queues, backups; it can change nothing")
    .option(...STACK)
    .option("--port <number>", "of this machine (127.0.0.1) to listen on (default: any that is free)")
    .option("--export <file>", "write the page as it is now into one file, and end")
    .addHelpText(
      "after",
      `
Prints the page's address with a token that is made at each start; whoever has it may look. Opens no browser, listens on
this machine alone, and asks nobody as long as nobody looks. A stack elsewhere (ssh://) is asked over the connection
that other commands use. It runs until Ctrl-C (130).

An exported file has no secret in it, and needs nothing else: it shows how it was.

Examples:
  $ ./drydock dashboard
  $ ./drydock dashboard -s prod --port 8900
  $ ./drydock dashboard -s prod --export prod.html`,
    )
    .action(async (options: DashboardOptions) => {
      const { dashboard } = await import("./run.ts");
      process.exitCode = await dashboard(options);
    });
}
