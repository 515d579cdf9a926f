import { existsSync, readFileSync } from "node:fs";
import { CliError } from "../shared/errors.ts";
import { run, tail } from "./docker-run.ts";

/** Whether this is Debian or a system made from it, by os-release(5). */
export function isDebian(osRelease = readOsRelease()): boolean {
  const value = (key: string): string => new RegExp(`^${key}="?([^"\\n]*)"?$`, "m").exec(osRelease)?.[1] ?? "";
  return [value("ID"), ...value("ID_LIKE").split(" ")].includes("debian");
}

function readOsRelease(): string {
  return existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : "";
}

/** Why this machine can't be given packages by us; undefined where it can. */
export function cannotInstall(): string | undefined {
  if (!isDebian()) return "this system is not a Debian";
  if (process.getuid?.() !== 0) return "this user is not root";
  return undefined;
}

/**
 * Installs Debian packages without a question; those that this release of Debian doesn't have are left out when they
 * are `optional`.
 * @throws CliError with the end of apt's output
 */
export async function aptInstall(
  packages: readonly string[],
  options: { readonly log: (line: string) => void; readonly optional?: readonly string[] },
): Promise<void> {
  const apt = async (args: readonly string[]): Promise<void> => {
    const done = await run("apt-get", ["-o", "DPkg::Lock::Timeout=300", ...args], {
      env: { DEBIAN_FRONTEND: "noninteractive" },
    });
    if (done.code !== 0) {
      throw new CliError({
        what: `apt-get failed with exit code ${done.code}\n${tail(done.output)}`,
        remedy: `fix what apt complains about, then try it by hand: apt-get ${args.join(" ")}`,
      });
    }
  };
  options.log("apt-get update");
  await apt(["update", "-q"]);
  const known: string[] = [];
  for (const name of options.optional ?? []) {
    if ((await run("apt-cache", ["show", name])).code === 0) known.push(name);
  }
  const wanted = [...packages, ...known];
  options.log(`apt-get install ${wanted.join(" ")}`);
  await apt(["install", "-q", "-y", "--no-install-recommends", ...wanted]);
}
