import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
import { container } from "./container.ts";
import { type Laravel, laravelSpec } from "./laravel.ts";

export interface SchedulerArgs {
  readonly laravel: Laravel;
  /** `drydock:scheduler`: limits in MiB and processors, times in seconds. */
  readonly settings: Settings["scheduler"];
  /** What it waits for: the switch. */
  readonly after: pulumi.Input<pulumi.Resource>[];
}

/** The scheduler: exactly one, so the old one goes before the new one comes. */
export class Scheduler extends pulumi.ComponentResource {
  /** Undefined where the settings do without. */
  readonly container: docker.Container | undefined;

  constructor(name: string, { laravel, settings, after }: SchedulerArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Scheduler", name, {}, options);
    if (settings.enabled) {
      this.container = container(
        laravel.stack,
        name,
        {
          ...laravelSpec(laravel, "scheduler"),
          limits: settings,
          // Takes in the tasks that run in the background, which nobody else would wait for.
          init: true,
          command: ["/bin/sh", "/drydock/schedule.sh", String(settings.stopTimeout)],
          health: { test: ["CMD", "php", "/drydock/worker.php", laravel.app.path, "scheduler"], timeout: 10 },
          stopSignal: "SIGTERM",
          stopTimeout: settings.stopTimeout,
        },
        "old-before-new",
        { parent: this, dependsOn: after },
      );
    }
    this.registerOutputs({ container: this.container?.name });
  }
}
