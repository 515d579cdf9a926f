import type { Command } from "commander";
import { STACK } from "../options.ts";

interface PreviewOptions {
  readonly stack?: string;
  readonly diff?: true;
  readonly json?: true;
}

export function register(program: Command): void {
  program
    .command("preview")
    .description("show what `up` would change, and whether the rules allow it; changes nothing")
    .option(...STACK)
    .option("--diff", "show changes property by property")
    .option("--json", "print JSON, as `pulumi preview --json` does")
    .addHelpText(
      "after",
      `
Needs no running Docker. Where it answers and the stack runs, the new image is asked which migrations it would run (it is built or pulled
for that), and which of them would break the release that serves.

Examples:
  $ ./drydock preview
  $ ./drydock preview -s prod --diff`,
    )
    .action(async ({ stack, diff, json }: PreviewOptions) => {
      const [
        { openSession, succeeded },
        { requireVersionOf },
        { ensureStack, policyArguments },
        { at, stackConfig },
        { step },
      ] = await Promise.all([
        import("../session.ts"),
        import("../setup/docker-version.ts"),
        import("../setup/stack.ts"),
        import("../stack.ts"),
        import("../ui.ts"),
      ]);
      const session = await openSession({ stack });
      await step("stack", ({ log }) => ensureStack(session, log));
      const host = at(stackConfig(session.paths, session.stack), "docker.host");
      const asked = typeof host === "string" ? host : undefined;
      await requireVersionOf(asked, session.env);
      const flags = [...(diff ? ["--diff"] : []), ...(json ? ["--json"] : [])];
      const run = await session.pulumi.stream([
        "preview",
        "--stack",
        session.stack,
        ...flags,
        ...policyArguments(session.paths, session.stack),
      ]);
      succeeded("preview", run, session);
      const [{ showMigrations }, { dockerFor }] = await Promise.all([import("../deploy.ts"), import("../docker.ts")]);
      await showMigrations(
        session,
        dockerFor(asked, session.env),
        run.events,
        false,
        json ? process.stderr : process.stdout,
      );
    });
}
