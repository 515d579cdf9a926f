import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readText, Unreachable } from "./download.ts";
import { VERSION } from "./version.ts";

/** The platforms that Pulumi's downloads are used on: process.platform and process.arch. */
export const PLATFORMS = ["darwin-arm64", "darwin-x64", "linux-arm64", "linux-x64"] as const;

/** One archive of Pulumi's, the same file in two places. */
export interface Archive {
  /** Its file's name, which is its key in checksums.json as well. */
  readonly file: string;
  /** Where it can be obtained, the first one first. */
  readonly urls: readonly string[];
  /** The release at GitHub that it is an asset of; GitHub says its SHA-256. */
  readonly release: string;
}

const DOWNLOADS = "https://get.pulumi.com/releases";
const GITHUB = "https://github.com/pulumi";
const API = "https://api.github.com/repos/pulumi";

/**
 * Pulumi's CLI, as its own installer downloads it.
 * @param env DRYDOCK_PULUMI_MIRROR names a server that has the archives of both kinds in one folder
 */
export function cliArchive(platform: string, env: NodeJS.ProcessEnv = process.env): Archive {
  const file = `pulumi-v${VERSION}-${platform}.tar.gz`;
  return archive(file, "sdk", "pulumi", VERSION, env);
}

/** A plugin, as Pulumi's CLI downloads it: it calls x64 amd64. */
export function pluginArchive(
  name: string,
  version: string,
  platform: string,
  env: NodeJS.ProcessEnv = process.env,
): Archive {
  const file = `pulumi-resource-${name}-v${version}-${platform.replace(/x64$/, "amd64")}.tar.gz`;
  return archive(file, "plugins", `pulumi-${name}`, version, env);
}

function archive(file: string, folder: string, repository: string, version: string, env: NodeJS.ProcessEnv): Archive {
  const mirror = env.DRYDOCK_PULUMI_MIRROR;
  const urls =
    mirror !== undefined && mirror !== ""
      ? [`${mirror.replace(/\/+$/, "")}/${file}`]
      : [`${DOWNLOADS}/${folder}/${file}`, `${GITHUB}/${repository}/releases/download/v${version}/${file}`];
  return { file, urls, release: `${API}/${repository}/releases/tags/v${version}` };
}

/** The repository's own list: file name to SHA-256, in lower-case hex. `npx tsx offline/record.ts` writes it. */
export const LIST = join(import.meta.dirname, "checksums.json");

export const listed = (): Readonly<Record<string, string>> =>
  JSON.parse(readFileSync(LIST, "utf8")) as Record<string, string>;

/**
 * The SHA-256 that an archive must have: the list's, else what GitHub has computed when the archive was published
 * there. Of a version that is not in the list, download host and GitHub have to agree; where GitHub can't be asked,
 * nothing is downloaded.
 * @throws Error
 */
export async function expectedChecksum(archive: Archive, list = listed()): Promise<string> {
  const known = list[archive.file];
  if (known !== undefined) return known;
  try {
    return await publishedChecksum(archive);
  } catch (error) {
    if (error instanceof Unreachable) throw error;
    throw new Error(`no checksum is known of ${archive.file}, so it is not downloaded: ${(error as Error).message}`);
  }
}

/** What GitHub says of a release's asset. @throws Error */
export async function publishedChecksum({ file, release }: Archive): Promise<string> {
  // Without a token GitHub answers sixty questions an hour for each address, which machines of one network share.
  const token = process.env.GITHUB_TOKEN ?? process.env.GH_TOKEN;
  const text = await readText(release, token === undefined || token === "" ? {} : { authorization: `Bearer ${token}` });
  const { assets = [] } = JSON.parse(text) as { assets?: readonly { name?: string; digest?: string | null }[] };
  const sum = /^sha256:([0-9a-f]{64})$/.exec(assets.find(({ name }) => name === file)?.digest ?? "")?.[1];
  if (sum === undefined) throw new Error(`${release} names no SHA-256 of it`);
  return sum;
}
