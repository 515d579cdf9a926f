import { z } from "zod";
import { integer, preset } from "../fields.ts";

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
});
