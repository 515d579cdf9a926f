import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
import type { HealthCheck } from "../servers/health.ts";
import { container } from "./container.ts";
import { type Laravel, laravelSpec } from "./laravel.ts";

type WorkerSettings = Settings["workers"][string];

export interface WorkerArgs {
  readonly laravel: Laravel;
  /** Its name in the network. */
  readonly worker: string;
  /** `drydock:workers.NAME`: limits in MiB and processors of each replica, the longest job in seconds. */
  readonly settings: WorkerSettings;
  /** What it waits for: the switch, or, where the proxy sends requests to it, what the replicas wait for. */
  readonly after: pulumi.Input<pulumi.Resource>[];
}

/**
 * One more process of the application's image, as `drydock:workers.NAME` says. It is released as Horizon is: the new
 * one has proven itself before the old one is asked to finish what it does.
 */
export class Worker extends pulumi.ComponentResource {
  readonly containers: docker.Container[];
  /** Its name in the network. */
  readonly worker: string;
  /** Where it is a server: its port, and what the proxy hands to it. */
  readonly http: WorkerSettings["http"];

  constructor(name: string, args: WorkerArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Worker", name, {}, options);
    const { laravel, worker, settings, after } = args;
    this.worker = worker;
    this.http = settings.http;
    const spec = laravelSpec(laravel, "worker");
    const [app, ...others] = spec.networks;
    this.containers = Array.from({ length: settings.replicas }, (_, index) =>
      container(
        laravel.stack,
        `${name}-${index + 1}`,
        {
          ...spec,
          networks: [{ ...app!, ...(settings.http === undefined ? {} : { aliases: [worker] }) }, ...others],
          limits: settings,
          init: true,
          command: settings.command,
          health: healthCheck(laravel.app.path, settings),
          stopSignal: "SIGTERM",
          stopTimeout: settings.longestJob + 10,
        },
        "new-before-old",
        { parent: this, dependsOn: after },
      ),
    );
    this.registerOutputs({ containers: this.containers.map(({ name }) => name) });
  }
}

function healthCheck(path: string, { http }: WorkerSettings): HealthCheck {
  if (http === undefined) return { test: ["CMD", "php", "/drydock/worker.php", path, "process"], timeout: 10 };
  if (http.healthPath === undefined)
    return { test: ["CMD", "php", "/drydock/worker.php", path, "port", String(http.port)], timeout: 10 };
  return { test: ["CMD", "php", "-n", "/drydock/http.php", `http://127.0.0.1:${http.port}${http.healthPath}`] };
}
