import type { Command } from "commander";

export function register(program: Command): void {
  const policies = program
    .command("policies")
    .description("list the rules that preview and up obey; `policies explain NAME` shows one")
    .option("-s, --stack <name>", "with the levels that this stack's file sets")
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ ./drydock policies
  $ ./drydock policies explain web-no-delete-before-replace`,
    )
    .action(async (options: { readonly stack?: string; readonly json?: true }) => {
      const { listPolicies } = await import("./run.ts");
      listPolicies(options);
    });

  policies
    .command("explain")
    .description("show a rule: why, a bad and a good example, the remedy, its parameters")
    .argument("<name>", "the rule's name")
    .action(async (name: string) => {
      const { explainPolicy } = await import("./run.ts");
      explainPolicy(name);
    });
}
