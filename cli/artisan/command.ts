import type { Command } from "commander";
import { STACK } from "../shared/options.ts";

export function register(program: Command): void {
  program
    .command("artisan")
    .description("run an artisan command in a running, healthy replica, as its user")
    .usage("[options] -- ARGS…")
    .argument("[args...]", "what comes after `php artisan`")
    .option(...STACK)
    .addHelpText(
      "after",
      `
Exits with the command's own exit code. Input can be piped in.

Examples:
  $ ./drydock artisan -- migrate:status
  $ ./drydock artisan -s staging -- queue:failed
  $ ./drydock artisan -- tinker`,
    )
    .action(async (args: string[], { stack }: { stack?: string }) => {
      const { artisan } = await import("./run.ts");
      process.exitCode = await artisan(args, stack);
    });
}
