import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { titleOf } from "../../contracts/agent.ts";
import type { Entry } from "../../contracts/entry.ts";
import { own } from "../../lib/ownNames.ts";
import { CliError } from "../shared/errors.ts";
import { ROOT } from "../shared/project.ts";
import { ask, type BackupHost } from "./agent.ts";
import { bytes } from "./format.ts";
import { onVolume } from "./oneOff.ts";
import type { FilesPlace } from "./places.ts";
import type { Progress } from "./progress.ts";
import { stamp } from "./restoreDatabase.ts";
import { shown } from "./shown.ts";

const script = (): string => readFileSync(join(ROOT, "commands/inside/restore-files.sh"), "utf8");

type Host = Pick<BackupHost, "docker" | "session">;

/** The arguments of a one-off container on a volume, as its user: see commands/inside/restore-files.sh. */
const onFiles = ({ session }: Host, { like, volume }: FilesPlace, args: readonly string[]): string[] =>
  onVolume({ like, stack: session.stack, volume, at: "/files", script: script(), args });

/** Runs one verb of that script. */
export async function inFiles(host: Host, place: FilesPlace, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await host.docker.run(onFiles(host, place, args));
  if (code !== 0)
    throw new CliError({
      what: `${place.title}: ${shown(stderr.trim())}`,
      remedy: "./drydock backup restore --resume",
    });
  return stdout.trim();
}

/**
 * Unpacks files from a stream of tar beside the live ones. Answers how many there are; nothing stays where it fails.
 */
export async function unpackFiles(
  host: Host,
  place: FilesPlace,
  send: (to: import("node:stream").Writable) => Promise<unknown>,
): Promise<number> {
  const child = spawn("docker", onFiles(host, place, ["unpack"]), {
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
    // The archive may have come to its end before its sender said that something is missing.
    await inFiles(host, place, "clear").catch(() => undefined);
    throw error;
  }
  if ((await ended) !== 0)
    throw new CliError({
      what: `${place.title} could not be unpacked: ${shown(complained.trim())}; the live ones were not touched`,
    });
  return Number(said.trim());
}

/** What a backup has of a place. */
export function partOf({ files, volumes = {} }: Entry, { of }: Pick<FilesPlace, "of">): Entry["files"] {
  return of === undefined ? files : own(volumes, titleOf(of));
}

/** Unpacks a backup's files beside the live ones, and counts them. */
export async function filesBeside(
  host: BackupHost,
  place: FilesPlace,
  entry: Entry,
  progress: Progress,
): Promise<void> {
  const { title, of } = place;
  const part = partOf(entry, place);
  if (part === undefined)
    throw new CliError({ what: `backup ${entry.id} holds no ${of === undefined ? "files" : title}` });
  const named = of === undefined ? "" : `${title}: `;
  progress.say(`${named}unpacking ${part.count} files (${bytes(part.bytes)}) beside the live ones`);
  const args = [entry.id, ...(of === undefined ? [] : [`--${of.kind}`, of.name])];
  const count = await unpackFiles(host, place, (to) => ask(host, "files", args, { on: progress.on, data: to }));
  if (count === part.count) return;
  await inFiles(host, place, "clear");
  throw new CliError({
    what: `${named}${count} files were unpacked instead of ${part.count}; the live ones were not touched`,
    remedy: `./drydock backup verify ${entry.id}`,
    code: 4,
  });
}

/** Puts them in the live ones' place, while nobody writes. Answers the folder that has what was there. */
export async function swapFiles(host: Host, place: FilesPlace): Promise<string> {
  const name = `.drydock-before-${stamp()}`;
  await inFiles(host, place, "swap", name);
  return name;
}

/** The name of what was kept, with the place that it is in. */
export const keptIn = ({ of, title }: FilesPlace, name: string): string =>
  of === undefined ? name : `${title}: ${name}`;
