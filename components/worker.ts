import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { container } from "./container.ts";
import type { Context } from "./context.ts";
import type { HealthCheck } from "./health.ts";
import { laravelSpec } from "./laravel.ts";
import type { Network } from "./network.ts";
import type { Volumes } from "./volumes.ts";

type WorkerSettings = Context["settings"]["workers"][string];

export interface WorkerArgs {
  readonly network: Network;
  readonly volumes: Volumes;
  /** What it waits for: the switch, or, where the proxy sends requests to it, what the replicas wait for. */
  readonly after: pulumi.Input<pulumi.Resource>[];
}

/**
 * One more process of the application's image, as `drydock:workers.NAME` says. It is released as Horizon is: the new
 * one has proven itself before
 * the old one is asked to finish what it does.
 */
export class Worker extends pulumi.ComponentResource {
  readonly containers: docker.Container[];

  constructor(
    readonly worker: string,
    context: Context,
    args: WorkerArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Worker", `worker-${worker}`, {}, options);
    const settings = context.settings.workers[worker]!;
    const spec = laravelSpec(context, "worker", args);
    const [app, ...others] = spec.networks;
    this.containers = Array.from({ length: settings.replicas }, (_, index) =>
      container(
        context,
        `worker-${worker}-${index + 1}`,
        {
          ...spec,
          networks: [{ ...app!, ...(settings.http === undefined ? {} : { aliases: [worker] }) }, ...others],
          limits: settings,
          init: true,
          command: settings.command,
          health: healthCheck(context, settings),
          stopSignal: "SIGTERM",
          stopTimeout: settings.longestJob + 10,
        },
        "new-before-old",
        { parent: this, dependsOn: args.after },
      ),
    );
    this.registerOutputs({ containers: this.containers.map(({ name }) => name) });
  }
}

function healthCheck(context: Context, { http }: WorkerSettings): HealthCheck {
  const { path } = context.settings.app;
  if (http === undefined) return { test: ["CMD", "php", "/drydock/worker.php", path, "process"], timeout: 10 };
  if (http.healthPath === undefined)
    return { test: ["CMD", "php", "/drydock/worker.php", path, "port", String(http.port)], timeout: 10 };
  return { test: ["CMD", "php", "-n", "/drydock/http.php", `http://127.0.0.1:${http.port}${http.healthPath}`] };
}

/**
 * The stack's workers of one kind: servers, which the proxy or other containers send requests to and which are there
 * before the switch, or those that
 * take jobs, which start after it.
 */
export function workersOf(
  kind: "servers" | "jobs",
  context: Context,
  args: WorkerArgs,
  options?: pulumi.ComponentResourceOptions,
): Worker[] {
  return Object.entries(context.settings.workers)
    .filter(([, { http }]) => (http !== undefined) === (kind === "servers"))
    .map(([name]) => new Worker(name, context, args, options));
}
