import { z } from "zod";
import { cpus, flag, id, imageReference, mebibytes, preset, required, seconds } from "../fields.ts";

/** Redis. */
export const redis = z.strictObject({
  image: required(imageReference(), "Redis's image, of 6.2 or later"),
  uid: preset(id(), 999, "The user that it runs as"),
  gid: preset(id(), 999, "The group that it runs as"),
  memory: preset(mebibytes(32), 192, "Memory limit"),
  maxmemory: preset(mebibytes(1), 128, "What Redis may store, below the memory limit"),
  cpus: preset(cpus(), 0.5, "Processor limit"),
  acceptPassword: preset(
    flag(),
    false,
    "Take a REDIS_PASSWORD in production that exists already and is short, simple or used twice; better: a new one",
  ),
  stopTimeout: preset(seconds(), 30, "How long Redis may take to write its data and stop"),
});
