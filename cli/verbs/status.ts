import type { Command } from "commander";
import { Exit } from "../errors.ts";
import { STACK } from "../options.ts";

export function register(program: Command): void {
  program.command("status")
    .description("show the stack's services, and whether they are healthy")
    .option(...STACK)
    .option("--json", "print JSON: stack, url, release, services[] {name, role, container, image, state, health}")
    .addHelpText("after", `
Exits with 1 when a service is missing or not healthy.

Examples:
  $ ./drydock status
  $ ./drydock status -s staging --json | jq -r '.services[] | select(.health != "healthy") | .name'`)
    .action(async ({ stack, json }: { stack?: string; json?: true }) => {
      const [{ openSession }, { deployed, readReport }, { allHealthy, statusTable }, { painter }] = await Promise.all([
        import("../session.ts"), import("../services.ts"), import("../report.ts"), import("../ui.ts")]);
      const report = await readReport(await deployed(await openSession({ stack, brief: true })));
      process.stdout.write(`${json ? JSON.stringify(report, null, 2) : statusTable(report, painter(process.stdout))}\n`);
      if (!allHealthy(report)) process.exitCode = Exit.failed;
    });
}
