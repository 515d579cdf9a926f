import type { Command } from "commander";
import { STACK, YES } from "../options.ts";

export interface UpOptions {
  readonly stack?: string;
  readonly yes?: true;
  readonly diff?: true;
}

export function register(program: Command): void {
  program.command("up")
    .description("set up what is missing, preview, deploy and check a stack")
    .option(...STACK)
    .option(YES[0], "don't ask; needed without a terminal, but for the local stack, which never asks")
    .option("--diff", "show changes property by property")
    .addHelpText("after", `
Nothing is changed when there is nothing to change. An interrupted \`up\` is continued by the next one.

Examples:
  $ ./drydock up                     the local stack: installs, builds and generates what is missing
  $ ./drydock up -s staging          shows what would change, and asks
  $ ./drydock up -s staging --yes    as a pipeline does it`)
    .action(async (options: UpOptions) => {
      const { up } = await import("../deploy.ts");
      process.exitCode = await up(options);
    });
}
