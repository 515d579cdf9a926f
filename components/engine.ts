import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
import { askEngine, DEFAULT_HOST, type DockerEngine } from "../lib/dockerEngine.ts";
import { judgeVersion } from "../lib/dockerVersion.ts";

/** Where the stack's Docker engine is, as in DOCKER_HOST. */
export function hostOf({ docker }: Settings): string {
  return docker.host ?? process.env.DOCKER_HOST ?? DEFAULT_HOST;
}

/**
 * The Docker engine that the stack is for; undefined where it doesn't answer: a preview needs none. Over ssh only a
 * build
 * asks, which can't do without; `./drydock` asks there by itself.
 *
 * @throws pulumi.RunError where it is too old, before anything is registered
 */
export async function engineOf(settings: Settings): Promise<DockerEngine | undefined> {
  const { app } = settings;
  const host = hostOf(settings);
  if (host.startsWith("ssh://") && app.build === undefined) return undefined;
  const engine = await askEngine(host);
  const old = engine === undefined ? undefined : judgeVersion(host, engine.version, engine.api);
  if (old !== undefined) throw new pulumi.RunError(`${old.what}\n${old.remedy}`);
  return engine;
}
