import { spawn } from "node:child_process";
import type { Entry } from "../../backup/protocol.ts";
import { CliError } from "../errors.ts";
import { ask, volumeAt, type BackupHost, type Inspection } from "./agent.ts";
import type { Progress } from "./progress.ts";
import { stamp } from "./restoreDatabase.ts";
import { bytes } from "./words.ts";

/** Names of restores' folders in the volume; no file of the application's is called so. */
const FOLDER = { next: ".drydock-restore", before: ".drydock-before" } as const;

/** Unpacks into a folder beside the live files; it is either whole or taken away. */
const UNPACK = `set -eu; umask 077; cd /files; rm -rf ${FOLDER.next}; mkdir ${FOLDER.next}
tar --extract --same-permissions --directory ${FOLDER.next} || { rm -rf ${FOLDER.next}; exit 1; }
find ${FOLDER.next} -type f | wc -l`;

/** Renames all of the live files into a folder, and those of the restore into their place. */
const SWAP = `set -eu; cd /files; before=${FOLDER.before}-$1; mkdir "$before"
move() { find "$1" -mindepth 1 -maxdepth 1 ! -name '${FOLDER.next}' ! -name '${FOLDER.before}-*' -exec mv -t "$2" {} +; }
move . "$before"; move ${FOLDER.next} .; rmdir ${FOLDER.next}`;

export const FORGET = `rm -rf /files/${FOLDER.before}-*`;
export const KEPT = `cd /files && ls -d ${FOLDER.before}-* 2>/dev/null || true`;

/** The arguments of a one-off container on the volume of the application's files, as the application's user. */
export async function onFiles({ docker, agent, session }: BackupHost, script: string, args: readonly string[] = []): Promise<string[]> {
  const { code, stdout, stderr } = await docker.run(["inspect", agent]);
  if (code !== 0) throw new CliError({ what: `the backup agent ${agent} can't be inspected: ${stderr.trim()}` });
  const [inspection] = JSON.parse(stdout) as [Inspection];
  const { Config } = inspection;
  return [
    "run", "--rm", "--interactive", "--log-driver", "none", "--network", "none", "--user", Config.User, "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--label", `drydock.stack=${session.stack}`,
    "--mount", `type=volume,source=${volumeAt(inspection, "/storage")},target=/files,volume-nocopy`, "--entrypoint", "sh", Config.Image, "-c", script, "files", ...args,
  ];
}

/** Unpacks a backup's files beside the live ones, counts them, and puts them in place. Answers the folder that has what was there. */
export async function restoreFiles(host: BackupHost, entry: Entry, progress: Progress): Promise<string> {
  const { files } = entry;
  if (files === undefined) throw new CliError({ what: `backup ${entry.id} holds no files` });
  progress.say(`unpacking ${files.count} files (${bytes(files.bytes)}) beside the live ones`);
  const child = spawn("docker", await onFiles(host, UNPACK), { env: host.docker.env, stdio: ["pipe", "pipe", "pipe"] });
  let [said, complained] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => { said += chunk.toString(); });
  child.stderr.on("data", (chunk: Buffer) => { complained = (complained + chunk.toString()).slice(-2000); });
  const ended = new Promise<number>((resolve, reject) => { child.once("error", reject); child.once("close", (code) => resolve(code ?? 1)); });
  try {
    await ask(host, "files", [entry.id], { on: progress.on, data: child.stdin });
  } catch (error) {
    child.stdin.destroy();
    await ended;
    throw error;
  }
  if ((await ended) !== 0) throw new CliError({ what: `the files could not be unpacked: ${complained.trim()}; the live ones were not touched` });
  if (Number(said.trim()) !== files.count) throw new CliError({ what: `${said.trim()} files were unpacked instead of ${files.count}; the live ones were not touched`, remedy: `./drydock backup verify ${entry.id}`, code: 4 });
  const when = stamp();
  const { code, stderr } = await host.docker.run(await onFiles(host, SWAP, [when]));
  if (code !== 0) throw new CliError({ what: `the files could not be put in place: ${stderr.trim()}`, remedy: `what was there is in ${FOLDER.before}-${when} of the volume storage` });
  return `${FOLDER.before}-${when}`;
}
