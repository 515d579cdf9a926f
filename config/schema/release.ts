import { isIP } from "node:net";
import { z } from "zod";
import { integer, optional, preset, text } from "../fields.ts";

/** What proves a release. */
export const verify = z.strictObject({
  requests: preset(integer(1, 10_000), 20, "Requests through the proxy that must succeed after a release"),
});

/** What each container may use, whatever it is for. */
export const limits = z.strictObject({
  processes: preset(
    integer(100, 4_194_304),
    1024,
    "How many processes and threads a container may have; a database has a thread for each of its connections",
  ),
});

/**
 * Where logs go besides. With each of these a container starts where nobody listens. It doesn't with syslog and GELF
 * over TCP, with a socket that is not there, a host's name that is not known, and with journald on a host without it.
 */
const shipTo = text(
  "syslog://IP:PORT or gelf://IP:PORT (UDP, and by address: a container must start without a name server), or " +
    "fluentd://HOST:PORT",
  (value) => {
    const [, driver, host = "", port] =
      /^(syslog|gelf|fluentd):\/\/(\[[\da-f:]+\]|[\w.-]+):(\d{1,5})$/.exec(value) ?? [];
    if (driver === undefined || Number(port) < 1 || Number(port) > 65_535) return false;
    return driver === "fluentd" || isIP(host.replace(/[[\]]/g, "")) !== 0;
  },
  "syslog://127.0.0.1:514",
);

/** Docker's log files. */
export const logs = z.strictObject({
  maxSize: preset(integer(1, 10_240, "MiB"), 10, "Size of one log file of a container"),
  maxFiles: preset(integer(1, 100), 3, "Log files kept for each container"),
  keepDays: preset(
    integer(0, 365, "days"),
    7,
    "How long the last lines of the containers that a release takes away are kept, " +
      "for `./drydock logs ROLE --before`; 0: not at all",
  ),
  ship: optional(
    shipTo,
    "Where each container's log goes besides: a collector that you have. `./drydock logs` works as before, from five " +
      "files of 20 MB for each container: Docker takes no other limit then. A change replaces every container",
    "nowhere",
  ),
});
