import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { Environment, Settings } from "../config/settings.ts";

export type { Role } from "../config/roles.ts";

/** What every component of a stack needs to know. */
export interface Context {
  /** The Pulumi project's name. */
  readonly project: string;
  /** The Pulumi stack's name; the value of the label `drydock.stack`. */
  readonly stack: string;
  readonly settings: Settings;
  readonly environment: Environment;
  /** The application image that this release runs: a reference with a tag or a digest. */
  readonly image: string;
  /**
   * Which release this is, 12 hex digits: the same application image, environment and start-up make the same release.
   */
  readonly release: string;
}

/** 12 hex digits that name a value; equal values have equal names. */
export function fingerprint(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 12);
}

/**
 * Files of runtime/ by name, as the containers have them. The doctor's is delivered for one look, so no release depends
 * on it.
 */
export const runtime: Readonly<Record<string, string>> = Object.fromEntries(
  readdirSync(new URL("../runtime/", import.meta.url))
    .filter((name) => !name.endsWith(".md") && !["doctor.php", "reach.php"].includes(name))
    .map((name) => [name, readFileSync(new URL(`../runtime/${name}`, import.meta.url), "utf8")]),
);

/**
 * Names the release that these inputs make.
 * @param id what the image is, where its name can come to mean another one
 */
export function releaseOf(image: string, id: string | undefined, environment: Environment, settings: Settings): string {
  const { path, server, command, cache, maxChildren, php } = settings.app;
  // A variable that becomes a secret, or none any more, changes the containers, too.
  const plain = Object.keys(environment.plain);
  return fingerprint({
    image,
    id,
    env: environment.hash,
    plain,
    runtime,
    path,
    server,
    command,
    cache,
    maxChildren,
    php,
  });
}

/** The site's host name, from APP_URL. */
export function siteHost(context: Context): string {
  return new URL(context.environment.plain.APP_URL ?? "http://localhost").hostname;
}
