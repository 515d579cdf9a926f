import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../../cli/shared/project.ts";

export interface SshServer {
  readonly sshd: string;
  /** Debian's own configuration, with its limits. */
  readonly configuration: string;
  /** What PAM asks of a login. */
  readonly pam: string;
  /** A folder with libraries that this machine may lack. */
  readonly libraries: string;
}

const CONFIGURATION = "usr/share/openssh/sshd_config";
const PACKAGES = ["openssh-server", "libwrap0"];

/** Debian's sshd: this machine's, else unpacked from its package into the cache, without installing it. */
export function sshServer(): SshServer {
  if (existsSync("/usr/sbin/sshd") && existsSync(`/${CONFIGURATION}`)) return below("/", "");
  const folder = join(ROOT, ".drydock", "cache", "sshd");
  if (!existsSync(join(folder, CONFIGURATION))) {
    mkdirSync(folder, { recursive: true });
    // As the user of apt's downloads can't write here, it warns.
    execFileSync("apt-get", ["download", "-q", ...PACKAGES], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
    for (const file of readdirSync(folder).filter((name) => name.endsWith(".deb"))) {
      execFileSync("dpkg", ["-x", file, folder], { cwd: folder });
    }
  }
  const [triplet = ""] = readdirSync(join(folder, "usr/lib")).filter((name) => name.endsWith("-linux-gnu"));
  return below(folder, join(folder, "usr/lib", triplet));
}

const below = (root: string, libraries: string): SshServer => ({
  sshd: join(root, "usr/sbin/sshd"),
  configuration: join(root, CONFIGURATION),
  pam: join(root, "etc/pam.d/sshd"),
  libraries,
});
