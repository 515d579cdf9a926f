import { z } from "zod";
import {
  address,
  cpus,
  flag,
  hosts,
  id,
  imageReference,
  integer,
  mebibytes,
  optional,
  port,
  preset,
  ranges,
  required,
  seconds,
  text,
} from "../fields.ts";
import { isSitePath, redirects } from "./sitePaths.ts";

/** What the proxy answers with unless `proxy.headers` says otherwise. */
export const defaultHeaders: Readonly<Record<string, string>> = {
  "X-Frame-Options": "SAMEORIGIN",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "strict-origin-when-cross-origin",
};

const headers = z
  .record(
    z.string().regex(/^[A-Za-z][A-Za-z0-9-]*$/),
    // nginx reads `$` as the start of a variable, and has no way to escape it.
    text("a header's value in one line, without $", (value) => !/[\u0000-\u001f\u007f$]/.test(value)),
  )
  .meta({ expects: "headers: names of letters, digits and hyphens, with values in one line, without $" });

/** What holds for a path and all below it, in place of what the whole site has. */
const paths = z
  .record(
    z.string().refine((value) => value !== "/" && isSitePath(value)),
    z
      .strictObject({
        uploadLimit: optional(integer(1, 10_240, "MiB"), "The largest request body there", "`proxy.uploadLimit`"),
        timeout: optional(
          seconds(3600),
          "How long the application may take there until it begins to answer, and between two parts of its answer",
          "`proxy.timeout`",
        ),
      })
      .meta({ expects: "an object with uploadLimit or timeout" }),
  )
  .meta({ expects: "limits by path, such as /import, each an object with uploadLimit or timeout" });

/** nginx. */
export const proxy = z.strictObject({
  image: required(imageReference(), "nginx's image"),
  uid: preset(id(), 101, "The user that it runs as"),
  gid: preset(id(), 101, "The group that it runs as"),
  port: preset(port(), 8080, "The published port"),
  interface: preset(address(), "127.0.0.1", "The address on which the port is published"),
  uploadLimit: preset(integer(1, 10_240, "MiB"), 32, "The largest request body"),
  timeout: preset(
    seconds(3600),
    60,
    "How long the application may take until it begins to answer, and between two parts of its answer",
  ),
  longestRequest: optional(
    seconds(),
    "How long a request may last in all, such as a stream of events or a large export: then PHP-FPM ends it",
    "as long as `timeout`",
  ),
  paths: preset(paths, {}, "Other limits for a path and all below it"),
  redirects: preset(redirects(), {}, "Paths that lead elsewhere for good: path and where, 308 unless a status is said"),
  drainTimeout: optional(
    seconds(3600),
    "How long what a visitor holds open, such as a websocket or a download, lasts after a release; " +
      "then it is closed, and a client that connects again finds the new release",
    "300; a release waits for `timeout` and 15 seconds of that",
  ),
  gzip: preset(
    flag(),
    true,
    "Compress answers: by brotli where nginx has the module, and the client takes it, else by gzip",
  ),
  trustedProxies: preset(
    ranges(),
    [],
    "Proxies in front, whose X-Forwarded-For, -Proto, -Host, -Port and -Prefix are believed; 127.0.0.1 is one that " +
      "runs on the Docker host itself",
  ),
  hosts: preset(
    hosts(),
    [],
    "Further names that the site is served under, beside that of APP_URL: `www.example.com`, `*.example.com` for all " +
      "below it, or `*` for any; requests for others are answered with 421",
  ),
  connections: preset(
    integer(0, 65_535),
    256,
    "How many requests of one address are served at once; more are answered with 429; 0 for no limit",
  ),
  headers: preset(headers, {}, "Response headers, added to the security headers below; an empty value removes one"),
  memory: preset(mebibytes(16), 128, "Memory limit"),
  cpus: preset(cpus(), 0.5, "Processor limit"),
});
