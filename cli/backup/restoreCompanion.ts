import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";
import { COMPANION, FOLDERS, RESTORES_BESIDE } from "../../contracts/agent.ts";
import { confined } from "../shared/confined.ts";
import type { Docker } from "../shared/docker.ts";
import { CliError } from "../shared/errors.ts";
import type { Deployed } from "../shared/services.ts";
import { type BackupHost, containerOf, type Inspection, volumeAt } from "./agent.ts";

interface Running extends Inspection {
  readonly HostConfig: { readonly Memory: number; readonly NanoCpus: number };
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly Aliases?: readonly string[] | null }>>;
  };
}

/**
 * The companion of one restore: as the stack's own, but with the database's volume to write to, so that what it makes
 * lies beside the live files. It is there as long as this process, and is gone with it.
 */
export interface Companion {
  /** Its name for the agent; the stack's own companion is `restore`. */
  readonly alias: string;
  /** Until it answers. */
  readonly ready: Promise<void>;
  /** A shell script in it, as the database's user. */
  run(script: string, args: readonly string[]): Promise<string>;
  remove(): Promise<void>;
}

export const companionName = (deployed: Deployed): string => `${containerOf(deployed, "restore")}-beside`;

/** Begins to start it. */
export function startCompanion(host: BackupHost): Companion {
  const { docker, deployed } = host;
  const name = companionName(deployed);
  // Of this restore alone: one that was killed may have left one for some seconds.
  const alias = `restore-${randomBytes(4).toString("hex")}`;
  const ready = start(host, name, alias);
  ready.catch(() => undefined); // said by whoever waits for it
  return {
    alias,
    ready,
    run: async (script, args) => {
      await ready;
      return await succeeded(docker, ["exec", name, "sh", "-c", script, "restore", ...args]);
    },
    remove: async () => {
      await ready.catch(() => undefined);
      await docker.run(["rm", "--force", "--volumes", name]);
    },
  };
}

async function start({ docker, deployed, session }: BackupHost, name: string, alias: string): Promise<void> {
  const own = containerOf(deployed, "restore");
  const docked = async (...args: readonly string[]): Promise<string> => await succeeded(docker, args);
  const [inspected, secrets] = await Promise.all([
    docked("inspect", own),
    docked("cp", `${own}:/run/drydock`, "-"),
    docker.run(["rm", "--force", "--volumes", name]),
  ]);
  const [container] = JSON.parse(inspected) as [Running];
  const { Config, HostConfig, NetworkSettings } = container;
  const [volume, kept] = [volumeAt(container, FOLDERS.database), volumeAt(container, FOLDERS.restore)];
  const network = Object.entries(NetworkSettings.Networks).find(
    ([, { Aliases }]) => Aliases?.includes("restore") === true,
  )?.[0];
  if (volume === "" || kept === "" || network === undefined)
    throw new CliError({
      what:
        `the companion ${own} is not as it was deployed: ` +
        "it has " +
        (volume === ""
          ? "no volume of the database"
          : kept === ""
            ? "no volume for restores"
            : "no network to the agent"),
      remedy: "./drydock up",
    });
  await docked(
    "create",
    "--rm",
    "--interactive",
    "--log-driver",
    "json-file",
    "--log-opt",
    "max-size=10m",
    "--init",
    "--name",
    name,
    ...confined({ user: Config.User, stack: session.stack, network, pids: 1024 }),
    "--network-alias",
    alias,
    "--mount",
    `type=volume,source=${volume},target=${FOLDERS.database},volume-nocopy`,
    "--mount",
    `type=volume,source=${kept},target=${FOLDERS.restore},readonly,volume-nocopy`,
    "--memory",
    String(HostConfig.Memory),
    "--memory-swap",
    String(HostConfig.Memory),
    "--cpus",
    String(HostConfig.NanoCpus / 1e9),
    "--tmpfs",
    "/tmp:size=64m,mode=1777",
    "--env",
    `${COMPANION.restores}=${RESTORES_BESIDE}`,
    Config.Image,
    "companion",
  );
  // Secrets go from container to container, on no command line and in no file.
  await succeeded(docker, ["cp", "-", `${name}:/run`], secrets);
  await started(docker, name);
}

/**
 * It ends when its standard input does, so that one whose command line was killed is not left behind; it is of another
 * process group, so that Ctrl-C is not for it.
 */
async function started({ env }: Docker, name: string): Promise<void> {
  const child = spawn("docker", ["start", "--attach", "--interactive", name], {
    env,
    stdio: ["pipe", "pipe", "pipe"],
    detached: true,
  });
  let said = "";
  child.stdin.on("error", () => undefined);
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000);
  });
  await new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      reject(new CliError({ what: `the companion of this restore ended at once (exit code ${code}): ${said.trim()}` })),
    );
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line === "listening") resolve();
    });
  });
}

async function succeeded(docker: Docker, args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await docker.run(args, input === undefined ? {} : { input });
  if (code !== 0) throw new CliError({ what: `docker ${args[0]}: ${stderr.trim() || `exit code ${code}`}` });
  return stdout;
}
