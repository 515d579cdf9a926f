import { setCommand, removeCommand, type Problem } from "./problems.ts";
import type { Context } from "./environment.ts";
import { stageOf } from "./stage.ts";

/** The settings of which each is right by itself; a wrong one is left out. */
export type LenientSettings = Context["settings"];

/** The rules between settings, and those that depend on the stage. */
export function checkTogether(settings: LenientSettings, env: Readonly<Record<string, string>>, stack: string): Problem[] {
  const { app, database, redis, proxy } = settings;
  const stage = stageOf(stack, env["APP_ENV"]);
  const problems: Problem[] = [];
  const add = (path: string, message: string, remedy?: string) => problems.push({ path: `drydock:${path}`, message, ...(remedy === undefined ? {} : { remedy }) });
  const set = (path: string, value: string) => setCommand(`drydock:${path}`, value, stack);

  if (app?.image !== undefined && app.build !== undefined)
    add("app.image", "is set together with drydock:app.build: expected one of them", removeCommand("drydock:app.build", stack));
  if (app !== undefined && "image" in app && "build" in app && app.image === undefined && app.build === undefined)
    add("app.image", "is missing: expected the application's image, or drydock:app.build to build it", set("app.image", "registry.example.com/shop:1.4"));
  if (app?.build !== undefined && stage === "production")
    add("app.build", "is set in production, which runs only images that were built and tested before", removeCommand("drydock:app.build", stack));

  for (const [path, image] of [["app.image", app?.image], ["app.pinned", app?.pinned], ["database.image", database?.image], ["redis.image", redis?.image], ["proxy.image", proxy?.image]] as const) {
    const problem = image === undefined || stage === "local" ? undefined : unpinned(image, stage === "production");
    if (problem !== undefined) add(path, `is ${JSON.stringify(image)}, ${problem}`, set(path, `${image!.replace(/(:[\w.-]+)?$/, "")}@sha256:DIGEST`));
  }

  below("database.bufferPool", database?.bufferPool, database?.memory);
  below("redis.maxmemory", redis?.maxmemory, redis?.memory);
  return problems;

  function below(path: string, value: number | undefined, limit: number | undefined) {
    if (value !== undefined && limit !== undefined && value >= limit)
      add(path, `is ${value} MiB, but the container may use ${limit} MiB: expected less, for the server needs some itself`, set(path, String(Math.floor(limit / 2))));
  }
}

/** Why a reference could mean another image tomorrow, or undefined. */
function unpinned(image: string, digest: boolean): string | undefined {
  if (image.includes("@sha256:")) return undefined;
  if (image.startsWith("sha256:")) return "the id of an image on one machine: expected a registry's image";
  if (digest) return "a tag can be moved: expected a digest (@sha256:…) in production";
  const tag = /:([\w][\w.-]*)$/.exec(image.slice(image.lastIndexOf("/") + 1))?.[1];
  return tag === undefined || tag === "latest" ? "which means another image each time: expected a version's tag or a digest" : undefined;
}
