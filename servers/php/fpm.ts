import type { Settings } from "../../config/settings.ts";

/**
 * The whole configuration of PHP-FPM, so that an image needs none of ours.
 *
 * @param longestRequest how long a request may last in all, in seconds
 */
export function fpmConfiguration(
  app: Pick<Settings["app"], "maxChildren" | "stopTimeout" | "port">,
  longestRequest: number,
): string {
  const spare = Math.max(1, Math.ceil(app.maxChildren / 4));
  return [
    "[global]",
    "daemonize = no",
    "error_log = /proc/self/fd/2",
    // 0, the default, cuts the requests in flight at a graceful stop.
    `process_control_timeout = ${Math.max(1, app.stopTimeout - 5)}s`,
    "",
    "[www]",
    // Who has FPM's port may run any code: on the network of database and Redis nobody needs it (see runtime/start.sh).
    `listen = \${DRYDOCK_LISTEN}:${app.port}`,
    "pm = dynamic",
    `pm.max_children = ${app.maxChildren}`,
    `pm.start_servers = ${spare}`,
    "pm.min_spare_servers = 1",
    `pm.max_spare_servers = ${Math.max(spare, Math.ceil(app.maxChildren / 2))}`,
    "pm.max_requests = 1000",
    // It counts all of a request, nginx the time between two parts of the answer.
    `request_terminate_timeout = ${longestRequest}s`,
    "clear_env = no",
    "catch_workers_output = yes",
    "decorate_workers_output = no",
    "",
  ].join("\n");
}
