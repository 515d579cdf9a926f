import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot } from "../../offline/cache.ts";
import { CliError } from "../shared/errors.ts";
import { aptInstall, cannotInstall } from "./docker-install.ts";
import { run, tail } from "./docker-run.ts";
import type { AptAccess } from "./images-apt.ts";

/** Where built base images are kept for all clones of this user. */
export function imageCache(): string {
  return join(cacheRoot(), "images");
}

/** Whether Docker's registry answers at all (401 is an answer): asked before a pull, which takes long to give up. */
export async function registryAnswers(url = "https://registry-1.docker.io/v2/", timeout = 4_000): Promise<boolean> {
  try {
    await fetch(url, { signal: AbortSignal.timeout(timeout), redirect: "manual" });
    return true;
  } catch {
    return false;
  }
}

/** Debian's own keys: what build.sh verifies a mirror with, unless DRYDOCK_DEBIAN_KEYRING names others. */
const KEYRING = process.env.DRYDOCK_DEBIAN_KEYRING ?? "/usr/share/keyrings/debian-archive-keyring.gpg";

export interface BootstrapOptions {
  readonly log: (line: string) => void;
  /** images/base */
  readonly folder: string;
  /** For example `drydock/base:forky-0123456789ab`. */
  readonly reference: string;
  readonly host: string;
  readonly apt: AptAccess;
}

/**
 * Makes the base image from Debian's packages and imports it. The archive is kept, so that an engine that was wiped
 * gets it back in seconds.
 * @throws CliError
 */
export async function bootstrapBase({ log, folder, reference, host, apt }: BootstrapOptions): Promise<void> {
  const cache = imageCache();
  const archive = join(cache, `${reference.replace(/[/:]/g, "-")}.tar`);
  if (!existsSync(archive)) {
    const obstacle = cannotInstall();
    if (obstacle !== undefined) {
      throw new CliError({
        what: `no registry of images answers, and ${obstacle}, so the base image can't be built here`,
        remedy:
          `on a Debian, as root: ${folder}/build.sh ${apt.mirror} base.tar; then here: ` +
          `docker import base.tar ${reference}`,
      });
    }
    if ((await run("sh", ["-c", "command -v debootstrap && command -v gpgv"])).code !== 0 || !existsSync(KEYRING)) {
      await aptInstall(["debootstrap", "gpgv", "debian-archive-keyring"], { log });
    }
    mkdirSync(cache, { recursive: true });
    // Archives of earlier recipes and of interrupted builds.
    for (const file of readdirSync(cache))
      if (file.startsWith("drydock-base-")) rmSync(join(cache, file), { force: true });
    log("      from Debian's packages with debootstrap, because no registry of images answers (about half a minute)");
    const built = await run(join(folder, "build.sh"), [apt.mirror, archive], { env: apt.buildArgs });
    if (built.code !== 0)
      throw new CliError({
        what: `debootstrap failed\n${tail(built.output)}`,
        remedy: `try it by hand: ${folder}/build.sh ${apt.mirror} /tmp/base.tar`,
      });
  }
  const imported = await run("docker", [
    "--host",
    host,
    "import",
    "--change",
    "ENV LANG=C.UTF-8",
    "--change",
    'CMD ["bash"]',
    archive,
    reference,
  ]);
  if (imported.code !== 0) {
    throw new CliError({
      what: `docker import of ${archive} failed\n${tail(imported.output)}`,
      remedy: `if the file is damaged: rm ${archive}, then run this again`,
    });
  }
}
