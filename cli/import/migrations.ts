import { execArguments } from "../artisan/run.ts";
import type { BackupHost } from "../backup/agent.ts";
import { isHealthy } from "../shared/healthy.ts";
import { readReport } from "../shared/services.ts";
import { settingAt, stackConfig } from "../shared/stack.ts";
import { parseMigrations } from "./status.ts";

/** The migrations of the application that its database has not; undefined where no replica can be asked. */
export async function pendingMigrations({
  deployed,
  docker,
  session,
}: Pick<BackupHost, "deployed" | "docker" | "session">): Promise<readonly string[] | undefined> {
  const replica = (await readReport(deployed)).services.find((service) => service.role === "app" && isHealthy(service));
  if (replica === undefined) return undefined;
  const path = settingAt(stackConfig(session.paths, session.stack), "app.path");
  const args = execArguments(replica.container, ["migrate:status", "--no-ansi"], {
    folder: typeof path === "string" ? path : "/var/www/html",
    terminal: false,
  });
  const { code, stdout } = await docker.run(args, { input: "" });
  return code === 0 ? parseMigrations(stdout) : undefined;
}
