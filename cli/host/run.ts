import { join } from "node:path";
import { COMMANDS, isRemote } from "../shared/connection.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { pathsOf } from "../shared/project.ts";
import { foreground } from "../shared/signals.ts";
import { selectedStack, settingAt, stackConfig } from "../shared/stack.ts";
import { ask, onTerminal, type Painter, painter } from "../shared/ui.ts";
import { judgeHost } from "./checks.ts";
import { gatherHost, type HostFacts, type Wanted } from "./facts.ts";
import { scriptOf, tasksFor } from "./prepare.ts";
import type { HostCheck, Verdict } from "./verdict.ts";

export interface HostOptions {
  readonly stack?: string;
  readonly json?: true;
  readonly yes?: true;
}

interface Looked {
  readonly facts: HostFacts;
  readonly checks: readonly HostCheck[];
}

/**
 * Where to look, and what the stack wants of it. Needs no engine: a host is looked at before there is anything else.
 */
function subject(
  address: string | undefined,
  { stack: named }: HostOptions,
): { readonly host: string | undefined; readonly wanted: Wanted } {
  if (address !== undefined && !/^(ssh:\/\/[^\s/].*|unix:\/\/\/.+)$/.test(address)) {
    throw new CliError({
      what: `"${address}" is no address of a Docker host`,
      remedy: "ssh://user@host, as in: ./drydock host check ssh://deploy@shop.example.com",
      code: Exit.usage,
    });
  }
  const paths = pathsOf();
  const config = stackConfig(paths, named ?? selectedStack(paths, process.env) ?? "local");
  const given = address ?? settingAt(config, "docker.host") ?? process.env.DOCKER_HOST;
  const [port, own] = [settingAt(config, "proxy.port"), settingAt(config, "proxy.interface")];
  return {
    host: typeof given === "string" ? given : undefined,
    wanted: { port: typeof port === "number" ? port : 8080, interface: typeof own === "string" ? own : "127.0.0.1" },
  };
}

async function look(host: string | undefined, wanted: Wanted): Promise<Looked> {
  if (host?.startsWith("tcp://") === true) {
    throw new CliError({
      what: `${host} is reached without a shell, so nothing can be asked of it`,
      remedy: "./drydock host check ssh://user@host",
      code: Exit.usage,
    });
  }
  const facts = await gatherHost(host, wanted);
  return { facts, checks: judgeHost(facts, wanted) };
}

/** Returns the exit code. */
export async function check(address: string | undefined, options: HostOptions): Promise<number> {
  const { host, wanted } = subject(address, options);
  const { facts, checks } = await look(host, wanted);
  if (options.json) process.stdout.write(`${JSON.stringify({ host: facts.host, checks }, null, 2)}\n`);
  else process.stdout.write(`${hostLines(checks, painter(process.stdout), address)}\n`);
  return checks.some(({ verdict }) => verdict === "broken") ? Exit.failed : Exit.ok;
}

/** Returns the exit code: of what is there afterwards. */
export async function prepare(address: string | undefined, options: HostOptions): Promise<number> {
  const { host, wanted } = subject(address, options);
  const { facts, checks } = await look(host, wanted);
  const tasks = tasksFor(facts, checks);
  if (tasks.length > 0) {
    process.stderr.write(
      `On ${facts.host} (${facts.system.name}), as root:\n${tasks.map(({ what }) => `  - ${what}\n`).join("")}`,
    );
    if (options.yes !== true) {
      if (!onTerminal())
        throw new CliError({
          what: "not done without confirmation, and there is no terminal to ask on",
          remedy: `./drydock host prepare${address === undefined ? "" : ` ${address}`} --yes`,
          code: Exit.refused,
        });
      if (!/^y(es)?$/i.test(await ask("Do this? (yes/no) ")))
        throw new CliError({ what: "not confirmed; nothing was changed", code: Exit.refused });
    }
    await runAsRoot(host, facts, scriptOf(tasks));
  }
  return await check(address, options);
}

/** @throws CliError where it fails, or sudo wants a password that nobody can type */
async function runAsRoot(host: string | undefined, { user, host: name }: HostFacts, script: string): Promise<void> {
  if (user.sudo === "asks" && !onTerminal()) {
    throw new CliError({
      what: `sudo asks ${user.name} of ${name} for a password, and there is no terminal to type it on`,
      remedy: "run this on a terminal, or as root: ./drydock host prepare ssh://root@HOST --yes",
      code: Exit.refused,
    });
  }
  const sudo = user.sudo === "root" ? "" : "sudo ";
  // As a word, so that a terminal is left for sudo's question; one that every login shell reads in the same way.
  const word = Buffer.from(script).toString("base64");
  const command = `exec ${sudo}sh -c 'eval "$(printf %s "$0" | base64 -d)"' ${word}`;
  const code = isRemote(host)
    ? await foreground(join(COMMANDS, "drydock-connection"), [
        "login",
        host,
        onTerminal() ? "no" : "yes",
        command,
        ...(user.sudo === "asks" ? ["-t"] : []),
      ])
    : await foreground("sh", ["-c", command]);
  if (code !== 0)
    throw new CliError({
      what: `${name} could not be prepared (what it said is above)`,
      remedy: "put right what it complains about; the same command goes on from there",
    });
}

const WORDS: Readonly<Record<Verdict, readonly [string, "green" | "red" | "yellow"]>> = {
  fine: ["fine", "green"],
  advice: ["advice", "yellow"],
  broken: ["broken", "red"],
  unknown: ["can't be judged", "yellow"],
};

/** One line a check with what was seen; below it what puts it right. */
function hostLines(checks: readonly HostCheck[], paint: Painter, address?: string): string {
  const width = Math.max(...checks.map(({ title }) => title.length));
  const lines = checks.flatMap(({ title, verdict, detail, remedy = "", prepared }) => {
    const [word, colour] = WORDS[verdict];
    const remedies = remedy === "" ? [] : remedy.split("\n");
    return [
      `${title.padEnd(width)}  ${paint(colour, word)}: ${detail}`,
      ...remedies.map((line, index) => `    ${index === 0 ? "remedy:" : "       "} ${line}`),
      ...(prepared === true && remedy !== "" && !remedy.startsWith("./drydock host prepare")
        ? [`            or ./drydock host prepare${address === undefined ? "" : ` ${address}`}`]
        : []),
    ];
  });
  const count = (verdict: Verdict): number => checks.filter((one) => one.verdict === verdict).length;
  return [
    ...lines,
    "",
    `${count("fine")} fine, ${count("advice")} with advice, ` +
      `${count("broken")} broken, ${count("unknown")} can't be judged`,
  ].join("\n");
}
