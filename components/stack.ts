import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { Environment, Settings } from "../config/settings.ts";
import type { Stage } from "../config/stage.ts";

/** Which stack a resource belongs to, and what holds for all of its resources. */
export interface StackIdentity {
  /** The value of the label `drydock.stack`. */
  readonly stack: string;
  /** How careful Drydock has to be: by the stack's name and APP_ENV. */
  readonly stage: Stage;
  /** The Docker engine, as in DOCKER_HOST. @default what DOCKER_HOST says, or the local engine */
  readonly dockerHost?: string | undefined;
  /** Docker's log files: `maxSize` in MiB for each, and how many; and where else the logs go. */
  readonly logs: Pick<Settings["logs"], "maxSize" | "maxFiles" | "ship">;
  /** What the names of the stack's resources begin with: "" for none. */
  readonly prefix: string;
}

/** Which release a container belongs to. */
export interface ReleaseIdentity {
  /** 12 hex digits: the same application image, environment and start-up make the same release. */
  readonly release: string;
  /** The application image that it runs: a reference with a tag or a digest. */
  readonly image: string;
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
export function releaseOf(
  image: string,
  id: string | undefined,
  environment: Environment,
  app: Settings["app"],
): ReleaseIdentity {
  const { path, server, command, cache, maxChildren, php } = app;
  // A variable that becomes a secret, or none any more, changes the containers, too.
  const plain = Object.keys(environment.plain);
  const release = fingerprint({
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
  return { release, image };
}
