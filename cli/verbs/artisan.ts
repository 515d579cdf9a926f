import type { Command } from "commander";
import { CliError } from "../errors.ts";
import { STACK } from "../options.ts";

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
Hands through the exit code of the command. Input can be piped in.

Examples:
  $ ./drydock artisan -- migrate:status
  $ ./drydock artisan -s staging -- queue:failed
  $ ./drydock artisan -- tinker`,
    )
    .action(async (args: string[], { stack }: { stack?: string }) => {
      const [
        { openSession },
        { deployed, readReport },
        { isHealthy },
        { at, stackConfig },
        { foreground },
        { onTerminal },
        { audited },
      ] = await Promise.all([
        import("../session.ts"),
        import("../services.ts"),
        import("../report.ts"),
        import("../stack.ts"),
        import("../signals.ts"),
        import("../ui.ts"),
        import("../audit.ts"),
      ]);
      const session = await openSession({ stack, brief: true });
      const target = await deployed(session);
      const replica = (await readReport(target)).services.find(
        (service) => service.role === "app" && isHealthy(service),
      );
      if (replica === undefined) {
        throw new CliError({
          what: `no replica of stack ${session.stack} is running and healthy`,
          remedy: "./drydock status, ./drydock logs app",
        });
      }
      const path = at(stackConfig(session.paths, session.stack), "app.path");
      process.exitCode = await audited(session, "artisan", args, () =>
        foreground(
          "docker",
          execArguments(replica.container, args, {
            folder: typeof path === "string" ? path : "/var/www/html",
            terminal: onTerminal(),
          }),
          target.docker.env,
        ),
      );
    });
}

/** `docker exec` as the container's own user, in the application's folder. */
export function execArguments(
  container: string,
  args: readonly string[],
  { folder, terminal }: { readonly folder: string; readonly terminal: boolean },
): readonly string[] {
  // The home folder may be one that its user can't write to, where tinker keeps what was typed; PHP's settings are
  // those of the container.
  const home = ["HOME=/tmp", "XDG_CONFIG_HOME=/tmp/.config", "XDG_DATA_HOME=/tmp/.data"].flatMap((variable) => [
    "--env",
    variable,
  ]);
  const script = 'PHP_INI_SCAN_DIR="${PHP_INI_SCAN_DIR-}:/run/drydock/php" exec php artisan "$@"';
  return [
    "exec",
    "--interactive",
    ...(terminal ? ["--tty"] : []),
    ...home,
    "--workdir",
    folder,
    container,
    "sh",
    "-c",
    script,
    "artisan",
    ...args,
  ];
}
