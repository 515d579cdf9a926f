import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Entry } from "../../contracts/agent.ts";
import { CliError } from "../shared/errors.ts";
import { ROOT } from "../shared/project.ts";
import { ask, type BackupHost, type Inspection, volumeAt } from "./agent.ts";
import { bytes } from "./format.ts";
import { onVolume } from "./oneOff.ts";
import type { Progress } from "./progress.ts";
import { stamp } from "./restoreDatabase.ts";

const script = (): string => readFileSync(join(ROOT, "commands/inside/restore-files.sh"), "utf8");

/**
 * The arguments of a one-off container on the volume of the application's files, as the application's user: see
 * commands/inside/restore-files.sh.
 */
async function onFiles(
  { docker, agent, session }: Pick<BackupHost, "docker" | "agent" | "session">,
  args: readonly string[],
): Promise<string[]> {
  const { code, stdout, stderr } = await docker.run(["inspect", agent]);
  if (code !== 0) throw new CliError({ what: `the backup agent ${agent} can't be inspected: ${stderr.trim()}` });
  const [inspection] = JSON.parse(stdout) as [Inspection];
  return onVolume({
    like: inspection,
    stack: session.stack,
    volume: volumeAt(inspection, "/storage"),
    at: "/files",
    script: script(),
    args,
  });
}

/** Runs one verb of that script. */
export async function inFiles(
  host: Pick<BackupHost, "docker" | "agent" | "session">,
  ...args: readonly string[]
): Promise<string> {
  const { code, stdout, stderr } = await host.docker.run(await onFiles(host, args));
  if (code !== 0)
    throw new CliError({
      what: `the application's files: ${stderr.trim()}`,
      remedy: "./drydock backup restore --resume",
    });
  return stdout.trim();
}

/**
 * Unpacks files from a stream of tar beside the live ones. Answers how many there are; nothing stays where it fails.
 */
export async function unpackFiles(
  host: Pick<BackupHost, "docker" | "agent" | "session">,
  send: (to: import("node:stream").Writable) => Promise<unknown>,
): Promise<number> {
  const child = spawn("docker", await onFiles(host, ["unpack"]), {
    env: host.docker.env,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let [said, complained] = ["", ""];
  child.stdin.on("error", () => undefined);
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    complained = (complained + chunk.toString()).slice(-2000);
  });
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
  try {
    await send(child.stdin);
  } catch (error) {
    child.stdin.destroy();
    await ended;
    throw error;
  }
  if ((await ended) !== 0)
    throw new CliError({
      what: `the files could not be unpacked: ${complained.trim()}; the live ones were not touched`,
    });
  return Number(said.trim());
}

/** Unpacks a backup's files beside the live ones, and counts them. */
export async function filesBeside(host: BackupHost, entry: Entry, progress: Progress): Promise<void> {
  const { files } = entry;
  if (files === undefined) throw new CliError({ what: `backup ${entry.id} holds no files` });
  progress.say(`unpacking ${files.count} files (${bytes(files.bytes)}) beside the live ones`);
  const count = await unpackFiles(host, (to) => ask(host, "files", [entry.id], { on: progress.on, data: to }));
  if (count === files.count) return;
  await inFiles(host, "clear");
  throw new CliError({
    what: `${count} files were unpacked instead of ${files.count}; the live ones were not touched`,
    remedy: `./drydock backup verify ${entry.id}`,
    code: 4,
  });
}

/** Puts them in the live ones' place, while nobody writes. Answers the folder that has what was there. */
export async function swapFiles(host: Pick<BackupHost, "docker" | "agent" | "session">): Promise<string> {
  const name = `.drydock-before-${stamp()}`;
  await inFiles(host, "swap", name);
  return name;
}
