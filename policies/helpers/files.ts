import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";

/**
 * Folders that a program's relative paths can start from: the pack's host starts it in the pack's folder, which stands
 * in the project.
 */
export function programFolders(): readonly string[] {
  return [...new Set([process.cwd(), dirname(process.cwd()), process.env.PWD ?? process.cwd()])];
}

/** Where a path of the program is on this machine, or nothing. */
export function located(path: string, folders: readonly string[] = programFolders()): string | undefined {
  if (isAbsolute(path)) return existsSync(path) ? path : undefined;
  return folders.map((folder) => resolve(folder, path)).find((candidate) => existsSync(candidate));
}

// A word that ends like a script, or what a shell is told to read.
const SCRIPT = new RegExp(
  String.raw`(?:^|[\s;&|("'])((?:\.{0,2}[\w./-]*[\w-]\.(?:sh|bash|zsh|ksh|dash|py|pl|rb|php|js|mjs|cjs|ts))|` +
    String.raw`\.{1,2}/[\w./-]+)(?=$|[\s;&|)"'])`,
  "g",
);
const READ_BY_SHELL =
  /(?:^|[\s;&|("'])(?:(?:ba|da|z|k)?sh|source|\.|python3?|perl|ruby|php|node)\s+(?:-[a-z]*[abd-z]\s+)*([\w./-]+)/g;
const LARGEST = 256 * 1024;
const DEEPEST = 4;
const cache = new Map<string, string>();

/**
 * The scripts of this machine that a command names, and those that they name, without their comments: `sh deploy.sh`
 * does what deploy.sh says.
 */
export function scriptsOf(command: string, dir: string | undefined): string {
  const folders =
    dir === undefined
      ? programFolders()
      : [...programFolders().map((folder) => join(folder, dir)), dir, ...programFolders()];
  const seen = new Set<string>();
  const paths = (text: string) =>
    [SCRIPT, READ_BY_SHELL].flatMap((pattern) => [...text.matchAll(pattern)].map(([, path = ""]) => path));
  const named = (text: string, depth: number): string[] =>
    paths(text).flatMap((path) => {
      const file = depth > DEEPEST ? undefined : located(path, folders);
      if (file === undefined || seen.has(file)) return [];
      seen.add(file);
      const script = withoutComments(read(file));
      return [script, ...named(script, depth + 1)];
    });
  return named(command, 1).join("\n");
}

/** A file of the program, such as one that is uploaded into a container; undefined where it isn't on this machine. */
export function fileContent(path: string): string | undefined {
  const file = located(path);
  return file === undefined ? undefined : read(file);
}

/** Nothing of what is too large to be a script or a configuration. */
function read(file: string): string {
  const cached = cache.get(file);
  if (cached !== undefined) return cached;
  const stat = statSync(file);
  const content = stat.isFile() && stat.size <= LARGEST ? readFileSync(file, "utf8") : "";
  cache.set(file, content);
  return content;
}

/** Shell without its comment lines and line continuations. */
export function withoutComments(script: string): string {
  return script.replace(/^[ \t]*#.*$/gm, "").replace(/\\\r?\n/g, " ");
}
