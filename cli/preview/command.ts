import type { Command } from "commander";
import { STACK } from "../shared/options.ts";
import type { PreviewOptions } from "./run.ts";

export function register(program: Command): void {
  program
    .command("preview")
    .description("show what `up` would change, and whether the rules allow it; changes nothing")
    .option(...STACK)
    .option("--diff", "show changes property by property")
    .option("--json", "print JSON, as `pulumi preview --json` does")
    .addHelpText(
      "after",
      `
Docker need not be running. If it is, and the stack is deployed, the new image is built or pulled to find out which
migrations it would run, and which of them would break the release that serves now.

Examples:
  $ ./drydock preview
  $ ./drydock preview -s prod --diff`,
    )
    .action(async (options: PreviewOptions) => {
      const { preview } = await import("./run.ts");
      await preview(options);
    });
}
