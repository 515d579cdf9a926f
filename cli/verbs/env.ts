import type { Command } from "commander";
import { exportLines } from "../environment.ts";

export function register(program: Command): void {
  program.command("env")
    .description("print the environment in which Pulumi's own CLI works in this clone")
    .option("-s, --stack <name>", "the stack to be selected in it (default: as it is)")
    .option("--json", "print JSON: an object of name and value")
    .addHelpText("after", `
Sets up the engine if it is missing (progress goes to stderr). A variable that is set already is left as it is.

Examples:
  $ eval "$(./drydock env)"
  $ pulumi preview
  $ pulumi config set --path drydock:app.replicas 4
  $ ./drydock env --json | jq -r .PULUMI_HOME`)
    .action(async ({ stack, json }: { stack?: string; json?: true }) => {
      const { openSession } = await import("../session.ts");
      const session = await openSession({ stack });
      const variables = stack === undefined ? session.variables : { ...session.variables, PULUMI_STACK: session.stack };
      process.stdout.write(json ? `${JSON.stringify(variables, null, 2)}\n` : exportLines(variables));
    });
}
