import { createHash, type Hash } from "node:crypto";
import {
  closeSync,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  type Stats,
} from "node:fs";
import { join, resolve } from "node:path";
import dockerignore from "@balena/dockerignore";
import { BuildError } from "./spec.ts";

/** What is hardly meant to be sent to a build. */
const LARGE = 100 << 20;

/** What a build's context is. */
export interface BuildContext {
  /** Of all that the build reads: its files, its Dockerfile and its ignore file. */
  readonly hash: string;
  readonly dockerfile: string;
  /** What is possible but hardly meant. */
  readonly warnings: readonly string[];
}

/**
 * Reads what a build reads: path, permissions and content of what the ignore file (the Dockerfile's own, or the
 * folder's) doesn't leave out.
 *
 * @param root the folder, from the project's
 * @param dockerfile from the folder
 * @param secrets files that must not get into the image, by their id
 * @throws BuildError that names the file that can't be read, or be part of an image
 */
export function readContext(
  root: string,
  dockerfile: string,
  secrets: Readonly<Record<string, string>> = {},
): BuildContext {
  if (!existsSync(root)) {
    throw new BuildError(
      `drydock:app.build.context: the folder ${root} does not exist (relative to the project). Set it: ` +
        "pulumi config set --path drydock:app.build.context FOLDER",
    );
  }
  const path = join(root, dockerfile);
  if (!existsSync(path)) {
    throw new BuildError(
      `drydock:app.build.dockerfile: there is no file ${path}. Set it: ` +
        "pulumi config set --path drydock:app.build.dockerfile FILE",
    );
  }
  const ignoreFile = [`${path}.dockerignore`, join(root, ".dockerignore")].find((file) => existsSync(file));
  const rules = ignoreFile === undefined ? "" : readFileSync(ignoreFile, "utf8");
  const text = readFileSync(path, "utf8");
  const hash = createHash("sha256").update(`${text}\0${rules}\0`);
  const warnings: string[] = [];
  for (const { name, stat } of walk(root, rules)) {
    const id = Object.keys(secrets).find((one) => resolve(secrets[one]!) === resolve(root, name));
    if (id !== undefined) throw inside(root, name, id);
    addFile(hash, root, name, stat, warnings);
  }
  return { hash: hash.digest("hex"), dockerfile: text, warnings };
}

/** What is not left out, sorted, without folders; a folder that is left out as a whole is not looked into. */
function* walk(root: string, rules: string): Generator<{ readonly name: string; readonly stat: Stats }> {
  const ignore = dockerignore({ ignorecase: false }).add(rules);
  const exceptions = /^\s*!/m.test(rules);
  const below = function* (folder: string): Generator<{ name: string; stat: Stats }> {
    for (const entry of namesIn(root, folder, folder !== "" && ignore.ignores(folder))) {
      const name = folder === "" ? entry : `${folder}/${entry}`;
      const ignored = ignore.ignores(name);
      if (ignored && !exceptions) continue;
      const stat = lstatSync(join(root, name));
      if (stat.isDirectory()) yield* below(name);
      else if (!ignored) yield { name, stat };
    }
  };
  yield* below("");
}

/** @param ignored it is looked into only for what an exception of the ignore file may take in again */
function namesIn(root: string, folder: string, ignored: boolean): readonly string[] {
  try {
    return readdirSync(join(root, folder)).sort();
  } catch (error) {
    if (ignored) return [];
    throw unreadable(root, folder, (error as NodeJS.ErrnoException).code ?? "");
  }
}

function unreadable(root: string, name: string, why: string): BuildError {
  const what = why.startsWith("is ") ? why : `can't be read (${why})`;
  return new BuildError(
    `drydock:app.build.context: ${join(root, name)} ${what}, so no image can be built with it. ` +
      `Leave it out with a line in ${join(root, ".dockerignore")}: ${name}`,
  );
}

function inside(root: string, name: string, id: string): BuildError {
  return new BuildError(
    `drydock:app.build.secrets.${id}: the file is part of what the build is sent, so a COPY would put it ` +
      `into the image. Leave it out with a line in ${join(root, ".dockerignore")}: ${name}`,
  );
}

function addFile(hash: Hash, root: string, name: string, stat: Stats, warnings: string[]): void {
  const path = join(root, name);
  const line = `a line in ${join(root, ".dockerignore")} leaves it out: `;
  hash.update(`${name}\0${stat.mode & 0o111 ? "x" : "-"}\0`);
  // A link may lead to nowhere: it is one in the image as well.
  if (stat.isSymbolicLink()) return void hash.update(readlinkSync(path));
  if (stat.isSocket()) throw unreadable(root, name, "is a socket");
  if (stat.isFIFO()) throw unreadable(root, name, "is a named pipe");
  if (!stat.isFile()) throw unreadable(root, name, "is a device");
  if (stat.size > LARGE) warnings.push(`${path} has ${stat.size >> 20} MiB, which each preview reads; ${line}${name}`);
  const [first = ""] = name.split("/");
  if ((first === ".git" || first === "node_modules") && !warnings.some((warning) => warning.includes(`/${first} is`)))
    warnings.push(`${join(root, first)} is part of the build, and each preview reads it; ${line}${first}`);
  try {
    addContent(hash, path);
  } catch (error) {
    throw unreadable(root, name, (error as NodeJS.ErrnoException).code ?? "");
  }
}

/** In pieces: a file may be larger than a buffer can be. */
function addContent(hash: Hash, path: string): void {
  const file = openSync(path, "r");
  try {
    const buffer = Buffer.allocUnsafe(1 << 16);
    for (let read = readSync(file, buffer); read > 0; read = readSync(file, buffer))
      hash.update(buffer.subarray(0, read));
  } finally {
    closeSync(file);
  }
}

/** What a line copies from or mounts. */
const FROM = /(?:^\s*(?:COPY|ADD)\s.*?--from=|--mount=\S*?\bfrom=)([^\s,]+)/gi;

/**
 * The images that a Dockerfile builds on or copies from, by other names than its own stages have.
 * @param args build arguments; an ARG before the first FROM has its own default
 */
export function basesOf(dockerfile: string, args: Readonly<Record<string, string>>): readonly string[] {
  const values: Record<string, string> = {};
  const stages = new Set<string>();
  const bases = new Set<string>();
  const filled = (text: string): string =>
    text.replace(
      /\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))/g,
      (_all, name?: string, otherwise?: string, plain?: string) => values[name ?? plain ?? ""] || (otherwise ?? ""),
    );
  const add = (reference: string) => {
    const isImage = !/^(scratch|\d*)$/.test(reference) && !stages.has(reference.toLowerCase());
    if (isImage) bases.add(reference);
  };
  for (const line of dockerfile.replace(/\\\r?\n/g, " ").split("\n")) {
    const [word = "", ...words] = line.trim().split(/\s+/);
    if (/^arg$/i.test(word) && stages.size === 0 && bases.size === 0) {
      const [name = "", value] = (words[0] ?? "").split(/=(.*)/s);
      values[name] = args[name] ?? value?.replace(/^["']|["']$/g, "") ?? "";
    } else if (/^from$/i.test(word)) {
      const [reference = "", as, name] = words.filter((one) => !one.startsWith("--"));
      add(filled(reference));
      if (/^as$/i.test(as ?? "") && name !== undefined) stages.add(name.toLowerCase());
    } else {
      for (const [, reference = ""] of line.matchAll(FROM)) add(filled(reference));
    }
  }
  return [...bases];
}
