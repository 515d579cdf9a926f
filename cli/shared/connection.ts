import { execFileSync, spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { defined } from "../../lib/defined.ts";
import { hear } from "./child.ts";
import { CliError } from "./errors.ts";
import { ROOT } from "./project.ts";
import { onTerminal } from "./ui.ts";

/**
 * The `ssh` and the `docker` that share one connection to each Docker host, and the command that opens and closes it.
 */
export const COMMANDS = join(ROOT, "cli", "host", "bin");
const COMMAND = join(COMMANDS, "drydock-connection");

/** A PATH on which these commands stand before those that they call. */
export function withCommands(path = ""): string {
  return [COMMANDS, ...path.split(delimiter).filter((folder) => folder !== COMMANDS)].join(delimiter);
}

export const isRemote = (host: string | undefined): host is string => host?.startsWith("ssh://") === true;

/** The socket that a Docker host's address names; empty where it names none, and the client's own choice holds. */
export const socketOf = (host = ""): string => /^(?:ssh:\/\/[^/]*|unix:\/\/)(\/.+)$/.exec(host)?.[1] ?? "";

/** Hosts that this process has a part in the connection of. */
const open = new Map<string, Promise<void>>();
/** The process that carries it, as `drydock-connection` names it. */
const carriers = new Map<string, string>();

/**
 * Opens the connection to a Docker host over ssh, where it is not there; any other host needs none. ssh may ask on a
 * terminal (for the passphrase of a key, or whether a host is known). It is closed at the end of this process, if no
 * other uses it.
 * @throws CliError that says what is in the way: the host, its key, the user's key, the group, Docker
 */
export function connect(host: string | undefined, env: NodeJS.ProcessEnv = process.env): Promise<void> {
  if (!isRemote(host)) return Promise.resolve();
  const known = open.get(host);
  if (known !== undefined) return known;
  const opening = begin(host, env);
  open.set(host, opening);
  opening.catch(() => open.delete(host));
  return opening;
}

async function begin(host: string, env: NodeJS.ProcessEnv): Promise<void> {
  const own = String(process.pid);
  const batch = onTerminal() ? "no" : "yes";
  const child = spawn(COMMAND, ["open", host, own, batch], { env, stdio: ["ignore", "pipe", "pipe"] });
  const { code, stdout, stderr } = await hear(child);
  if (code !== 0) throw refusal(stderr);
  carriers.set(host, stdout.trim().split("\n")[1] ?? "");
  process.once("exit", () => {
    try {
      execFileSync(COMMAND, ["close", host, own], { env, stdio: "ignore" });
    } catch {
      /* it closes by itself */
    }
  });
}

/**
 * Why a command that failed may have: a connection that it used is not there any more, or is another one by now.
 * Undefined where all are as they were.
 */
export function brokenConnection(): CliError | undefined {
  for (const [host, carrier] of carriers) {
    try {
      execFileSync(COMMAND, ["holds", host, carrier], { stdio: "ignore" });
    } catch {
      return new CliError({
        what: `the connection to ${host} broke`,
        remedy:
          "the same command again: it goes on from there (how things stand: ./drydock status)\n" +
          "if it breaks again: ssh -v to that host, and its journal (journalctl -u ssh)",
      });
    }
  }
  return undefined;
}

/** What the command said, as a person reads it. */
export function refusal(said: string): CliError {
  const [what = "", remedy] = said.trim().split(/^remedy: /m);
  return new CliError({ what: what.trim(), ...defined({ remedy }) });
}
