import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
import { container } from "./container.ts";
import { type Laravel, laravelSpec } from "./laravel.ts";

export interface HorizonArgs {
  readonly laravel: Laravel;
  /** `drydock:horizon`: limits in MiB and processors, the longest job in seconds. */
  readonly settings: Settings["horizon"];
  /** What it waits for: the switch. */
  readonly after: pulumi.Input<pulumi.Resource>[];
}

/** Horizon: the new one takes jobs before the old one is asked to finish its own. */
export class Horizon extends pulumi.ComponentResource {
  /** Undefined where the settings do without. */
  readonly container: docker.Container | undefined;

  constructor(name: string, { laravel, settings, after }: HorizonArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Horizon", name, {}, options);
    if (settings.enabled) {
      const { path } = laravel.app;
      const kind = isHorizon(settings.command) ? "horizon" : "process";
      this.container = container(
        laravel.stack,
        name,
        {
          ...laravelSpec(laravel, "horizon"),
          limits: settings,
          init: true,
          command: settings.command,
          health: { test: ["CMD", "php", "/drydock/worker.php", path, kind], timeout: 10 },
          // SIGTERM ends this container's workers after their job; horizon:terminate would restart those of every
          // container.
          stopSignal: "SIGTERM",
          stopTimeout: settings.longestJob + 10,
        },
        "new-before-old",
        { parent: this, dependsOn: after },
      );
    }
    this.registerOutputs({ container: this.container?.name });
  }
}

/** Another command in its place, such as `queue:work`, has no workers of its own and no master. */
function isHorizon(command: readonly string[]): boolean {
  return command.includes("horizon");
}
