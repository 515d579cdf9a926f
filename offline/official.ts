import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { type Archive, cliArchive, expectedChecksum, PLATFORMS, pluginArchive } from "./archives.ts";
import { cacheRoot } from "./cache.ts";
import { download, NoRoom, WrongChecksum } from "./download.ts";
import { findInstalled, isProgram, userHome } from "./installed.ts";
import { withLock } from "./lock.ts";
import { VERSION } from "./version.ts";

export interface Official {
  /** Folder of the programs `pulumi` and `pulumi-language-nodejs`. */
  readonly path: string;
}

export interface OfficialOptions {
  /** The plugins that have to be there, with the versions of their npm packages. */
  readonly versions: Readonly<Record<string, string>>;
  /** Whether the network may be asked for what is missing. */
  readonly download: boolean;
  /** File name to SHA-256. @default the repository's own list */
  readonly list?: Readonly<Record<string, string>> | undefined;
  readonly log?: ((line: string) => void) | undefined;
}

/**
 * Pulumi's own CLI and plugins: what is installed, and what is missing of it downloaded, with checksums. The plugins go
 * where Pulumi's own download puts them, so that a plain `pulumi` finds them, too.
 * @returns undefined where there is no such set and none can be obtained
 * @throws WrongChecksum: what has arrived is not what was published; NoRoom
 */
export async function findOfficial(options: OfficialOptions): Promise<Official | undefined> {
  const { list, log } = options;
  const installed = await findInstalled();
  const own = join(cacheRoot(), "official", VERSION);
  const usable = installed !== undefined && installed.problem === undefined;
  const path = usable ? installed.folder : own;
  if (installed?.problem !== undefined)
    log?.(`${installed.problem}. Drydock uses ${VERSION} of its own beside it, where that can be obtained`);
  const there = (): boolean => (usable || isProgram(join(own, "pulumi"))) && missing(options.versions).length === 0;
  if (there()) return { path };
  if (!options.download) return undefined;
  if (!(PLATFORMS as readonly string[]).includes(PLATFORM)) {
    log?.(`Pulumi has no download for ${PLATFORM}`);
    return undefined;
  }
  try {
    await withLock(join(cacheRoot(), "install.lock"), "downloading Pulumi", log, async () => {
      if (there()) return; // another process was first
      if (!usable && !isProgram(join(own, "pulumi"))) await unpack(cliArchive(PLATFORM), own, 1, { list, log });
      await fetchPlugins(options.versions, { list, log });
    });
    return { path };
  } catch (error) {
    // Building the CLI takes even more room.
    if (error instanceof WrongChecksum || error instanceof NoRoom) throw error;
    log?.(`Pulumi's own download did not work: ${(error as Error).message}`);
    return undefined;
  }
}

/**
 * Downloads plugins that a stack needs besides those of every stack.
 * @throws Error, WrongChecksum, NoRoom: they can't be obtained
 */
export async function completePlugins({ list, log, versions }: Omit<OfficialOptions, "download">): Promise<void> {
  if (missing(versions).length === 0) return;
  await withLock(join(cacheRoot(), "install.lock"), "downloading Pulumi", log, () =>
    fetchPlugins(versions, { list, log }),
  );
}

async function fetchPlugins(
  versions: OfficialOptions["versions"],
  { list, log }: Pick<OfficialOptions, "list" | "log">,
): Promise<void> {
  for (const [name, version] of missing(versions)) {
    const folder = join(userHome(), "plugins", `resource-${name}-v${version}`);
    await unpack(pluginArchive(name, version, PLATFORM), folder, 0, { list, log });
  }
}

const PLATFORM = `${process.platform}-${process.arch}`;

/** The plugins that are neither in the user's PULUMI_HOME nor on PATH. */
function missing(versions: Readonly<Record<string, string>>): readonly (readonly [name: string, version: string])[] {
  const path = (process.env.PATH ?? "").split(delimiter);
  return Object.entries(versions).filter(([name, version]) => {
    const folder = join(userHome(), "plugins", `resource-${name}-v${version}`);
    // Pulumi's own download leaves the second until the first is complete.
    const installed = existsSync(folder) && !existsSync(`${folder}.partial`);
    return !installed && !path.some((each) => isProgram(join(each, `pulumi-resource-${name}`)));
  });
}

/** Downloads an archive, compares it, and unpacks it into `folder`, which appears at once and whole. */
async function unpack(
  archive: Archive,
  folder: string,
  strip: number,
  { list, log }: Pick<OfficialOptions, "list" | "log">,
): Promise<void> {
  const sha256 = await expectedChecksum(archive, list);
  log?.(`downloading ${archive.file} from ${new URL(archive.urls[0]!).host}`);
  const parent = join(folder, "..");
  mkdirSync(parent, { recursive: true });
  for (const name of readdirSync(parent))
    if (name.startsWith(DRAFT)) rmSync(join(parent, name), { recursive: true, force: true });
  const draft = mkdtempSync(join(parent, DRAFT));
  try {
    const file = join(draft, archive.file);
    await download({ urls: archive.urls, sha256, target: file, log });
    const content = join(draft, "content");
    mkdirSync(content);
    try {
      await promisify(execFile)("tar", ["-xzf", file, "-C", content, "--no-same-owner", `--strip-components=${strip}`]);
    } catch (error) {
      throw (error as Error).message.includes("No space left on device") ? new NoRoom(parent) : error;
    }
    rmSync(folder, { recursive: true, force: true });
    rmSync(`${folder}.partial`, { force: true });
    renameSync(content, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Pulumi passes over what is called like this in its folder of plugins. */
const DRAFT = ".drydock-";
