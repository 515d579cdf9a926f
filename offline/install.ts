import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join } from "node:path";
import { cacheRoot } from "./cache.ts";
import { buildCli, cliKey } from "./cli/build.ts";
import { userHome } from "./installed.ts";
import { withLock } from "./lock.ts";
import { completePlugins, findOfficial } from "./official.ts";
import type { Progress } from "./progress.ts";

/** Plugins that have a stand-in here, in the versions of their npm packages. */
export const STANDINS = { docker: "5.2.0", command: "1.2.1", aws: "7.48.0" } as const;

export interface Engine {
  readonly kind: "official" | "offline";
  /** Path of the `pulumi` program. */
  readonly bin: string;
  /** Folder of `bin`, to be first on PATH. */
  readonly path: string;
  /** PULUMI_HOME; undefined where the user's own holds. */
  readonly home: string | undefined;
  /** What the CLI needs in its environment besides what the user has set. */
  readonly env: Record<string, string>;
}

/** How an engine is got. */
export interface Wanted extends Progress {
  /** Plugins that are needed besides those of every stack. @default none */
  readonly plugins?: readonly (keyof typeof STANDINS)[];
}

/**
 * The Pulumi engine to use: what is installed; else the official download; else built here from its Go modules, with
 * stand-ins for the plugins. What was built once is used again without asking the network. DRYDOCK_OFFLINE=1 goes
 * straight to the last, DRYDOCK_OFFLINE=0 never does.
 * @throws Error with the remedy, when there is none of the three
 */
export async function resolveEngine(options: Wanted = {}): Promise<Engine> {
  const wish = process.env.DRYDOCK_OFFLINE ?? "";
  if (wish !== "1") {
    // A stack without a bucket needs no aws plugin, and that is some hundred megabytes.
    const { docker, command } = STANDINS;
    const said: string[] = [];
    const log = (line: string): void => {
      said.push(line);
      options.log?.(line);
    };
    const ask = wish === "0" || !existsSync(join(homeFolder(), "complete"));
    const official = await findOfficial({ versions: { docker, command }, download: ask, log });
    if (official) {
      const { path } = official;
      const more = Object.fromEntries((options.plugins ?? []).map((name) => [name, STANDINS[name]]));
      await completePlugins({ versions: more, log });
      // Written out: some builds of the CLI ask the system for the user's folder, not HOME; and stand-ins may have been
      // exported.
      const home = userHome();
      const own: Record<string, string> = process.env.PULUMI_HOME === home ? {} : { PULUMI_HOME: home };
      const env = { ...own, PATH: withPath(path), PULUMI_SKIP_UPDATE_CHECK: "true" };
      return { kind: "official", bin: join(path, "pulumi"), path, home: undefined, env };
    }
    if (wish === "0") {
      throw new Error(
        `Pulumi's own CLI and plugins can't be obtained here: ${said.at(-1) ?? ""}\n` +
          "install Pulumi (https://www.pulumi.com/docs/install/), " +
          "name a mirror (DRYDOCK_PULUMI_MIRROR=https://…), or unset DRYDOCK_OFFLINE",
      );
    }
  }
  const { home } = await installOffline(options);
  const standins = Object.entries(STANDINS)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
  options.log?.(
    `using the engine built here, with stand-ins for the plugins ${standins} ` +
      "(DRYDOCK_OFFLINE=0 asks for Pulumi's own)",
  );
  const path = join(home, "bin");
  return {
    kind: "offline",
    bin: join(path, "pulumi"),
    path,
    home,
    env: {
      PULUMI_HOME: home,
      PATH: withPath(path),
      PULUMI_CREDENTIALS_PATH: process.env.PULUMI_CREDENTIALS_PATH ?? userHome(),
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    },
  };
}

const withPath = (folder: string): string =>
  [folder, ...(process.env.PATH ?? "").split(delimiter).filter((entry) => entry !== folder)].join(delimiter);

/**
 * Fills a PULUMI_HOME from this folder, unless it is there. Its name is a hash of what it is made of, so clones with
 * other versions have others; it appears at once, complete, whatever is interrupted.
 */
export async function installOffline(options: Progress = {}): Promise<{ home: string }> {
  const home = homeFolder();
  if (existsSync(join(home, "complete"))) return { home };
  mkdirSync(join(cacheRoot(), "home"), { recursive: true });
  await withLock(join(cacheRoot(), "install.lock"), "setting up the engine", options.log, async () => {
    if (existsSync(join(home, "complete"))) return; // another process was first
    for (const folder of ["cli", "home"]) removeDrafts(join(cacheRoot(), folder));
    const cli = await buildCli(options);
    options.log?.("bundling the language host and the plugins");
    const draft = mkdtempSync(join(cacheRoot(), "home", ".draft-"));
    try {
      mkdirSync(join(draft, "bin"));
      try {
        linkSync(cli, join(draft, "bin", "pulumi"));
      } catch {
        copyFileSync(cli, join(draft, "bin", "pulumi"));
      }
      await bundle("language-nodejs", join(draft, "bin", "pulumi-language-nodejs"));
      for (const [name, version] of Object.entries(STANDINS)) {
        const folder = join(draft, "plugins", `resource-${name}-v${version}`);
        await bundle(name, join(folder, `pulumi-resource-${name}`));
      }
      // Which stack is selected is the user's, whatever engine: it stays selected where Pulumi's own is used later.
      shareSelection(join(userHome(), "workspaces"), draft);
      writeFileSync(join(draft, "logs"), NO_LOGS);
      mkdirSync(join(draft, "complete"));
      rmSync(home, { recursive: true, force: true });
      renameSync(draft, home);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  });
  return { home };
}

/**
 * Has a home use the folder in which Pulumi keeps which stack is selected; an earlier version had one of its own, whose
 * files are kept.
 */
function shareSelection(folder: string, home: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const earlier = join(cacheRoot(), "workspaces");
  for (const name of existsSync(earlier) ? readdirSync(earlier) : []) {
    if (!existsSync(join(folder, name))) copyFileSync(join(earlier, name), join(folder, name));
  }
  symlinkSync(folder, join(home, "workspaces"));
}

/**
 * The CLI writes a log of each command, everything in it, into a folder of this name: a tenth of what a release costs
 * its processes, and up to 500 MB. There is no setting against it; where the folder can't be made, it goes on without.
 */
const NO_LOGS =
  "Pulumi's automatic logs are off in this home: a file stands where their folder would be. To see what it does: " +
  "pulumi --logtostderr -v=9 COMMAND\n";

/** What a set-up that was killed has left; the lock says that no other is running. */
function removeDrafts(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder))
    if (name.startsWith(".draft-")) rmSync(join(folder, name), { recursive: true, force: true });
}

/** One executable file of each plugin: it starts fast, and does not need the clone that it came from. */
async function bundle(source: string, target: string): Promise<void> {
  const { build } = await import("esbuild");
  const nothing = join(import.meta.dirname, "plugin", "nothing.ts");
  await build({
    entryPoints: [join(import.meta.dirname, source, "main.ts")],
    outfile: target,
    bundle: true,
    platform: "node",
    target: "node22",
    format: "cjs",
    banner: { js: "#!/usr/bin/env node" },
    logLevel: "error",
    // Parts of dockerode that are not used here: its own ssh, and sessions of BuildKit.
    alias: { ssh2: nothing, "@grpc/proto-loader": nothing, protobufjs: nothing },
  });
  chmodSync(target, 0o755);
}

function homeFolder(): string {
  const sum = createHash("sha256").update(cliKey());
  const here = import.meta.dirname;
  for (const folder of ["plugin", "language-nodejs", ...Object.keys(STANDINS)]) {
    for (const file of readdirSync(join(here, folder)).sort())
      sum.update(file).update(readFileSync(join(here, folder, file)));
  }
  sum.update(readFileSync(join(here, "..", "package-lock.json"))).update(readFileSync(join(here, "install.ts")));
  return join(cacheRoot(), "home", sum.digest("hex").slice(0, 12));
}
