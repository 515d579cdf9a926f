import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { container } from "./container.ts";
import type { Context } from "./context.ts";
import { laravelSpec } from "./laravel.ts";
import type { Network } from "./network.ts";
import type { Volumes } from "./volumes.ts";

/** Horizon: the new one takes jobs before the old one is asked to finish its own. */
export class Horizon extends pulumi.ComponentResource {
  readonly container: docker.Container | undefined;

  constructor(
    name: string,
    context: Context,
    args: { network: Network; volumes: Volumes; after: pulumi.Input<pulumi.Resource>[] },
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Horizon", name, {}, options);
    const { app, horizon } = context.settings;
    if (horizon.enabled) {
      this.container = container(
        context,
        name,
        {
          ...laravelSpec(context, "horizon", args),
          limits: horizon,
          init: true,
          command: horizon.command,
          health: {
            test: ["CMD", "php", "/drydock/worker.php", app.path, isHorizon(horizon.command) ? "horizon" : "process"],
            timeout: 10,
          },
          // SIGTERM ends this container's workers after their job; horizon:terminate would restart those of every
          // container.
          stopSignal: "SIGTERM",
          stopTimeout: horizon.longestJob + 10,
        },
        "new-before-old",
        { parent: this, dependsOn: args.after },
      );
    }
    this.registerOutputs({ container: this.container?.name });
  }
}

/** Another command in its place, such as `queue:work`, has no workers of its own and no master. */
function isHorizon(command: readonly string[]): boolean {
  return command.includes("horizon");
}
