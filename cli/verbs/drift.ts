import type { Command } from "commander";
import { Exit } from "../errors.ts";
import { STACK } from "../options.ts";

export function register(program: Command): void {
  program
    .command("drift")
    .description("say what was changed by hand since the last deployment, and which command puts it right")
    .option(...STACK)
    .option(
      "--json",
      "print JSON: stack, drift, findings[] {kind (missing, stopped, changed, foreign), name, what, remedy}",
    )
    .addHelpText(
      "after",
      `
Compares containers, networks, volumes, images and the proxy's site with what the last deployment left, and finds what else uses its networks and
volumes. It only reads, takes no lock and shows no value of a variable. What the processes have inside is what ./drydock doctor looks at.

Exits with 0 where nothing was changed, with 4 where something was, with 1 where it could not be found out.

Examples:
  $ ./drydock drift
  $ ./drydock drift -s prod --json | jq -r '.findings[].remedy'
  17 * * * * cd /srv/infra && ./drydock drift -s prod >/tmp/drift.log 2>&1 || mail -s "drift of prod" ops@example.com </tmp/drift.log`,
    )
    .action(async ({ stack: asked, json }: { stack?: string; json?: true }) => {
      const [{ openSession }, { gather }, { painter }] = await Promise.all([
        import("../session.ts"),
        import("../drift/gather.ts"),
        import("../ui.ts"),
      ]);
      const session = await openSession({ stack: asked });
      const { stack } = session;
      const findings = await gather(session);
      if (json) process.stdout.write(`${JSON.stringify({ stack, drift: findings.length > 0, findings }, null, 2)}\n`);
      else if (findings.length === 0) process.stdout.write(`Stack ${stack} is as its last deployment left it.\n`);
      else {
        const paint = painter(process.stdout);
        const lines = findings.flatMap(({ kind, name, what, remedy }) => [
          `${paint("yellow", kind.padEnd(7))}  ${name}: ${what}`,
          ...remedy.split("\n").map((line, index) => `         ${index === 0 ? "remedy:" : "       "} ${line}`),
        ]);
        process.stdout.write(`${lines.join("\n")}\n`);
      }
      if (findings.length > 0) process.exitCode = Exit.drift;
    });
}
