import type { Command } from "commander";
import { STACK, YES } from "../shared/options.ts";
import type { HostOptions } from "./run.ts";

export function register(program: Command): void {
  const host = program
    .command("host")
    .description("say what a Docker host lacks, and get it ready for a stack")
    .option(...STACK)
    .usage("check|prepare [address] [options]")
    .helpCommand(false)
    .addHelpText(
      "after",
      `
Works before anything is deployed, and before Docker is there. docs/remote.md tells what a host needs.

Examples:
  $ ./drydock host check ssh://deploy@shop.example.com
  $ ./drydock host prepare ssh://root@shop.example.com`,
    );

  host
    .command("check")
    .argument("[address]", "ssh://user@host (default: the host of the stack's settings, else this machine)")
    .description("say what a Docker host lacks, and what puts it right; changes nothing")
    .option(...STACK)
    .option(
      "--json",
      "print JSON: host, checks[] {id, title, verdict (fine, advice, broken, unknown), detail, remedy, prepared}",
    )
    .addHelpText(
      "after",
      `
Docker need not be installed there. Exits with 1 when something is broken, not for advice or for what can't be judged.

Examples:
  $ ./drydock host check ssh://deploy@shop.example.com
  $ ./drydock host check -s prod --json | jq -r '.checks[] | select(.verdict == "broken") | .remedy'`,
    )
    .action(async (address: string | undefined, _: unknown, command: Command) => {
      const { check } = await import("./run.ts");
      process.exitCode = await check(address, command.optsWithGlobals<HostOptions>());
    });

  host
    .command("prepare")
    .argument("[address]", "ssh://user@host (default: as of check)")
    .description(
      "put right what check found, on Debian and Ubuntu: Docker, its group, its start at boot, swap, the clock",
    )
    .option(...STACK)
    .option(YES[0], "don't ask; needed without a terminal")
    .addHelpText(
      "after",
      `
Says what it would do and asks. Works as root, or as a user who may use sudo. Disks, ports and firewalls are left to
you: check says what to do.

Examples:
  $ ./drydock host prepare ssh://deploy@shop.example.com
  $ ./drydock host prepare ssh://root@shop.example.com --yes`,
    )
    .action(async (address: string | undefined, _: unknown, command: Command) => {
      const { prepare } = await import("./run.ts");
      process.exitCode = await prepare(address, command.optsWithGlobals<HostOptions>());
    });
}
