import { execFile } from "node:child_process";
import { request } from "node:http";
import { promisify } from "node:util";
import type { EngineLimits } from "./dockerLimits.ts";

/** How long a Docker host may take to say its version, in ms. */
const PATIENCE = 10_000;
/** Where the docker client and Pulumi's plugin look where nothing is said. */
export const DEFAULT_HOST = "unix:///var/run/docker.sock";

/** What a Docker engine says of itself. */
export interface DockerEngine {
  readonly version: string;
  /** The newest version of its API. */
  readonly api: string;
  /** What its images are built for, as "linux/amd64". */
  readonly platform: string;
}

/**
 * Asks a Docker engine what it is; undefined where it doesn't answer.
 * @param host as in DOCKER_HOST
 */
export async function askEngine(host: string, env: NodeJS.ProcessEnv = process.env): Promise<DockerEngine | undefined> {
  const said = (await askHost<Said>(host, "/version", ["version", "--format", "{{json .Server}}"], env)) ?? {};
  const { Os, Arch, Version, ApiVersion, APIVersion = ApiVersion } = said;
  return typeof Os === "string" && typeof Arch === "string" && typeof APIVersion === "string"
    ? { version: typeof Version === "string" ? Version : "", api: APIVersion, platform: `${Os}/${Arch}` }
    : undefined;
}

/**
 * Asks an engine which limits it holds; undefined where it doesn't answer.
 * @param host as in DOCKER_HOST
 */
export function askLimits(host: string, env: NodeJS.ProcessEnv = process.env): Promise<EngineLimits | undefined> {
  return askHost<EngineLimits>(host, "/info", ["info", "--format", "{{json .}}"], env);
}

interface Image {
  readonly Id?: string;
  readonly RepoDigests?: readonly string[] | null;
}

/**
 * The ids of those images that were made on the Docker host, sorted. One that was pulled has a digest of its registry,
 * and is none: it comes while a release is at work, and the next release would take it for another.
 * @param host as in DOCKER_HOST
 */
export async function localImages(references: readonly string[], host: string): Promise<readonly string[]> {
  const found = await Promise.all(
    references.map((reference) =>
      askHost<Image>(host, `/images/${reference}/json`, ["image", "inspect", "--format", "{{json .}}", reference]),
    ),
  );
  return found
    .flatMap((image) => {
      if (image?.Id === undefined) return [];
      // With containerd's store an image that was made here has a digest, too: its own id.
      return (image.RepoDigests ?? []).every((digest) => digest.endsWith(`@${image.Id}`)) ? [image.Id] : [];
    })
    .sort();
}

interface Said {
  readonly Os?: unknown;
  readonly Arch?: unknown;
  readonly Version?: unknown;
  /** The engine's own name for it. */
  readonly ApiVersion?: unknown;
  /** The client's. */
  readonly APIVersion?: unknown;
}

/**
 * A question over the socket takes some milliseconds, one by the docker client a tenth of a second.
 * @param path of the engine's API, and `words` for the client that answer the same
 */
async function askHost<T>(
  host: string,
  path: string,
  words: readonly string[],
  env = process.env,
): Promise<T | undefined> {
  try {
    if (host.startsWith("unix://")) return await ask<T>(host.slice("unix://".length), path);
    const { stdout } = await promisify(execFile)("docker", words, {
      env: { ...env, DOCKER_HOST: host },
      timeout: PATIENCE,
    });
    return JSON.parse(stdout) as T;
  } catch {
    return undefined;
  }
}

function ask<T>(socketPath: string, path: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const question = request({ socketPath, path, timeout: PATIENCE }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => (text += part));
      answer.on("end", () => {
        try {
          resolve(JSON.parse(text) as T);
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    question.on("timeout", () => question.destroy(new Error("no answer")));
    question.on("error", reject).end();
  });
}
