import type { Command } from "commander";
import { STACK } from "../shared/options.ts";

export function register(program: Command): void {
  const maintenance = program
    .command("maintenance")
    .description("close the site for visitors and open it again; works when the application doesn't")
    .option(...STACK)
    .usage("on|off|status|export|import [options]")
    .helpCommand(false)
    .addHelpText(
      "after",
      `
The proxy answers visitors with a page, status 503 and Retry-After. It stays as it is over releases and restarts, and
neither needs it: releases change nothing for visitors. Checks of a release get through.

Examples:
  $ ./drydock maintenance on --message "Back at 14:00." --secret
  $ ./drydock maintenance on --page closed.html --allow 203.0.113.7 --allow 10.0.0.0/8
  $ ./drydock maintenance off`,
    );

  maintenance
    .command("on")
    .description("close the site; while it is closed: change how (what is left out stays as it is)")
    .option(...STACK)
    .option(
      "--allow <range>",
      "an address or range that gets the site; may be repeated",
      (range: string, all: string[] | undefined) => [...(all ?? []), range],
    )
    .option("--no-allow", "no address gets the site any more")
    .option("--secret", "make a secret address that lets in who opens it, for a day; shown once")
    .option("--no-secret", "no secret address lets anyone in any more")
    .option("--retry-after <seconds>", "when visitors should try again (default: 300)")
    .option("--message <text>", "what the generated page says")
    .option("--page <file>", "an HTML page of your own instead, with all it needs inside; - is standard input")
    .option(
      "--json",
      "print JSON: stack, on, since, by, allow, retryAfter, message, page, secret, drained, entry (the secret address)",
    )
    .addHelpText(
      "after",
      `
Returns when no request is left that began before, or after the time that the proxy gives a request.`,
    )
    .action(async (_: unknown, command: Command) => {
      const { on } = await import("./run.ts");
      process.exitCode = await on(command.optsWithGlobals());
    });

  maintenance
    .command("off")
    .description("open the site")
    .option(...STACK)
    .option("--json", "print JSON: stack, on, changed")
    .action(async (_: unknown, command: Command) => {
      const { off } = await import("./run.ts");
      process.exitCode = await off(command.optsWithGlobals());
    });

  maintenance
    .command("status")
    .description("say whether the site is closed, how, and whether it is as it was switched on")
    .option(...STACK)
    .option("--json", "print JSON: stack, on, since, by, allow, retryAfter, message, page, secret, problems[], aside[]")
    .addHelpText("after", "\nExits with 1 when something is wrong with it (a file changed by hand, for example).")
    .action(async (_: unknown, command: Command) => {
      const { status } = await import("./run.ts");
      process.exitCode = await status(command.optsWithGlobals());
    });

  maintenance
    .command("export")
    .description("save how maintenance mode stands, page and secret included, for a backup")
    .argument("[file]", "where to; default: standard output")
    .option(...STACK)
    .action(async (file: string | undefined, _: unknown, command: Command) => {
      const { exportState } = await import("./run.ts");
      process.exitCode = await exportState(file, command.optsWithGlobals());
    });

  maintenance
    .command("import")
    .description("bring maintenance mode to what an export says")
    .argument("<file>", "an export; - is standard input")
    .option(...STACK)
    .action(async (file: string, _: unknown, command: Command) => {
      const { importState } = await import("./run.ts");
      process.exitCode = await importState(file, command.optsWithGlobals());
    });
}
