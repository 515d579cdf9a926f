import { DEFAULT_HOST } from "../../lib/dockerEngine.ts";
import { CliError } from "../shared/errors.ts";
import { startDaemon } from "./docker-daemon.ts";
import { aptInstall, cannotInstall } from "./docker-install.ts";
import { type Finished, run, tail } from "./docker-run.ts";
import { requireVersion, VERSION } from "./docker-version.ts";

export interface EnsureDockerOptions {
  readonly log: (line: string) => void;
  /**
   * `unix://`, `tcp://` or `ssh://`. @default DOCKER_HOST, else the docker client's current context, else the default
   * socket
   */
  readonly host?: string;
}

export interface DockerReady {
  /** The engine that answers, in the form of DOCKER_HOST. */
  readonly host: string;
  readonly installed: boolean;
  readonly started: boolean;
}

/** What asking the engine for its version said about it. */
export type Answer = "answers" | "no client" | "not permitted" | "silent";

export function readAnswer({ code, output }: Pick<Finished, "code" | "output">): Answer {
  if (code === 0) return "answers";
  if (code === 127) return "no client";
  return /permission denied/i.test(output) ? "not permitted" : "silent";
}

/** Only the engine behind this machine's default socket is ours to install and to start. */
export function isOurs(host: string): boolean {
  return ["unix:///var/run/docker.sock", "unix:///run/docker.sock"].includes(host);
}

/**
 * Makes sure that a Docker engine answers, and that there is a client to talk to it. One that answers is used as it is;
 * on Debian, as root, a missing one is installed and a stopped one started. An engine elsewhere is only asked.
 *
 * The client is the `docker` on PATH, whichever it is: nothing in this project needs more than what Debian's and
 * Docker's own have in common.
 * @throws CliError
 */
export async function ensureDocker({ log, host: asked }: EnsureDockerOptions): Promise<DockerReady> {
  const host = asked ?? (await currentHost());
  const ask = (): Promise<Finished> => run("docker", ["--host", host, ...VERSION], { timeout: 20_000 });
  const answers = async (): Promise<boolean> => readAnswer(await ask()) === "answers";

  let said = await ask();
  let answer = readAnswer(said);
  if (answer === "answers") {
    requireVersion(host, said.stdout);
    return { host, installed: false, started: false };
  }
  if (answer === "not permitted") {
    throw new CliError({
      what: `the Docker engine at ${host} refuses this user`,
      remedy: 'sudo usermod -aG docker "$USER" && newgrp docker',
    });
  }
  if (!isOurs(host)) throw elsewhere(host, answer, said);

  const engineHere = (await run("sh", ["-c", "command -v dockerd"])).code === 0;
  const obstacle = cannotInstall();
  let installed = false;
  if (answer === "no client" || !engineHere) {
    if (obstacle !== undefined) {
      throw new CliError({
        what: `no Docker engine answers at ${host}, and ${obstacle}, so none can be installed from here`,
        remedy:
          "on Debian: sudo apt-get update && sudo apt-get install docker.io\nelsewhere: " +
          "see https://docs.docker.com/engine/install/, then run this again",
      });
    }
    log("no Docker Engine here: installing Debian's (about a minute)");
    await aptInstall(["docker.io", "iptables", "ca-certificates"], { log, optional: ["docker-cli"] });
    installed = true;
    said = await ask();
    answer = readAnswer(said);
    if (answer === "answers") return { host, installed, started: true };
  } else if (process.getuid?.() !== 0) {
    throw new CliError({
      what:
        `Docker is installed but doesn't answer at ${host}, and this user is not root, ` +
        "so it can't be started from here",
      remedy: "sudo systemctl start docker",
    });
  }
  await startDaemon({ log, answers });
  return { host, installed, started: true };
}

async function currentHost(): Promise<string> {
  if (process.env.DOCKER_HOST) return process.env.DOCKER_HOST;
  const context = await run("docker", ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]);
  const host = context.stdout.trim();
  return context.code === 0 && host !== "" ? host : DEFAULT_HOST;
}

function elsewhere(host: string, answer: Answer, said: Finished): CliError {
  if (answer === "no client") {
    return new CliError({
      what: `there is no docker client on PATH to reach ${host}`,
      remedy: "sudo apt-get update && sudo apt-get install docker.io",
    });
  }
  return new CliError({
    what:
      `no Docker engine answers at ${host} (only one on this machine's default socket is installed or started from ` +
      `here)\n${tail(said.output, 5)}`,
    remedy: `docker --host ${host} version`,
  });
}
