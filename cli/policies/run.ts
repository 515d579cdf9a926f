import { catalogue, ruleNamed } from "../../policies/catalogue.ts";
import { readConfiguration } from "../../policies/configuration.ts";
import { cite } from "../../policies/evaluate.ts";
import { explain } from "../../policies/explain.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { painter, table } from "../shared/ui.ts";

/** Prints the rules, with the levels of a stack where one is named. */
export function listPolicies({ stack, json }: { readonly stack?: string; readonly json?: true }): void {
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
    table(["RULE", "LEVEL", "SCOPE", "SOURCE"], cells, (text, column) =>
      column === 1 && text === "mandatory" ? paint("bold", text) : text,
    ) + "\n",
  );
}

/** Prints all of one rule. @throws CliError (usage) where there is none of that name */
export function explainPolicy(name: string): void {
  const rule = ruleNamed(name);
  if (rule === undefined) {
    const near = catalogue.filter((one) => one.name.includes(name) || name.includes(one.name)).map((one) => one.name);
    throw new CliError({
      what: `no rule is called ${name}`,
      remedy:
        near.length > 0 ? near.map((one) => `./drydock policies explain ${one}`).join("\n") : "./drydock policies",
      code: Exit.usage,
    });
  }
  process.stdout.write(explain(rule));
}
