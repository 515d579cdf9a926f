import { execFile } from "node:child_process";
import { createWriteStream, existsSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { cacheRoot } from "./cache.ts";
import { VERSION } from "./cli/build.ts";

/** How long the download host may take to answer, in ms, before it counts as out of reach. */
const PATIENCE = 3_000;
const HOST = "https://get.pulumi.com";

export interface Official {
  /** Folder of the programs `pulumi` and `pulumi-language-nodejs`. */
  readonly path: string;
  /** PULUMI_HOME; undefined: the user's own. */
  readonly home: string | undefined;
}

/**
 * Pulumi's own CLI: what is on PATH, if its plugins are there or can be downloaded; else downloaded as its installer does.
 * @param download whether to ask the network at all where no CLI is on PATH
 */
export async function findOfficial(options: {
  readonly versions: Readonly<Record<string, string>>;
  readonly download: boolean;
  readonly log?: ((line: string) => void) | undefined;
}): Promise<Official | undefined> {
  const installed = onPath();
  if (installed && (hasPlugins(options.versions) || await reachable())) return { path: installed, home: undefined };
  const folder = join(cacheRoot(), "official", VERSION);
  if (existsSync(join(folder, "pulumi"))) return { path: folder, home: undefined };
  if (installed || !options.download || !(await reachable())) return undefined;
  try {
    options.log?.(`downloading Pulumi's CLI ${VERSION} from ${HOST}`);
    await download(folder);
    return { path: folder, home: undefined };
  } catch (error) {
    options.log?.(`the download did not work (${(error as Error).message})`);
    return undefined;
  }
}

/** The folder of the user's own `pulumi`; one that was built here doesn't count. */
function onPath(): string | undefined {
  const root = existsSync(cacheRoot()) ? realpathSync(cacheRoot()) : cacheRoot();
  return (process.env.PATH ?? "").split(delimiter).find((folder) =>
    folder !== "" && existsSync(join(folder, "pulumi")) && !realpathSync(folder).startsWith(join(root, "home")));
}

function hasPlugins(versions: Readonly<Record<string, string>>): boolean {
  const own = process.env.PULUMI_HOME;
  const home = own && !own.startsWith(join(cacheRoot(), "home")) ? own : join(homedir(), ".pulumi");
  return Object.entries(versions).every(([name, version]) =>
    existsSync(join(home, "plugins", `resource-${name}-v${version}`)) || (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, `pulumi-resource-${name}`))));
}

async function reachable(): Promise<boolean> {
  try {
    return (await fetch(`${HOST}/latest-version`, { method: "HEAD", signal: AbortSignal.timeout(PATIENCE) })).ok;
  } catch {
    return false;
  }
}

async function download(folder: string): Promise<void> {
  const machine = `${process.platform}-${process.arch}`; // linux-x64, darwin-arm64, …: as Pulumi names its archives
  mkdirSync(dirname(folder), { recursive: true });
  const draft = mkdtempSync(`${folder}-`);
  try {
    const response = await fetch(`${HOST}/releases/sdk/pulumi-v${VERSION}-${machine}.tar.gz`);
    if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
    await pipeline(Readable.fromWeb(response.body as any), createWriteStream(join(draft, "pulumi.tgz")));
    await promisify(execFile)("tar", ["-xzf", "pulumi.tgz", "--strip-components=1"], { cwd: draft });
    rmSync(join(draft, "pulumi.tgz"));
    renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
