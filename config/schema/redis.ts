import { z } from "zod";
import { cpus, flag, id, imageReference, mebibytes, optional, preset, seconds, serverOptions } from "../fields.ts";
import { external } from "./external.ts";

const cache = z.strictObject({
  enabled: optional(
    flag(),
    "Run it; without it, the cache is with sessions and jobs, and where it fills Redis, these fail",
    "true; false where `external` is set",
  ),
  memory: preset(mebibytes(32), 96, "Memory limit"),
  maxmemory: preset(
    mebibytes(1),
    64,
    "What it may store, below the memory limit; then it drops what was not used for longest",
  ),
  cpus: preset(cpus(), 0.25, "Processor limit"),
});

/** Redis: one server that keeps what it has, and one for the cache, which may forget. */
export const redis = z.strictObject({
  external: external("redis", 6379),
  image: optional(
    imageReference(),
    "Redis's image, of 6.2 or later",
    "**required** where one of the two servers is run",
  ),
  uid: preset(id(), 999, "The user that it runs as"),
  gid: preset(id(), 999, "The group that it runs as"),
  memory: preset(mebibytes(32), 192, "Memory limit: half as much again as `maxmemory`, which is needed while it saves"),
  maxmemory: preset(mebibytes(1), 128, "What Redis may store, below the memory limit; full, it refuses to store more"),
  cpus: preset(cpus(), 0.5, "Processor limit"),
  options: preset(
    serverOptions("maxclients"),
    {},
    "Further options of both servers: `maxclients`, `timeout`, `databases`, `appendfsync`, … (docs/data.md)",
  ),
  cache: cache.prefault({}).meta({
    description: "A second server, for the cache alone: full, it costs entries of the cache, never sessions or jobs",
    expects: "an object with enabled, memory, maxmemory or cpus",
  }),
  acceptPassword: preset(
    flag(),
    false,
    "Take a REDIS_PASSWORD in production that exists already and is short, simple or used twice; better: a new one",
  ),
  stopTimeout: preset(seconds(), 30, "How long Redis may take to write its data and stop"),
});

/** Whether the cache has a server of its own. */
export function hasCacheServer({
  cache,
  external,
}: {
  readonly cache?: { readonly enabled?: boolean | undefined };
  readonly external?: unknown;
}): boolean {
  return cache?.enabled ?? external === undefined;
}
