import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { container } from "./container.ts";
import type { HealthCheck } from "./health.ts";
import type { Context } from "./context.ts";
import { laravelSpec } from "./laravel.ts";
import type { Network } from "./network.ts";
import type { Volumes } from "./volumes.ts";

/** PHP-FPM's configuration in the container. */
const FPM = "/run/drydock/fpm.conf";

/** The replicas. Each release makes new ones beside the old; the old ones go last, when all of the release has succeeded. */
export class App extends pulumi.ComponentResource {
  readonly replicas: docker.Container[] = [];

  constructor(
    name: string,
    context: Context,
    args: { network: Network; volumes: Volumes; after: pulumi.Input<pulumi.Resource>[] },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:App", name, {}, options);
    const { app } = context.settings;
    const fpm = app.server === "fpm";
    const together = app.startTogether === 0 ? app.replicas : app.startTogether;
    const spec = laravelSpec(context, "app", args);
    const command = fpm ? fpmCommand(context) : app.command;

    for (let index = 0; index < app.replicas; index++) {
      const previous = this.replicas[index - together];
      this.replicas.push(
        container(
          context,
          `${name}-${index + 1}`,
          {
            ...spec,
            limits: app,
            files: [...(spec.files ?? []), ...(fpm ? [{ path: FPM, content: fpmConfiguration(context), mode: "0444", owner: "root" as const }] : [])],
            // An image that serves HTTP by itself keeps its own start unless the stack's file names a command.
            entrypoint: command === undefined ? undefined : spec.entrypoint,
            command,
            health: healthCheck(context),
            // SIGQUIT lets PHP-FPM finish what it serves; SIGTERM would cut it.
            stopSignal: fpm ? "SIGQUIT" : "SIGTERM",
            stopTimeout: app.stopTimeout,
          },
          "new-before-old",
          { parent: this, dependsOn: previous === undefined ? args.after : [...args.after, previous] },
        ),
      );
    }
    this.registerOutputs({ replicas: this.replicas.map((replica) => replica.name) });
  }
}

/** The question that decides on a replica's health: `app.healthPath`, over IPv4 (known issue 7), at the port it serves (known issue 8). */
function healthCheck(context: Context): HealthCheck {
  const { app } = context.settings;
  const test =
    app.server === "fpm"
      ? ["CMD", "php", "-n", "/drydock/ready.php", `127.0.0.1:${app.port}`, app.healthPath, `${app.path}/public/index.php`]
      : ["CMD", "php", "-n", "/drydock/http.php", `http://127.0.0.1:${app.port}${app.healthPath}`];
  return { test };
}

/** Where the replicas' PHP-FPM are, for fcgi.php in one of them: HOST:PORT with commas. */
export function fpmAddresses(replicas: readonly docker.Container[], port: number): pulumi.Output<string> {
  return pulumi.all(replicas.map(({ name }) => name)).apply((names) => names.map((name) => `${name}:${port}`).join(","));
}

/** PHP-FPM as `app.command` starts it, with settings that any image's PHP-FPM understands. */
function fpmCommand(context: Context): string[] {
  const { app, proxy } = context.settings;
  const settings = {
    expose_php: "0",
    "opcache.enable": "1",
    // The code of an image never changes; that OPcache has it is proven after each switch (known issue 6).
    "opcache.validate_timestamps": "0",
    upload_max_filesize: `${proxy.uploadLimit}M`,
    post_max_size: `${proxy.uploadLimit + 1}M`,
  };
  return [...(app.command ?? ["php-fpm", "-F"]), "-y", FPM, ...Object.entries(settings).flatMap(([key, value]) => ["-d", `${key}=${value}`])];
}

/** The whole configuration of PHP-FPM, so that an image needs none of ours. */
export function fpmConfiguration(context: Context): string {
  const { app, proxy } = context.settings;
  const spare = Math.max(1, Math.ceil(app.maxChildren / 4));
  return [
    "[global]",
    "daemonize = no",
    "error_log = /proc/self/fd/2",
    // 0, the default, cuts the requests in flight at a graceful stop.
    `process_control_timeout = ${Math.max(1, app.stopTimeout - 5)}s`,
    "",
    "[www]",
    `listen = 0.0.0.0:${app.port}`,
    "pm = dynamic",
    `pm.max_children = ${app.maxChildren}`,
    `pm.start_servers = ${spare}`,
    "pm.min_spare_servers = 1",
    `pm.max_spare_servers = ${Math.max(spare, Math.ceil(app.maxChildren / 2))}`,
    "pm.max_requests = 1000",
    // It counts all of a request, nginx the time between two parts of the answer.
    `request_terminate_timeout = ${proxy.longestRequest ?? proxy.timeout}s`,
    "clear_env = no",
    "catch_workers_output = yes",
    "decorate_workers_output = no",
    "",
  ].join("\n");
}
