import { Command } from "commander";
import { messageOf } from "./errors.ts";
import { EXIT } from "./protocol.ts";

const program = new Command("agent").description("Drydock's backup agent").exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage));

program.command("serve").description("run as the agent").action(async () => (await import("./serve.ts")).serve());
program.command("companion").description("run as the companion that restores").action(async () => (await import("./companion/serve.ts")).serveCompanion());

program.parseAsync().then(
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`${messageOf(error)}\n`);
    process.exit(EXIT.failed);
  },
);
