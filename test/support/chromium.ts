import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import { aptInstall, cannotInstall } from "../../cli/setup/docker-install.ts";

const pathOf = (program: string): string =>
  spawnSync("sh", ["-c", 'command -v "$1"', "sh", program], { encoding: "utf8" }).stdout.trim();

/** Whether there is Debian's Chromium, with what its store of certificates needs; gets both where that can be done. */
export async function haveChromium(): Promise<boolean> {
  const there = () => ["chromium", "certutil"].every((program) => pathOf(program) !== "");
  if (!there() && cannotInstall() === undefined)
    await aptInstall(["chromium", "libnss3-tools"], { log: () => undefined }).catch(() => undefined);
  return there();
}

export interface Visit {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

/**
 * A browser with a profile of its own.
 * @param root a certificate authority that it trusts, as PEM; nothing is excused. Undefined: those that it has
 * @param places where a name's port is: "shop.example.com:443" to "127.0.0.1:32768"
 */
export async function openBrowser(
  root: string | undefined,
  places: Readonly<Record<string, string>> = {},
): Promise<Visit> {
  const home = mkdtempSync(join(tmpdir(), "drydock-browser-"));
  if (root !== undefined) trust(home, root);
  const rules = Object.entries(places).map(([from, to]) => `MAP ${from} ${to}`);
  const context = await chromium.launchPersistentContext(join(home, "profile"), {
    executablePath: pathOf("chromium"),
    headless: true,
    env: { ...process.env, HOME: home },
    // Its sandbox needs a user that is not root; it visits nothing but this machine.
    args: ["--no-sandbox", "--disable-quic", `--host-resolver-rules=${rules.join(",")}`],
  });
  return {
    context,
    close: async () => {
      await context.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Puts an authority into the profile's store of certificates. */
function trust(home: string, root: string): void {
  const store = join(home, ".pki", "nssdb");
  mkdirSync(store, { recursive: true });
  writeFileSync(join(home, "root.pem"), root);
  execFileSync("certutil", ["-N", "-d", `sql:${store}`, "--empty-password"]);
  execFileSync("certutil", ["-A", "-d", `sql:${store}`, "-n", "root", "-t", "C,,", "-i", join(home, "root.pem")]);
}
