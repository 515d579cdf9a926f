import type { Command } from "commander";
import { STACK } from "../shared/options.ts";
import type { DestroyOptions } from "./run.ts";

export function register(program: Command): void {
  program
    .command("destroy")
    .description("remove a stack's containers and networks; its data stays (refuses production)")
    .option(...STACK)
    .option("-y, --yes", "don't ask; needed without a terminal")
    .option("--volumes", "delete the data as well: database, Redis, files (local stack only)")
    .addHelpText(
      "after",
      `
Data volumes are protected: they stay, and the next \`up\` uses them again. A stack in production is never destroyed,
whatever the options.

Examples:
  $ ./drydock destroy                    asks for the stack's name
  $ ./drydock destroy --volumes          begin anew, without the data
  $ ./drydock destroy -s staging --yes   as a pipeline does it`,
    )
    .action(async (options: DestroyOptions) => {
      const { destroy } = await import("./run.ts");
      process.exitCode = await destroy(options);
    });
}
