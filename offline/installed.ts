import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, realpathSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { cacheRoot } from "./cache.ts";
import { older, VERSION } from "./version.ts";

/** A Pulumi CLI that somebody has installed on this machine. */
export interface Installed {
  /** The folder of `pulumi`. */
  readonly folder: string;
  /** Why it can't be used, and what to do about it; undefined where it fits. */
  readonly problem?: string;
}

/**
 * Where Pulumi's installer and Homebrew put it: shells of a person have these on PATH, those of cron and of a pipeline
 * may not.
 */
const places = (env: NodeJS.ProcessEnv): readonly string[] => [
  join(userHome(env), "bin"),
  "/opt/homebrew/bin",
  "/usr/local/bin",
  "/home/linuxbrew/.linuxbrew/bin",
];

/** The user's own PULUMI_HOME, where plugins and credentials are; a home that was built here doesn't count. */
export function userHome(env: NodeJS.ProcessEnv = process.env): string {
  const own = env.PULUMI_HOME;
  return own !== undefined && own !== "" && !isOurs(own) ? own : join(homedir(), ".pulumi");
}

/** What was built here, with stand-ins for the plugins. */
function isOurs(folder: string): boolean {
  const root = existsSync(cacheRoot()) ? realpathSync(cacheRoot()) : cacheRoot();
  return `${existsSync(folder) ? realpathSync(folder) : folder}/`.startsWith(join(root, "home/"));
}

/** The first `pulumi` on PATH, else in the usual places, and whether it fits. */
export async function findInstalled(
  env: NodeJS.ProcessEnv = process.env,
  usual = places(env),
): Promise<Installed | undefined> {
  const path = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const folder = [...path, ...usual].find((each) => isProgram(join(each, "pulumi")) && !isOurs(each));
  if (folder === undefined) return undefined;
  const program = join(folder, "pulumi");
  let said: string;
  try {
    said = (
      await promisify(execFile)(program, ["version"], {
        env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
        timeout: 20_000,
      })
    ).stdout.trim();
  } catch (error) {
    return {
      folder,
      problem: `${program} does not run (${firstLine((error as Error).message)}); install it anew: ${DOCS}`,
    };
  }
  // Beside it where the archive was unpacked; Homebrew and others may link only what is called.
  const host = [folder, realpathSync(program).replace(/\/[^/]*$/, ""), ...path].some((each) =>
    isProgram(join(each, "pulumi-language-nodejs")),
  );
  const problem =
    judge(said, program) ??
    (host
      ? undefined
      : `${program} has no language host for Node.js (pulumi-language-nodejs) beside it or on PATH; ` +
        `install Pulumi as a whole: ${DOCS}`);
  return problem === undefined ? { folder } : { folder, problem };
}

/**
 * Why a CLI of this version does not fit the SDK of the program, or undefined: a newer one of the same major version
 * does.
 */
export function judge(said: string, program: string): string | undefined {
  const version = /^v?(\d+\.\d+\.\d+)/.exec(said)?.[1];
  if (version === undefined) return `${program} calls its version "${firstLine(said)}"; expected ${VERSION} or newer`;
  if (version.split(".")[0] !== VERSION.split(".")[0])
    return `${program} is version ${version}, another major version than ${VERSION}, this program's SDK: ${INSTALL}`;
  if (older(version, VERSION))
    return (
      `${program} is version ${version}, older than ${VERSION}, this program's SDK: ` +
      `${INSTALL} (brew upgrade pulumi)`
    );
  return undefined;
}

const DOCS = "https://www.pulumi.com/docs/install/";
const INSTALL = `curl -fsSL https://get.pulumi.com | sh -s -- --version ${VERSION}`;
const firstLine = (text: string): string => text.split("\n")[0]!.slice(0, 200);

export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
