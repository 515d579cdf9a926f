import { spawn } from "node:child_process";
import { type Dirent, lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type BackupHost, backupHost, containerOf, type Inspection } from "../backup/agent.ts";
import { bytes } from "../backup/format.ts";
import { type FilesPlace, filesPlaces, storagePlace } from "../backup/places.ts";
import { Progress } from "../backup/progress.ts";
import { inFiles, keptIn, swapFiles, unpackFiles } from "../backup/restoreFiles.ts";
import { underRestoreLock } from "../backup/resume.ts";
import { shownName } from "../backup/shown.ts";
import type { Say } from "../backup/swap.ts";
import { Unsettled } from "../backup/unsettled.ts";
import { withoutWriters } from "../backup/writers.ts";
import { audited } from "../shared/audit.ts";
import { CliError, Exit } from "../shared/errors.ts";
import { takeLock } from "../shared/locks.ts";
import { select } from "../shared/project.ts";
import { backUpImport, type ImportOptions, mayReplace } from "./common.ts";

export interface FilesOptions extends ImportOptions {
  readonly backup: boolean;
  /** A folder of app.persistent instead of storage/app. */
  readonly folder?: string;
}

interface Folder {
  readonly files: number;
  readonly bytes: number;
  /** Neither files nor folders nor links: sockets, pipes, devices. */
  readonly others: readonly string[];
}

/** Puts a folder's files in the place of storage/app, or of a folder of app.persistent. Returns the exit code. */
export async function importFiles(dir: string, options: FilesOptions): Promise<number> {
  const found = look(dir);
  const host = await backupHost(options.stack);
  const { stack, paths } = host.session;
  const into = options.folder ?? "storage/app";
  return await audited(host.session, "import", ["files", ...(options.folder === undefined ? [] : [into])], async () => {
    const clone = takeLock(paths.lock(stack), stack);
    const progress = new Progress();
    const say: Say = (line, level) => progress.say(line, level);
    try {
      const previous = await underRestoreLock(
        host,
        { purpose: "import", about: "an import of files", say },
        async (lock) => {
          const place = await placeFor(host, options.folder);
          const live = Number(await inFiles(host, place, "count"));
          await mayReplace(
            host,
            `the ${found.files} files of ${dir}`,
            live === 0 ? "" : `${live} file${live === 1 ? "" : "s"} in ${into}`,
            options,
            progress,
          );
          progress.say(`copying ${found.files} files (${bytes(found.bytes)}) beside the live ones`);
          const count = await unpackFiles(host, place, (to) => send(dir, found, to, progress));
          if (count !== found.files) {
            await inFiles(host, place, "clear");
            throw new CliError({
              what: `${count} files arrived instead of ${found.files}; the live ones were not touched`,
              remedy: "let nobody write into that folder meanwhile, and run the command again",
            });
          }
          await inFiles(host, place, "adopt", ...((await isPublic(host, place)) ? ["."] : []));
          let name = "";
          await withoutWriters(host, say, { lock }, async () => {
            name = await swapFiles(host, place).catch((error: CliError) => {
              throw new Unsettled(`the files could not be put in place: ${error.what}`);
            });
          });
          return keptIn(place, name);
        },
      );
      if (options.backup) await backUpImport(host, progress);
      if (options.json)
        process.stdout.write(`${JSON.stringify({ stack, files: found.files, bytes: found.bytes, previous })}\n`);
      else
        process.stdout.write(
          `Imported ${found.files} files (${bytes(found.bytes)}) into ${into}; they belong to the application's ` +
            `user.\nWhat was there before is kept as ${previous}. When nobody needs it any more: ` +
            `./drydock backup restore --forget-previous${select(stack)}\n`,
        );
      return Exit.ok;
    } finally {
      progress.end();
      clone.release();
    }
  });
}

/** @throws CliError (usage) where the stack has no such folder */
async function placeFor(host: BackupHost, folder: string | undefined): Promise<FilesPlace> {
  if (folder === undefined) return await storagePlace(host);
  const folders = (await filesPlaces(host)).filter(({ of }) => of?.kind === "folder");
  const found = folders.find(({ of }) => of!.name === folder);
  if (found !== undefined) return found;
  const known = folders.map(({ of }) => of!.name).join(", ");
  throw new CliError({
    what: `the stack keeps no folder ${shownName(folder)} that is backed up; nothing was changed`,
    remedy: known === "" ? "add it to drydock:app.persistent, and deploy" : `those that it keeps: ${known}`,
    code: Exit.usage,
  });
}

/** Whether nginx serves all of it: then it has it, too. */
async function isPublic({ docker, deployed }: BackupHost, { of, volume }: FilesPlace): Promise<boolean> {
  if (of === undefined) return false;
  const { code, stdout } = await docker.run(["inspect", containerOf(deployed, "proxy")]);
  const [proxy] = code === 0 ? (JSON.parse(stdout) as [Inspection]) : [];
  return proxy?.Mounts.some(({ Name }) => Name === volume) === true;
}

/** @throws CliError (usage) where it is no folder that can be the application's storage/app */
function look(dir: string): Folder {
  const wrong = (what: string, remedy: string): CliError =>
    new CliError({ what: `${what}; nothing was changed`, remedy, code: Exit.usage });
  let top: string[];
  try {
    top = readdirSync(dir);
  } catch (error) {
    throw wrong(`${dir} can't be read: ${(error as Error).message}`, "./drydock import files DIR");
  }
  if (top.includes("app") && top.includes("framework"))
    throw wrong(`${dir} is Laravel's whole storage folder`, `./drydock import files ${join(dir, "app")}`);
  const ours = top.filter((name) => name.startsWith(".drydock-"));
  if (ours.length > 0)
    throw wrong(`${dir} has ${ours.map(shownName).join(", ")}, names that restores use`, "leave those out");
  const folder = { files: 0, bytes: 0, others: [] as string[] };
  walk(Buffer.from(dir), folder, wrong);
  return folder;
}

/** Names are bytes: not all of them are text. */
function walk(
  path: Buffer,
  folder: { files: number; bytes: number; others: string[] },
  wrong: (what: string, remedy: string) => CliError,
): void {
  let entries: Dirent<Buffer>[];
  try {
    entries = readdirSync(path, { withFileTypes: true, encoding: "buffer" }) as unknown as Dirent<Buffer>[];
  } catch (error) {
    throw wrong(
      `${shownName(path.toString())} can't be read: ${(error as NodeJS.ErrnoException).code}`,
      "run the command as a user who may read all of it",
    );
  }
  for (const entry of entries) {
    const at = Buffer.concat([path, Buffer.from("/"), entry.name as unknown as Buffer]);
    if (entry.isDirectory()) walk(at, folder, wrong);
    else if (entry.isFile()) {
      folder.files++;
      folder.bytes += lstatSync(at).size;
    } else if (!entry.isSymbolicLink()) folder.others.push(shownName(at.toString()));
  }
  if (folder.others.length > 0)
    throw wrong(`${folder.others[0]} is neither a file nor a folder`, "remove it, or copy the folder without it");
}

/** As tar, which keeps names, modes and times; whose files they were is left behind. */
async function send(
  dir: string,
  { bytes: total }: Folder,
  to: NodeJS.WritableStream,
  progress: Progress,
): Promise<void> {
  if (!statSync(dir).isDirectory()) throw new CliError({ what: `${dir} is no folder`, code: Exit.usage });
  const child = spawn("tar", ["-C", dir, "-cf", "-", "."], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-1000);
  });
  const ended = new Promise<void>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0
        ? resolve()
        : reject(new CliError({ what: `tar: ${said.trim() || `exit code ${code}`}; the live files were not touched` })),
    );
  });
  const counted = new PassThrough();
  let done = 0;
  counted.on("data", (chunk: Buffer) =>
    progress.on({
      event: "progress",
      step: "load",
      done: Math.min((done += chunk.length), total),
      total,
      unit: "bytes",
    }),
  );
  await Promise.all([pipeline(child.stdout, counted, to), ended]);
}
