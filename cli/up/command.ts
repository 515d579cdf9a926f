import type { Command } from "commander";
import { STACK, YES } from "../shared/options.ts";
import type { UpOptions } from "./deploy.ts";

const repeated = (value: string, all: readonly string[] | undefined): readonly string[] => [...(all ?? []), value];

export function register(program: Command): void {
  program
    .command("up")
    .description("set up what is missing, preview, deploy and check a stack")
    .option(...STACK)
    .option(YES[0], "don't ask; required without a terminal (the local stack never asks)")
    .option("--diff", "show changes property by property")
    .option("--refresh", "read the actual state first, and undo what was changed by hand (see ./drydock drift)")
    .option(
      "--replace <service>",
      "make a service anew even if nothing asks for it, its successor before it goes; may be repeated",
      repeated,
    )
    .option(
      "--json",
      "print JSON: stack, url, release, services[], changed, traffic (with --watch-traffic); the rest goes to stderr",
    )
    .option("--wait [seconds]", "wait while somebody else changes the stack (1800 s unless said); else that is refused")
    .option("--summary <file>", "append what happened to a file, as Markdown (default: $GITHUB_STEP_SUMMARY)")
    .option(
      "--watch-traffic",
      "send requests to the site meanwhile, and count those that failed (also in .drydock/traffic.json)",
    )
    .option("--watch-path <path>", "what to ask for instead of the health path and /; may be repeated", repeated)
    .option("--watch-rate <number>", "requests a second (default: 20)")
    .addHelpText(
      "after",
      `
Nothing is changed when there is nothing to change. An interrupted \`up\` is continued by the next one.

Examples:
  $ ./drydock up                     the local stack: installs, builds and generates what is missing
  $ ./drydock up -s staging          shows what would change, and asks
  $ ./drydock up -s staging --yes    as a pipeline does it
  $ ./drydock up --watch-traffic     and count the requests that failed meanwhile: 0
  $ ./drydock up --replace app-1     make one replica anew, without a failed request`,
    )
    .action(async (options: UpOptions) => {
      const { up } = await import("./run.ts");
      process.exitCode = await up(options);
    });
}
