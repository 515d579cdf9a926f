import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { step } from "./command.ts";
import type { Context } from "./context.ts";
import { wordsOf } from "./outputs.ts";

/**
 * Limits the processes of what lasts from release to release: docker.Container has no input for it. Those of a release
 * are limited by its
 * steps, the replicas before they get traffic (switch.ts, verify.ts).
 */
export class Limits extends pulumi.ComponentResource {
  constructor(
    name: string,
    context: Context,
    containers: readonly docker.Container[],
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:Limits", name, {}, options);
    step(
      context,
      name,
      {
        script: "limits",
        environment: { CONTAINERS: wordsOf(containers), PROCESSES: String(context.settings.limits.processes) },
      },
      { parent: this, dependsOn: [...containers] },
    );
    this.registerOutputs({});
  }
}
