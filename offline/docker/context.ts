import { createHash } from "node:crypto";
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, type Stats } from "node:fs";
import { isAbsolute, join, normalize, relative, resolve } from "node:path";
import dockerignore from "@balena/dockerignore";

/**
 * What is left out of a build: `<Dockerfile>.dockerignore` says so where it is there, else the context's
 * `.dockerignore`.
 */
export function ignoring(context: string, dockerfile: string): (path: string) => boolean {
  const file = [`${dockerfile}.dockerignore`, join(context, ".dockerignore")].find((path) => existsSync(path));
  const rules = dockerignore({ ignorecase: false }).add(file === undefined ? "" : readFileSync(file, "utf8"));
  return (path) => rules.ignores(path);
}

/** Files of the context by path, folder by folder, without what is left out. */
export function* filesOf(context: string, ignored: (path: string) => boolean, folder = ""): Generator<string> {
  const names = readdirSync(join(context, folder)).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  for (const name of names) {
    const path = folder === "" ? name : `${folder}/${name}`;
    if (lstatSync(join(context, path)).isDirectory()) yield* filesOf(context, ignored, path);
    else if (!ignored(path)) yield path;
  }
}

/**
 * Names what a build sees as the official plugin does, so that a stack that goes from one to the other builds nothing.
 * @param context as it was given: relative to the project
 * @throws Error where a link leads nowhere, as that plugin
 */
export function digestOf(context: string, dockerfile: string): string {
  const sum = createHash("sha256");
  const add = (path: string, name: string, mode: string, stat: Stats): void => {
    const content = createHash("sha256");
    if (mode.startsWith("L")) content.update(target(path));
    else if (stat.isFile()) content.update(readFileSync(path));
    sum
      .update(`${normalize(name)}${mode}`)
      .update(content.digest())
      .update("\0");
  };
  add(dockerfile, "Dockerfile", "----------", lstatSync(realpathSync(dockerfile)));
  for (const path of filesOf(context, ignoring(context, dockerfile))) {
    const stat = lstatSync(join(context, path));
    add(join(context, path), path, modeOf(stat), stat);
  }
  return sum.digest("hex");
}

/** A file's type and permissions as Go prints them: "-rw-r--r--", "Lrwxrwxrwx", "urwxr-xr-x". */
function modeOf(stat: Stats): string {
  const type = [
    stat.isSymbolicLink() ? "L" : "",
    stat.isBlockDevice() ? "D" : "",
    stat.isFIFO() ? "p" : "",
    stat.isSocket() ? "S" : "",
    stat.mode & 0o4000 ? "u" : "",
    stat.mode & 0o2000 ? "g" : "",
    stat.isCharacterDevice() ? "Dc" : "",
    stat.mode & 0o1000 ? "t" : "",
  ].join("");
  const bits = [..."rwxrwxrwx"].map((letter, index) => (stat.mode & (0o400 >> index) ? letter : "-")).join("");
  return `${type === "" ? "-" : type}${bits}`;
}

/** Where a link leads in the end: relative to the project, unless it says an absolute path. */
function target(path: string): string {
  try {
    const real = realpathSync(path);
    return isAbsolute(path) || isAbsolute(readlinkSync(path))
      ? real
      : relative(realpathSync(resolve(".")), real) || ".";
  } catch (error) {
    throw new Error(`could not evaluate symlink at ${path}: ${(error as Error).message}`);
  }
}
