import { type Command, Option } from "commander";
import { STACK } from "../shared/options.ts";
import type { ArtisanOptions } from "./run.ts";

export function register(program: Command): void {
  program
    .command("artisan")
    .description("run an artisan command in a running, healthy replica, as its user")
    .usage("[options] -- ARGS…")
    .argument("[args...]", "what comes after `php artisan`")
    .option(...STACK)
    .addOption(
      new Option("--role <role>", "the container that it runs in: some commands speak to processes beside them")
        .choices(["app", "horizon", "scheduler", "worker"])
        .default("app"),
    )
    .addHelpText(
      "after",
      `
Exits with the command's own exit code. Input can be piped in.

Examples:
  $ ./drydock artisan -- migrate:status
  $ ./drydock artisan -s staging -- queue:failed
  $ ./drydock artisan -- tinker
  $ ./drydock artisan --role horizon -- horizon:pause`,
    )
    .action(async (args: string[], options: ArtisanOptions) => {
      const { artisan } = await import("./run.ts");
      process.exitCode = await artisan(args, options);
    });
}
