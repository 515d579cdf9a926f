import type { Command } from "commander";
import { defined } from "../../lib/defined.ts";
import { Exit } from "../errors.ts";
import { STACK } from "../options.ts";

export function register(program: Command): void {
  program
    .command("status")
    .description("show the stack's services, and whether they are healthy")
    .option(...STACK)
    .option(
      "--json",
      "print JSON: stack, url, release, services[] {name, role, container, image, state, health}, alarms[] where something is about to fail, restore {state, what} where one is at work or was cut off",
    )
    .addHelpText(
      "after",
      `
Exits with 1 when a service is missing or not healthy, or a restore was cut off.

Examples:
  $ ./drydock status
  $ ./drydock status -s staging --json | jq -r '.services[] | select(.health != "healthy") | .name'`,
    )
    .action(async ({ stack, json }: { stack?: string; json?: true }) => {
      const [{ openSession }, { deployed, readReport }, { allHealthy, statusTable }, { painter }] = await Promise.all([
        import("../session.ts"),
        import("../services.ts"),
        import("../report.ts"),
        import("../ui.ts"),
      ]);
      const target = await deployed(await openSession({ stack, brief: true }));
      const { restoreReport } = await import("../backup/resume.ts");
      const [services, restore] = await Promise.all([readReport(target), restoreReport(target)]);
      const report = { ...services, ...defined({ restore }) };
      process.stdout.write(
        `${json ? JSON.stringify(report, null, 2) : statusTable(report, painter(process.stdout))}\n`,
      );
      if (!allHealthy(report)) process.exitCode = Exit.failed;
    });
}
