import { spawn } from "node:child_process";
import { closeSync, type Dirent, lstatSync, openSync, readdirSync, readlinkSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { PassThrough } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type BackupHost, backupHost, containerOf, type Inspection } from "../backup/agent.ts";
import { bytes } from "../backup/format.ts";
import { type FilesPlace, filesPlaces, storagePlace } from "../backup/places.ts";
import { Progress } from "../backup/progress.ts";
import { inFiles, keptIn, swapFiles, unpackFiles } from "../backup/restoreFiles.ts";
import { underRestoreLock } from "../backup/resume.ts";
import { shown, shownName } from "../backup/shown.ts";
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
  /** Links that lead out of it: copied as what they are, without what is there. */
  readonly outward: readonly string[];
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
          if (found.outward.length > 0)
            progress.say(
              `${found.outward.length} link${found.outward.length === 1 ? " leads" : "s lead"} out of ` +
                `${shownName(dir)}, such as ${found.outward[0]}: copied as links, without what they lead to`,
              "warn",
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

type Wrong = (what: string, remedy: string) => CliError;

/**
 * All of it, before anything is copied: what can't be read, or can't be kept, is said by its name.
 * @throws CliError (usage) where it is no folder that can be the application's storage/app
 */
export function look(dir: string): Folder {
  const wrong: Wrong = (what, remedy) =>
    new CliError({ what: `${what}; nothing was changed`, remedy, code: Exit.usage });
  const at = shownName(dir);
  let top: string[];
  try {
    top = readdirSync(dir);
  } catch (error) {
    throw wrong(`${at} can't be read: ${(error as NodeJS.ErrnoException).code}`, "./drydock import files DIR");
  }
  if (top.includes("app") && top.includes("framework"))
    throw wrong(`${at} is Laravel's whole storage folder`, `./drydock import files ${shownName(join(dir, "app"))}`);
  const ours = top.filter((name) => name.startsWith(".drydock-"));
  if (ours.length > 0)
    throw wrong(`${at} has ${ours.map(shownName).join(", ")}, names that restores use`, "leave those out");
  const folder = { files: 0, bytes: 0, outward: [] as string[] };
  walk(Buffer.from(dir), Buffer.alloc(0), folder, wrong);
  return folder;
}

/** Names are bytes: not all of them are text. @param below the path from the folder on */
function walk(
  root: Buffer,
  below: Buffer,
  folder: { files: number; bytes: number; outward: string[] },
  wrong: Wrong,
): void {
  const whole = (path: Buffer): Buffer => Buffer.concat([root, SLASH, path]);
  const readable = <T>(path: Buffer, read: (path: Buffer) => T): T => {
    try {
      return read(path);
    } catch (error) {
      throw wrong(
        `${shownName(path.toString())} can't be read: ${(error as NodeJS.ErrnoException).code}`,
        "run the command as a user who may read all of it",
      );
    }
  };
  const entries = readable(
    whole(below),
    (path) => readdirSync(path, { withFileTypes: true, encoding: "buffer" }) as Dirent<NonSharedBuffer>[],
  );
  for (const entry of entries) {
    const path = Buffer.concat([below, ...(below.length === 0 ? [] : [SLASH]), entry.name]);
    const at = whole(path);
    if (entry.isDirectory()) walk(root, path, folder, wrong);
    else if (entry.isFile()) {
      readable(at, (file) => closeSync(openSync(file, "r")));
      folder.files++;
      folder.bytes += lstatSync(at).size;
    } else if (entry.isSymbolicLink()) {
      if (leadsOut(path, readlinkSync(at, { encoding: "buffer" }))) folder.outward.push(shownName(path.toString()));
    } else
      throw wrong(
        `${shownName(at.toString())} is neither a file nor a folder`,
        "remove it, or copy the folder without it",
      );
  }
}

const SLASH = Buffer.from("/");

/** Whether a link leads out of the folder that it is copied with; each byte is one sign. */
function leadsOut(path: Buffer, target: Buffer): boolean {
  const [from, to] = [path, target].map((one) => one.toString("latin1")) as [string, string];
  const end = posix.join(posix.dirname(from), to);
  return posix.isAbsolute(to) || end === ".." || end.startsWith("../");
}

/** As tar, which keeps names, modes and times; whose files they were is left behind. */
export async function send(
  dir: string,
  { bytes: total }: Pick<Folder, "bytes">,
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
        : reject(
            new CliError({
              what: `tar: ${shown(said.trim()) || `exit code ${code}`}; the live files were not touched`,
            }),
          ),
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
