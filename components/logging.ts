import type * as docker from "@pulumi/docker";
import { defined } from "../lib/defined.ts";
import type { StackIdentity } from "./stack.ts";

/** What a collector learns of a line beside its text. */
const LABELS = "drydock.stack,drydock.role,drydock.release";

/**
 * How Docker logs what a container writes: into files that are rotated, or to a collector. Then Docker keeps as much in
 * files of its own, which `docker logs` reads, and lines that nobody takes are dropped in place of stopping who writes.
 */
export function logging({
  stack,
  logs,
}: Pick<StackIdentity, "stack" | "logs">): Pick<docker.ContainerArgs, "logDriver" | "logOpts"> {
  const { maxSize, maxFiles, ship } = logs;
  if (ship === undefined)
    return { logDriver: "json-file", logOpts: { "max-size": `${maxSize}m`, "max-file": String(maxFiles) } };
  const [driver = "", address = ""] = ship.split("://");
  return {
    logDriver: driver,
    logOpts: {
      ...{ mode: "non-blocking", "max-buffer-size": "4m" },
      ...{ "cache-max-size": `${maxSize}m`, "cache-max-file": String(maxFiles) },
      ...{ labels: LABELS, tag: `drydock/${stack}/{{.Name}}` },
      ...defined({
        "syslog-address": driver === "syslog" ? `udp://${address}` : undefined,
        "syslog-format": driver === "syslog" ? "rfc5424" : undefined,
        "gelf-address": driver === "gelf" ? `udp://${address}` : undefined,
        "fluentd-address": driver === "fluentd" ? address : undefined,
        // Without it a container doesn't start where nobody listens.
        "fluentd-async": driver === "fluentd" ? "true" : undefined,
      }),
    },
  };
}
