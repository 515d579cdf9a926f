import { Command } from "commander";
import { EXIT } from "../contracts/agent.ts";
import { messageOf } from "./shared/errors.ts";

/** The agent's entry. The two that run for long load no more than they need. */
const program = new Command("agent")
  .description("Drydock's backup agent")
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage));
program
  .command("serve")
  .description("run as the agent")
  .action(async () => (await import("./schedule/serve.ts")).serve());
program
  .command("companion")
  .description("run as the companion that restores")
  .action(async () => (await import("./sandbox/serve.ts")).serveCompanion());

async function main(): Promise<void> {
  if (!["serve", "companion"].includes(process.argv[2] ?? "")) (await import("./verbs.ts")).addVerbs(program);
  await program.parseAsync();
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(EXIT.failed);
  },
);
