import { z } from "zod";
import {
  argv,
  cpus,
  flag,
  id,
  imageReference,
  isServiceName,
  mebibytes,
  optional,
  path,
  preset,
  required,
  seconds,
  text,
} from "../fields.ts";

const variables = z
  .record(
    z.string().regex(/^[A-Za-z_]\w*$/),
    text("a text", () => true),
  )
  .meta({ expects: "variables: names of letters, digits and underscores, with texts" });

const files = z
  .record(
    z.string().regex(/^(\/[\w.@+-]+)+$/),
    text("a text", () => true),
  )
  .meta({ expects: "files: absolute paths in the container, with their texts" });

/** A container that the application needs besides database and Redis. */
const service = z.strictObject({
  image: required(imageReference(), "Its image"),
  entrypoint: optional(argv(), "The entry point", "the image's own"),
  command: optional(argv(), "The command", "the image's own"),
  env: preset(variables, {}, "Its variables; never a secret, for they can be read with `docker inspect`"),
  files: preset(
    files,
    {},
    "Files for it, by path, which its user alone can read: the place for secrets (set with `--secret`) " +
      "and configurations",
  ),
  volume: optional(
    path("an absolute path, such as /data", "/data"),
    "Where it keeps its data: a volume of its own, which outlives releases",
    "none: what it writes is gone with the container",
  ),
  backup: preset(
    flag(),
    true,
    "Whether the volume is in the backups; it is read while the service runs, and `false` says that it can be lost",
  ),
  uid: preset(id(), 1000, "The user that it runs as"),
  gid: preset(id(), 1000, "The group that it runs as"),
  memory: preset(mebibytes(16), 256, "Memory limit"),
  cpus: preset(cpus(), 0.5, "Processor limit"),
  health: required(argv(), "The command in the container that ends with 0 when it is healthy"),
  outbound: preset(
    flag(),
    false,
    "Whether it may reach other machines; without it, it is on the internal network alone",
  ),
  startTimeout: preset(seconds(), 60, "How long it may take to become healthy"),
  stopTimeout: preset(seconds(), 30, "How long it may take to stop"),
});

/** Services of the stack, by the name that they have inside it. */
export const services = z
  .record(
    z.string().refine(isServiceName),
    service.meta({ expects: "an object with image and health, and if needed command, env, files, volume" }),
  )
  .meta({
    expects:
      "services by name (small letters, digits and hyphens; not what Drydock's own are called), " +
      "each an object with image and health",
  });
