import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CliError } from "../shared/errors.ts";
import { run } from "./docker-run.ts";

export const SUITE = "forky";

/** How this machine's apt reaches Debian, as far as a build needs it. */
export interface AptAccess {
  readonly mirror: string;
  /** Lines of apt.conf, without proxies. */
  readonly conf: readonly string[];
  /** Docker's predefined proxy arguments: unlike all others they are kept neither in the image nor in its history. */
  readonly buildArgs: Readonly<Record<string, string>>;
}

/**
 * Settings that decide whether packages can be fetched; the rest of a machine's apt.conf is its own affair. A mirror's
 * old list is still signed, and which one to use is the machine's choice; what says who has signed and who answers
 * (below) is not.
 */
const WANTED = /^Acquire::(?:Check-Valid-Until|Check-Date|Retries|ForceIPv[46]|https?(?:::[\w.-]+)*) "/i;
/** They switch checks off, or name programs and files of this machine. */
const UNWANTED = /::(?:Verify-(?:Peer|Host)|Proxy-?Auto-?Detect|CaInfo|CaPath|Ssl\w+|CrlFile|IssuerCert)\b/i;
const PROXY = /^Acquire::(https?)::Proxy "([^"]*)";$/;

/** Reads the output of `apt-config dump`. */
export function parseAptConfig(dump: string): Pick<AptAccess, "conf" | "buildArgs"> {
  const conf: string[] = [];
  const buildArgs: Record<string, string> = {};
  for (const line of dump.split("\n")) {
    const [, scheme, proxy] = PROXY.exec(line) ?? [];
    if (scheme !== undefined && proxy !== undefined) {
      if (proxy !== "" && proxy !== "DIRECT") buildArgs[`${scheme}_proxy`] = proxy;
    } else if (WANTED.test(line) && !UNWANTED.test(line) && !line.endsWith('"";')) {
      conf.push(line);
    }
  }
  return { conf, buildArgs };
}

/**
 * The first mirror of Debian's own archive in a machine's sources (both formats); security and foreign archives are
 * passed over.
 */
export function findMirror(sources: readonly string[]): string | undefined {
  for (const source of sources) {
    for (const line of source.split("\n")) {
      const uris = /^\s*(?:URIs:\s*|deb\s+(?:\[[^\]]*\]\s*)?)(.*)$/.exec(line)?.[1]?.split(/\s+/) ?? [];
      const mirror = uris.find((uri) => /^https?:\/\/.*\/debian\/?$/.test(uri));
      if (mirror !== undefined) return mirror.replace(/\/$/, "");
    }
  }
  return undefined;
}

/**
 * The mirror is DRYDOCK_DEBIAN_MIRROR, else the one that this machine's own apt uses; on a machine that is no Debian
 * the one that Debian's own image names.
 *
 * @param ofImage asks Debian's image for its sources
 * @throws CliError when there is none, or when it wants a password, which would end up in a layer of every image
 */
export async function readAptAccess(
  etc = "/etc/apt",
  ofImage: () => Promise<string | undefined> = async () => undefined,
): Promise<AptAccess> {
  const files = [join(etc, "sources.list"), ...list(join(etc, "sources.list.d"), /\.(list|sources)$/)];
  const sources = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, "utf8"));
  const mirror = process.env.DRYDOCK_DEBIAN_MIRROR ?? findMirror(sources) ?? findMirror([(await ofImage()) ?? ""]);
  if (mirror === undefined) {
    throw new CliError({
      what: `no mirror of Debian is named in ${etc}, and the images are built from Debian's packages`,
      remedy: "name one: DRYDOCK_DEBIAN_MIRROR=http://MIRROR/debian ./drydock up",
    });
  }
  if (new URL(mirror).username !== "") {
    throw new CliError({
      what:
        `the Debian mirror in ${etc} is given with a password, which would stay in every image that is built from ` +
        "it",
      remedy:
        `name a mirror without a password in ${join(etc, "sources.list")}, or bring the images from elsewhere: ` +
        "docker load --input FILE",
    });
  }
  const config = await run("apt-config", ["dump"]);
  return { mirror, ...parseAptConfig(config.code === 0 ? config.stdout : "") };
}

function list(folder: string, name: RegExp): readonly string[] {
  return existsSync(folder)
    ? readdirSync(folder)
        .filter((file) => name.test(file))
        .sort()
        .map((file) => join(folder, file))
    : [];
}

/**
 * Writes apt.conf and apt.list into a build's context; the Dockerfiles take them for the one step that installs and
 * delete them in it.
 */
export function writeAptFiles(context: string, { mirror, conf }: AptAccess, suite = SUITE): void {
  const own = ['Dir::Etc::sourcelist "/build/apt.list";', 'Dir::Etc::sourceparts "-";'];
  writeFileSync(join(context, "apt.conf"), [...conf, ...own, ""].join("\n"));
  writeFileSync(join(context, "apt.list"), `deb ${mirror} ${suite} main\n`);
}
