import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, resolve } from "node:path";

/** Folders that a program's relative paths can start from: the pack stands in the project, and its host may start it in either. */
export function programFolders(): readonly string[] {
  const pack = dirname(import.meta.dirname);
  return [...new Set([process.cwd(), dirname(process.cwd()), process.env.PWD ?? process.cwd(), dirname(pack)])];
}

/** Where a path of the program is on this machine, or nothing. */
export function located(path: string, folders: readonly string[] = programFolders()): string | undefined {
  if (isAbsolute(path)) return existsSync(path) ? path : undefined;
  return folders.map((folder) => resolve(folder, path)).find((candidate) => existsSync(candidate));
}

const SCRIPT = /(?:^|[\s;&|])(?:(?:ba|da|z)?sh\s+(?:-[a-z]+\s+)*)?(\.{0,2}[\w./-]*[\w-]\.sh)(?=$|[\s;&|])/g;
const LARGEST = 256 * 1024;
const cache = new Map<string, string>();

/** The shell scripts of this machine that a command runs, without their comments: `sh deploy.sh` does what deploy.sh says. */
export function scriptsOf(command: string, dir: string | undefined): string {
  const folders = dir === undefined ? programFolders() : [...programFolders().map((folder) => join(folder, dir)), dir, ...programFolders()];
  return [...command.matchAll(SCRIPT)].map(([, path = ""]) => readScript(path, folders)).join("\n");
}

function readScript(path: string, folders: readonly string[]): string {
  const file = located(path, folders);
  if (file === undefined) return "";
  const cached = cache.get(file);
  if (cached !== undefined) return cached;
  const stat = statSync(file);
  const script = stat.isFile() && stat.size <= LARGEST ? withoutComments(readFileSync(file, "utf8")) : "";
  cache.set(file, script);
  return script;
}

/** Shell without its comment lines and line continuations. */
export function withoutComments(script: string): string {
  return script.replace(/^[ \t]*#.*$/gm, "").replace(/\\\r?\n/g, " ");
}
