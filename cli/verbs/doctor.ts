import type { Command } from "commander";
import { Exit } from "../errors.ts";
import { STACK } from "../options.ts";

export function register(program: Command): void {
  program
    .command("doctor")
    .description("go through the known issues in what runs right now, with the command that mends each")
    .option(...STACK)
    .option(
      "--json",
      "print JSON: stack, release, checks[] {issue, id, title, verdict (fine, broken, unknown), details[], remedies[]}",
    )
    .addHelpText(
      "after",
      `
Looks into every container and changes nothing but a file of one byte, written and removed where Laravel writes. The number before a line is that
of the known issue. Exits with 1 when something is broken; what can't be judged, because a container doesn't run, is said so.

Examples:
  $ ./drydock doctor
  $ ./drydock doctor -s prod --json | jq -r '.checks[] | select(.verdict == "broken") | .remedies[]'`,
    )
    .action(async ({ stack, json }: { stack?: string; json?: true }) => {
      const [{ openSession }, { gather }, { judge }, { reportLines }, { painter }] = await Promise.all([
        import("../session.ts"),
        import("../doctor/gather.ts"),
        import("../doctor/checks.ts"),
        import("../doctor/report.ts"),
        import("../ui.ts"),
      ]);
      const facts = await gather(await openSession({ stack }));
      const checks = judge(facts);
      process.stdout.write(
        `${json ? JSON.stringify({ stack: facts.stack, release: facts.release, checks }, null, 2) : reportLines(checks, painter(process.stdout))}\n`,
      );
      if (checks.some(({ verdict }) => verdict === "broken")) process.exitCode = Exit.failed;
    });
}
