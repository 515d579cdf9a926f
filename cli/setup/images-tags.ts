import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const IMAGES = ["base", "php", "proxy", "database", "redis", "backup", "certificates", "monitoring"] as const;
export type ImageName = (typeof IMAGES)[number];
/**
 * What every stack runs; the machine's edge has one of its own beside them, and builds it when it comes up, as a stack
 * does that is measured.
 */
export const OF_A_STACK = IMAGES.filter((name) => name !== "certificates" && name !== "monitoring");
export type ImageReferences = Readonly<Record<ImageName, string>>;

/** What a reader of `docker images` wants to know first; the hash behind it is what decides. */
const SERIES: Readonly<Record<ImageName, string>> = {
  base: "forky",
  php: "8.4",
  proxy: "1.30",
  database: "11.8",
  redis: "8.0",
  backup: "1",
  certificates: "1",
  monitoring: "1",
};

/** The folder with a folder for each image. */
export const IMAGES_DIR = fileURLToPath(new URL("../../images", import.meta.url));

/** What the backup image holds beside its folder: the agent, bundled from here with the packages below. */
export const AGENT_DIR = fileURLToPath(new URL("../../agent", import.meta.url));
/** The same for the image of the certificates' keeper. */
export const KEEPER_DIR = fileURLToPath(new URL("../../certificates", import.meta.url));
const KEEPER_PACKAGES = ["nodemailer", "zod"] as const;
/** What all programs share and agree on; the agent is bundled from it as well. */
const SHARED_DIRS = ["lib", "contracts"].map((folder) => fileURLToPath(new URL(`../../${folder}`, import.meta.url)));
/** The same for the collector in the image of monitoring. */
export const COLLECTOR_DIR = fileURLToPath(new URL("../../collector", import.meta.url));
const COLLECTOR_PACKAGES = ["prom-client", "zod"] as const;
const AGENT_PACKAGES = [
  "@aws-sdk/client-s3",
  "commander",
  "croner",
  "mysql2",
  "nodemailer",
  "pino",
  "prom-client",
  "zod",
] as const;

function bundleHash(folder: string, names: readonly string[]): string {
  const { dependencies } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    dependencies: Record<string, string>;
  };
  const packages = names.map((name) => `${name}@${dependencies[name]}`).join("\n");
  return [...SHARED_DIRS, folder].reduce((hash, one) => contentHash(one, hash), packages);
}

/** What is bundled into an image. */
function bundled(name: ImageName): string[] {
  if (name === "backup") return [bundleHash(AGENT_DIR, AGENT_PACKAGES)];
  if (name === "monitoring") return [bundleHash(COLLECTOR_DIR, COLLECTOR_PACKAGES)];
  return name === "certificates" ? [bundleHash(KEEPER_DIR, KEEPER_PACKAGES)] : [];
}

/** A folder's content (names, run bits, bytes) as 12 hex digits, mixed with `parent`. Times and owners don't count. */
export function contentHash(folder: string, parent = ""): string {
  const hash = createHash("sha256").update(parent);
  const add = (relative: string): void => {
    const path = join(folder, relative);
    const stat = lstatSync(path);
    if (stat.isDirectory()) {
      for (const entry of readdirSync(path).sort()) add(join(relative, entry));
    } else {
      const content = readFileSync(path);
      hash.update(`${relative}\0${(stat.mode & 0o100) !== 0 ? "x" : "-"}\0${content.length}\0`).update(content);
    }
  };
  add(".");
  return hash.digest("hex").slice(0, 12);
}

/**
 * The references of all images, from the content of their folders (and of agent/ and certificates/) alone: no engine is
 * asked. All others depend on the base and change with it.
 * @param dir the folder with a folder for each image. @default the project's images/
 */
export function imageTags(dir: string = IMAGES_DIR): ImageReferences {
  const base = contentHash(join(dir, "base"));
  const hashOf = (name: ImageName): string =>
    name === "base" ? base : contentHash(join(dir, name), [base, ...bundled(name)].join("\n"));
  const reference = (name: ImageName): string => `drydock/${name}:${SERIES[name]}-${hashOf(name)}`;
  return Object.fromEntries(IMAGES.map((name) => [name, reference(name)])) as Record<ImageName, string>;
}
