import type { Command } from "commander";
import { STACK } from "./options.ts";
import { PROJECT } from "./project.ts";

export function register(program: Command): void {
  program
    .command("check")
    .description("ask the rules about what is deployed: old sins are found as well")
    .option(...STACK)
    .option("--json", "print JSON")
    .addHelpText(
      "after",
      `
Reads the state, asks nobody and changes nothing. Exit code 1 if a mandatory rule is broken.

Examples:
  $ ./drydock check
  $ ./drydock check -s prod`,
    )
    .action(async ({ stack, json }: { readonly stack?: string; readonly json?: true }) => {
      const [
        { openSession },
        { notDeployed, stackConfig, stackExists },
        { checkDeployed, report },
        { factsIn },
        { ownKeys },
        { Exit },
      ] = await Promise.all([
        import("./session.ts"),
        import("./stack.ts"),
        import("../policies/deployed.ts"),
        import("../config/facts.ts"),
        import("../policies/facts.ts"),
        import("./errors.ts"),
      ]);
      const session = await openSession({ stack });
      if (!stackExists(session.stack, session.env)) throw notDeployed(session.stack);
      const own = ownKeys(stackConfig(session.paths, session.stack), PROJECT);
      const facts = factsIn({ app: {}, database: {}, redis: {}, proxy: {}, ...own }, session.stack);
      const findings = await checkDeployed(session.pulumi, session.stack, facts);
      process.stdout.write(json ? `${JSON.stringify(findings, null, 2)}\n` : report(findings, session.stack));
      if (findings.some(({ level }) => level === "mandatory")) process.exitCode = Exit.failed;
    });
}
