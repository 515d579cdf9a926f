import { audited } from "../shared/audit.ts";
import { CliError } from "../shared/errors.ts";
import { isHealthy } from "../shared/healthy.ts";
import { deployed, readReport } from "../shared/services.ts";
import { openSession } from "../shared/session.ts";
import { foreground } from "../shared/signals.ts";
import { settingAt, stackConfig } from "../shared/stack.ts";
import { onTerminal } from "../shared/ui.ts";

export interface ArtisanOptions {
  readonly stack?: string;
  /** Of the container that it runs in. */
  readonly role: "app" | "horizon" | "scheduler" | "worker";
}

/** Runs an artisan command in a container that is healthy, and answers its exit code. */
export async function artisan(args: readonly string[], { stack, role }: ArtisanOptions): Promise<number> {
  const session = await openSession({ stack, brief: true });
  const target = await deployed(session);
  const replica = (await readReport(target)).services.find((service) => service.role === role && isHealthy(service));
  if (replica === undefined) {
    const what = role === "app" ? "replica" : `container of role ${role}`;
    throw new CliError({
      what: `no ${what} of stack ${session.stack} is running and healthy`,
      remedy: `./drydock status, ./drydock logs ${role}`,
    });
  }
  const path = settingAt(stackConfig(session.paths, session.stack), "app.path");
  return await audited(session, "artisan", args, () =>
    foreground(
      "docker",
      execArguments(replica.container, args, {
        folder: typeof path === "string" ? path : "/var/www/html",
        terminal: onTerminal(),
      }),
      target.docker.env,
    ),
  );
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
