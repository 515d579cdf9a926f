import { z } from "zod";
import {
  argv,
  cpus,
  flag,
  integer,
  isServiceName,
  list,
  mebibytes,
  optional,
  port,
  preset,
  required,
  seconds,
  text,
} from "../fields.ts";

/** Laravel's scheduler. */
export const scheduler = z.strictObject({
  enabled: preset(flag(), true, "Run the scheduler (`schedule:work`), exactly one"),
  memory: preset(mebibytes(32), 192, "Memory limit"),
  cpus: preset(cpus(), 1, "Processor limit"),
  stopTimeout: preset(seconds(), 70, "How long running tasks may finish before a release ends them"),
});

/** Horizon, or what takes its place. */
export const horizon = z.strictObject({
  enabled: preset(flag(), true, "Run Horizon; an application without it says `false` and has `workers`, if any"),
  command: preset(
    argv(),
    ["php", "artisan", "horizon"],
    "The command of Horizon's container, such as a `queue:work` instead",
  ),
  memory: preset(mebibytes(32), 512, "Memory limit: about 64 MiB for each process of `maxProcesses`, and 128"),
  cpus: preset(cpus(), 1, "Processor limit"),
  longestJob: preset(seconds(), 60, "The longest job; the old workers get 10 seconds more to finish"),
});

const urlPath = () => text("a path that begins with /, such as /app", (value) => /^\/[\w./~%-]+$/.test(value), "/app");

/** A server that a worker is. */
const http = z.strictObject({
  port: required(port(), "The port on which it listens, on all interfaces of its container"),
  paths: preset(
    list(urlPath(), 'a list of paths, such as ["/app","/apps"]', '["/app","/apps"]'),
    [],
    "What begins with one of these, the proxy hands to it, websockets included; the others reach it by its name " +
      "and port",
  ),
  healthPath: optional(
    urlPath(),
    "The path that answers 2xx when it is healthy",
    "it is healthy when its port is open",
  ),
});

/** One more process of the application's image, beside or in place of Horizon. */
const worker = z.strictObject({
  command: required(argv(), "The command"),
  replicas: preset(integer(1, 100), 1, "How many containers run it"),
  memory: preset(mebibytes(16), 256, "Memory limit of each"),
  cpus: preset(cpus(), 1, "Processor limit of each"),
  longestJob: preset(seconds(), 60, "The longest job; an old one gets 10 seconds more to finish what it does"),
  http: optional(
    http.meta({ expects: "an object with port, and if needed paths and healthPath" }),
    "Where it is a server",
    "none: it takes jobs, or does something by itself",
  ),
});

/** More processes of the application's image, by name. */
export const workers = z
  .record(
    z.string().refine(isServiceName),
    worker.meta({ expects: "an object with command, and if needed replicas, memory, cpus, longestJob and http" }),
  )
  .meta({
    expects:
      "workers by name (small letters, digits and hyphens; not what a service is called), each an object with command",
  });
