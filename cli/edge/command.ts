import type { Command } from "commander";
import type { DownOptions } from "./down.ts";
import type { CertificatesOptions, ShowOptions } from "./show.ts";
import type { EdgeUpOptions } from "./up.ts";

const STACK = [
  "-s, --stack <name>",
  "the edge's stack (default: edge, or edge-local where that alone is here)",
] as const;

export function register(program: Command): void {
  const edge = program
    .command("edge")
    .description("serve all stacks of a machine over https")
    .option(...STACK)
    .usage("up|status|certificates|logs|down [options]")
    .helpCommand(false)
    .addHelpText(
      "after",
      `
One for each machine, a small stack of its own: nginx on the ports 80 and 443, and what gets the certificates.
docs/domains.md tells how a site gets its name.

Examples:
  $ ./drydock edge up --email ops@example.com
  $ ./drydock edge up --local            on your own machine, with an authority of its own
  $ ./drydock edge status                names, stacks, certificates, and what is wrong`,
    );
  edge
    .command("up")
    .description("create or update the edge; it is down for less than a second where nginx itself is replaced")
    .option(...STACK)
    .option("--local", "for this machine alone: 127.0.0.1, and certificates of an authority of its own")
    .option("--email <address>", "contact address for the certificate authority; asked for the first time")
    .option("-y, --yes", "don't ask; required without a terminal (--local never asks)")
    .option("--diff", "show changes property by property")
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<EdgeUpOptions>();
      const { edgeUp } = await import("./up.ts");
      process.exitCode = await edgeUp(options);
    });
  edge
    .command("status")
    .description("show names, stacks, certificates, and what is wrong")
    .option(...STACK)
    .option(
      "--json",
      "print JSON: edge, certificates, names[] {name, stack, certificate, until, hsts, problems[]}, alarms[]",
    )
    .addHelpText("after", "\nExits with 1 when something is wrong with a name.")
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<ShowOptions>();
      const { status } = await import("./show.ts");
      process.exitCode = await status(options);
    });
  edge
    .command("certificates")
    .description("show each name's certificate, and the alarms")
    .option(...STACK)
    .option("--export <file>", "write a copy of the accounts and of all that was signed for them, private keys too")
    .option("--import <file>", "put such a copy into this edge, which goes on with it; its own accounts are set aside")
    .option("--root", "print the certificate of the edge's own authority, for browsers to trust")
    .option(
      "--json",
      "print JSON: names[] {name, stack, kind, issuer, notBefore, notAfter, problem, next, hsts}, alarms[]",
    )
    .addHelpText("after", "\nExits with 1 while there is an alarm.")
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<CertificatesOptions>();
      const { certificates } = await import("./show.ts");
      process.exitCode = await certificates(options);
    });
  edge
    .command("logs")
    .argument("[role]", "edge, certificates or all", "all")
    .description("show what nginx and the keeper of the certificates say")
    .option(...STACK)
    .option("-f, --follow", "keep printing new lines")
    .option("--tail <lines>", "how many lines of each, or all", "100")
    .option("--since <time>", "only what is newer: 10m, 2026-01-31T12:00:00Z")
    .action(async (role: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<{ stack?: string; follow?: true; tail: string; since?: string }>();
      const [{ showLogs }, { openEdge }] = await Promise.all([import("../logs/run.ts"), import("./target.ts")]);
      const { session } = await openEdge(options.stack);
      process.exitCode = await showLogs(role, { ...options, stack: session.stack });
    });
  edge
    .command("down")
    .description("remove the edge, where no stack is behind it; its accounts and certificates stay")
    .option(...STACK)
    .option("-y, --yes", "don't ask; needed without a terminal")
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<DownOptions>();
      const { down } = await import("./down.ts");
      process.exitCode = await down(options);
    });
}
