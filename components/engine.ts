import * as pulumi from "@pulumi/pulumi";
import { askEngine, askLimits, DEFAULT_HOST, type DockerEngine } from "../lib/dockerEngine.ts";
import { judgeLimits } from "../lib/dockerLimits.ts";
import { judgeVersion } from "../lib/dockerVersion.ts";

/** Where the stack's Docker engine is, as in DOCKER_HOST. @param given what the settings say */
export function hostOf(given: string | undefined): string {
  return given ?? process.env.DOCKER_HOST ?? DEFAULT_HOST;
}

/**
 * The Docker engine that the stack is for; undefined where it doesn't answer: a preview needs none. Over ssh only a
 * build asks, which can't do without; `./drydock` asks there by itself.
 *
 * @param host as in DOCKER_HOST
 * @param builds whether the application's image is built there
 * @throws pulumi.RunError where it is too old, before anything is registered
 */
export async function engineOf(host: string, builds: boolean): Promise<DockerEngine | undefined> {
  if (host.startsWith("ssh://") && !builds) return undefined;
  const [engine, limits] = await Promise.all([askEngine(host), askLimits(host)]);
  const old = engine === undefined ? undefined : judgeVersion(host, engine.version, engine.api);
  if (old !== undefined) throw new pulumi.RunError(`${old.what}\n${old.remedy}`);
  const lost = limits === undefined ? undefined : judgeLimits(host, limits);
  if (lost !== undefined) void pulumi.log.warn(`${lost.what}\n${lost.remedy}`);
  return engine;
}
