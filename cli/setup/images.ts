import { chmodSync, cpSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withLock } from "../../offline/lock.ts";
import { CliError } from "../shared/errors.ts";
import { run, tail } from "./docker-run.ts";
import { type AptAccess, readAptAccess, SUITE, writeAptFiles } from "./images-apt.ts";
import { bootstrapBase, imageCache, registryAnswers } from "./images-base.ts";
import {
  AGENT_DIR,
  COLLECTOR_DIR,
  IMAGES,
  IMAGES_DIR,
  type ImageName,
  type ImageReferences,
  imageTags,
  KEEPER_DIR,
  OF_A_STACK,
} from "./images-tags.ts";

export { type ImageName, type ImageReferences, imageTags };

export interface EnsureImagesOptions {
  readonly log: (line: string) => void;
  /** The engine, as ensureDocker answers it. */
  readonly host: string;
  /** @default what a stack needs: all but what is the edge's alone */
  readonly only?: readonly ImageName[];
}

/**
 * Builds those of the project's images that the engine doesn't have. Their tags are made of their content, so that an
 * image which is there is the right one, and a second clone of the same version builds nothing.
 * @throws CliError with the step that failed and the end of its output
 */
export async function ensureImages({ log, host, only = OF_A_STACK }: EnsureImagesOptions): Promise<ImageReferences> {
  const references = imageTags();
  const due = async () => (await missing(references, host)).filter((name) => only.includes(name));
  if ((await due()).length === 0) return references;
  return await withLock(join(imageCache(), "lock"), "building images", log, async () => {
    const todo = await due();
    const apt = await readAptAccess(undefined, () => sourcesOfImage(host));
    for (const name of todo) {
      const begin = Date.now();
      log(`[${only.indexOf(name) + 1}/${only.length}] building ${references[name]} …`);
      if (name === "base") await buildBase(references, { log, host, apt });
      else await build(name, references, { host, apt });
      log(`      done in ${Math.round((Date.now() - begin) / 1000)} s`);
    }
    return references;
  });
}

/** Where Debian's own image has its packages from, if a registry of images answers. */
async function sourcesOfImage(host: string): Promise<string | undefined> {
  if (!(await registryAnswers())) return undefined;
  const show = "cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null";
  const { code, stdout } = await run("docker", [
    "--host",
    host,
    "run",
    "--rm",
    `debian:${SUITE}-slim`,
    "sh",
    "-c",
    show,
  ]);
  // cat fails for the one form of the two that isn't there.
  return code === 0 || code === 1 ? stdout : undefined;
}

async function missing(references: ImageReferences, host: string): Promise<readonly ImageName[]> {
  const found = await run("docker", [
    "--host",
    host,
    "images",
    "--filter",
    "reference=drydock/*",
    "--format",
    "{{.Repository}}:{{.Tag}}",
  ]);
  if (found.code !== 0)
    throw new CliError({
      what: `the Docker engine at ${host} doesn't say which images it has\n${tail(found.output)}`,
      remedy: `docker --host ${host} images`,
    });
  const present = new Set(found.stdout.split("\n"));
  return IMAGES.filter((name) => !present.has(references[name]));
}

interface BuildOptions {
  readonly host: string;
  readonly apt: AptAccess;
}

async function buildBase(
  references: ImageReferences,
  options: BuildOptions & { readonly log: (line: string) => void },
): Promise<void> {
  if (await registryAnswers()) {
    try {
      return await build("base", references, options);
    } catch (error) {
      options.log(`      not from the registry: ${(error as Error).message.split("\n")[0] ?? ""}`);
    }
  }
  await bootstrapBase({ ...options, folder: join(IMAGES_DIR, "base"), reference: references.base });
}

async function build(name: ImageName, references: ImageReferences, { host, apt }: BuildOptions): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), `drydock-${name}-`));
  try {
    await fillContext(name, context);
    writeAptFiles(context, apt);
    makeReadable(context);
    // The base's own Dockerfile has no BASE; proxies are passed by name, so that a password in one isn't on a command
    // line.
    const buildArgs = name === "base" ? {} : { BASE: references.base };
    const args = [
      ...Object.entries(buildArgs).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]),
      ...Object.keys(apt.buildArgs).flatMap((key) => ["--build-arg", key]),
      "--label",
      `org.opencontainers.image.title=drydock/${name}`,
    ];
    // The classic builder: Debian's engine has no other, and a newer client without buildx can't use another.
    const done = await run(
      "docker",
      ["--host", host, "build", "--network", "host", "--force-rm", "--tag", references[name], ...args, context],
      { env: { DOCKER_BUILDKIT: "0", ...apt.buildArgs } },
    );
    if (done.code !== 0) {
      throw new CliError({
        what: `building ${references[name]} from images/${name} failed\n${tail(done.output, 25)}`,
        remedy: "if a package could not be fetched, check apt's mirror: apt-get update; then run this again",
      });
    }
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

/**
 * Puts all that an image is built of into a folder, but how to reach packages: that is the business of who builds it.
 */
export async function fillContext(name: ImageName, folder: string): Promise<void> {
  cpSync(join(IMAGES_DIR, name), folder, { recursive: true });
  if (name === "backup") await bundleAgent(join(folder, "agent.cjs"));
  if (name === "monitoring") await bundle(join(COLLECTOR_DIR, "main.ts"), join(folder, "collector.mjs"), "esm");
  if (name === "certificates") await bundle(join(KEEPER_DIR, "main.ts"), join(folder, "keeper.mjs"), "esm");
  makeReadable(folder);
}

/** One file with everything that it needs: the image has no npm. */
export async function bundleAgent(file: string): Promise<void> {
  await bundle(join(AGENT_DIR, "main.ts"), file, "cjs");
}

async function bundle(entry: string, outfile: string, format: "cjs" | "esm"): Promise<void> {
  const { build } = await import("esbuild");
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: "node",
    target: "node24",
    format,
    legalComments: "inline",
    logLevel: "error",
    // A package of the older kind asks for others where it is used.
    ...(format === "esm"
      ? {
          banner: {
            js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
          },
        }
      : {}),
  });
}

/** COPY keeps modes: the files of a clone made under a strict umask could not be read by the images' users. */
export function makeReadable(folder: string): void {
  for (const entry of readdirSync(folder)) {
    const path = join(folder, entry);
    const stat = statSync(path);
    const open = stat.isDirectory() || (stat.mode & 0o100) !== 0;
    chmodSync(path, open ? 0o755 : 0o644);
    if (stat.isDirectory()) makeReadable(path);
  }
}
