import { z } from "zod";
import { cpus, flag, id, imageReference, mebibytes, preset, required, seconds } from "../fields.ts";

const cache = z.strictObject({
  enabled: preset(
    flag(),
    true,
    "Run it; without it, the cache is with sessions and jobs, and where it fills Redis, these fail",
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
  image: required(imageReference(), "Redis's image, of 6.2 or later"),
  uid: preset(id(), 999, "The user that it runs as"),
  gid: preset(id(), 999, "The group that it runs as"),
  memory: preset(mebibytes(32), 192, "Memory limit: half as much again as `maxmemory`, which is needed while it saves"),
  maxmemory: preset(mebibytes(1), 128, "What Redis may store, below the memory limit; full, it refuses to store more"),
  cpus: preset(cpus(), 0.5, "Processor limit"),
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
