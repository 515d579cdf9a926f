import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { container } from "./container.ts";
import type { Context } from "./context.ts";
import { laravelSpec } from "./laravel.ts";
import type { Network } from "./network.ts";
import type { Volumes } from "./volumes.ts";

/** The scheduler: exactly one, so the old one goes before the new one comes. */
export class Scheduler extends pulumi.ComponentResource {
  readonly container: docker.Container | undefined;

  constructor(
    name: string,
    context: Context,
    args: { network: Network; volumes: Volumes; after: pulumi.Input<pulumi.Resource>[] },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Scheduler", name, {}, options);
    const { app, scheduler } = context.settings;
    if (scheduler.enabled) {
      this.container = container(
        context,
        name,
        {
          ...laravelSpec(context, "scheduler", args),
          limits: scheduler,
          // Takes in the tasks that run in the background, which nobody else would wait for.
          init: true,
          command: ["/bin/sh", "/drydock/schedule.sh", String(scheduler.stopTimeout)],
          health: { test: ["CMD", "php", "/drydock/worker.php", app.path, "scheduler"], timeout: 10 },
          stopSignal: "SIGTERM",
          stopTimeout: scheduler.stopTimeout,
        },
        "old-before-new",
        { parent: this, dependsOn: args.after },
      );
    }
    this.registerOutputs({ container: this.container?.name });
  }
}
