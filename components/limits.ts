import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { step } from "./command.ts";
import { wordsOf } from "./outputs.ts";
import type { StackIdentity } from "./stack.ts";

export interface LimitsArgs {
  readonly stack: StackIdentity;
  readonly containers: readonly docker.Container[];
  /** How many processes and threads each of them may have. */
  readonly processes: number;
}

/**
 * Limits the processes of what lasts from release to release: docker.Container has no input for it. Those of a release
 * are limited by its steps, the replicas before they get traffic (switch.ts, verify.ts).
 */
export class Limits extends pulumi.ComponentResource {
  constructor(name: string, { stack, containers, processes }: LimitsArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:Limits", name, {}, options);
    step(
      stack,
      name,
      { script: "limits", environment: { CONTAINERS: wordsOf(containers), PROCESSES: String(processes) } },
      { parent: this, dependsOn: [...containers] },
    );
    this.registerOutputs({});
  }
}
