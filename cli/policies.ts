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
    .action(async ({ stack, json }: { readonly stack?: string; readonly json?: true }) => {
      const [{ catalogue }, { readConfiguration }, { cite }, { table, painter }] = await Promise.all([
        import("../policies/catalogue.ts"),
        import("../policies/configuration.ts"),
        import("../policies/evaluate.ts"),
        import("./ui.ts"),
      ]);
      const configuration = stack === undefined ? undefined : readConfiguration(stack, catalogue);
      const rows = catalogue.map((rule) => ({
        name: rule.name,
        level: configuration?.levelOf(rule) ?? rule.level,
        scope: rule.scope,
        family: rule.family,
        source: rule.source,
        summary: rule.summary,
      }));
      if (json) {
        process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
        return;
      }
      const paint = painter(process.stdout);
      const cells = rows.map((row, i) => [row.name, row.level, row.scope, cite(catalogue[i]!)]);
      process.stdout.write(
        `${table(["RULE", "LEVEL", "SCOPE", "SOURCE"], cells, (text, column) => (column === 1 && text === "mandatory" ? paint("bold", text) : text))}\n`,
      );
    });

  policies
    .command("explain")
    .description("show a rule: why, a bad and a good example, the remedy, its parameters")
    .argument("<name>", "the rule's name")
    .action(async (name: string) => {
      const [{ catalogue, ruleNamed }, { explain }, { CliError, Exit }] = await Promise.all([
        import("../policies/catalogue.ts"),
        import("../policies/explain.ts"),
        import("./errors.ts"),
      ]);
      const rule = ruleNamed(name);
      if (rule === undefined) {
        const near = catalogue
          .filter((one) => one.name.includes(name) || name.includes(one.name))
          .map((one) => one.name);
        throw new CliError({
          what: `no rule is called ${name}`,
          remedy:
            near.length > 0
              ? near.map((one) => `./drydock policies explain ${one}`).join("\n")
              : "./drydock policies lists the names",
          code: Exit.usage,
        });
      }
      process.stdout.write(explain(rule));
    });
}
