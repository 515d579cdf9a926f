import { type Command, Option } from "commander";
import type { TestOptions } from "./run.ts";
import { SUITES } from "./suites.ts";

export function register(program: Command): void {
  program
    .command("test")
    .description("set up what the tests need, run them, and count them")
    .option("--all", "the long suites too (component, supply, releases, backup, monitoring, hostile, images, faults)")
    .addOption(new Option("--only <suite>", "one suite").choices(Object.keys(SUITES)))
    .option("--grep <pattern>", "only tests whose name matches")
    .addHelpText(
      "after",
      `
The last line is \`N passed, N failed\`. Exits with 1 when a test failed, or none ran.

Examples:
  $ ./drydock test
  $ ./drydock test --only unit --grep 'a misspelt key'`,
    )
    .action(async (options: TestOptions) => {
      const { runTests } = await import("./run.ts");
      process.exitCode = await runTests(options);
    });
}
