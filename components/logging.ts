import type * as docker from "@pulumi/docker";
import type { StackIdentity } from "./stack.ts";

/** What a collector learns of a line beside its text. */
const LABELS = "drydock.stack,drydock.role,drydock.release";

/** How each of Docker's drivers is told where a collector is, and whose lines it gets. */
const SHIPPED = {
  syslog: (address: string, stack: string) => ({
    "syslog-address": `udp://${address}`,
    // Lines of one second stay in their order.
    "syslog-format": "rfc5424micro",
    // Docker sends it as program and as MSGID, which may have 32 characters: strict collectors refuse a longer one.
    tag: `{{truncate (printf "${stack}/%s" .Name) 32}}`,
  }),
  gelf: (address: string, stack: string) => ({
    "gelf-address": `udp://${address}`,
    labels: LABELS,
    tag: `drydock/${stack}/{{.Name}}`,
  }),
  fluentd: (address: string, stack: string) => ({
    "fluentd-address": address,
    // Without it a container doesn't start where nobody listens.
    "fluentd-async": "true",
    "fluentd-sub-second-precision": "true",
    labels: LABELS,
    // Its parts are what <match drydock.**> and the like take.
    tag: `drydock.${stack}.{{.Name}}`,
  }),
} as const;

/**
 * How Docker logs what a container writes: into files that are rotated, or to a collector. Then Docker keeps files of
 * its own, which `docker logs` reads (five of 20 MB: it knows options for that, and ignores them), and lines that
 * nobody takes are dropped in place of stopping who writes.
 */
export function logging({
  stack,
  logs,
}: Pick<StackIdentity, "stack" | "logs">): Pick<docker.ContainerArgs, "logDriver" | "logOpts"> {
  const { maxSize, maxFiles, ship } = logs;
  if (ship === undefined)
    return { logDriver: "json-file", logOpts: { "max-size": `${maxSize}m`, "max-file": String(maxFiles) } };
  const [driver, address = ""] = ship.split("://") as [keyof typeof SHIPPED, string?];
  return {
    logDriver: driver,
    logOpts: { mode: "non-blocking", "max-buffer-size": "4m", ...SHIPPED[driver](address, stack) },
  };
}
