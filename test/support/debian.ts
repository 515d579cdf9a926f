import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAptAccess } from "../../cli/setup/images-apt.ts";
import { docker } from "./clone.ts";
import { testImage } from "./image.ts";

/** Releases of Debian that the project's own images are not made of, by number. */
const RELEASES = { bookworm: 12, trixie: 13 } as const;
export type Suite = keyof typeof RELEASES;

/** The smallest system of another release of Debian, unless it is there. */
export async function debianImage(suite: Suite): Promise<string> {
  const reference = `drydock/test-debian:${RELEASES[suite]}`;
  if (docker("images", "-q", reference) !== "") return reference;
  const folder = mkdtempSync(join(tmpdir(), "drydock-debian-"));
  try {
    const { mirror, buildArgs } = await readAptAccess();
    const env = { ...process.env, ...buildArgs };
    const options = ["--variant=minbase", "--include=ca-certificates", "--force-check-gpg"];
    execFileSync(
      "debootstrap",
      [...options, suite, join(folder, "root"), mirror, "/usr/share/debootstrap/scripts/sid"],
      { env, stdio: ["ignore", "ignore", "inherit"] },
    );
    const archive = join(folder, "root.tar");
    execFileSync("tar", [
      "--create",
      "--file",
      archive,
      "--directory",
      join(folder, "root"),
      "--numeric-owner",
      "--one-file-system",
      ".",
    ]);
    docker("import", "--change", "ENV LANG=C.UTF-8", archive, reference);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return reference;
}

/** nginx of a release of Debian, in an image that is laid out as the official one. */
export async function nginxImage(suite: Suite): Promise<string> {
  const base = await debianImage(suite);
  return testImage({
    name: `drydock/test-nginx:${RELEASES[suite]}`,
    folder: join(import.meta.dirname, "nginx"),
    suite,
    depends: base,
    args: { BASE: base },
  });
}

/** An official PHP image's layout on a release of Debian (PHP 8.2 or 8.4), with the Laravel of another image. */
export async function phpImage(suite: Suite, laravel: string, name: string): Promise<string> {
  const base = await debianImage(suite);
  const php = suite === "bookworm" ? "8.2" : "8.4";
  return testImage({
    name: `drydock/test-php:${php}-${name}`,
    folder: join(import.meta.dirname, "php"),
    suite,
    depends: `${base}${laravel}`,
    args: { BASE: base, LARAVEL: laravel, PHP: php },
  });
}

/** Where Debian's own Laravel of a release can be copied from. */
export async function laravelImage(suite: Suite): Promise<string> {
  const base = await debianImage(suite);
  return testImage({
    name: `drydock/test-laravel:${RELEASES[suite]}`,
    folder: join(import.meta.dirname, "laravel"),
    suite,
    depends: base,
    args: { BASE: base },
  });
}
