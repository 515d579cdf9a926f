import type * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../config/settings.ts";
import type { ContainerSpec } from "../container.ts";
import type { PulledImage } from "../image.ts";
import type { Network } from "../network.ts";
import type { StackIdentity } from "../stack.ts";

/** What every part of monitoring stands on. */
export interface PartArgs {
  readonly stack: StackIdentity;
  readonly network: Network & { readonly monitoring: docker.Network };
  /** Its image. */
  readonly image: PulledImage;
  /** `drydock:monitoring`: limits in MiB and processors, the user that all parts run as. */
  readonly settings: Settings["monitoring"];
  /** What it waits for: a release, which monitoring must not hold up. */
  readonly after: pulumi.Input<pulumi.Resource>[];
}

/** What the containers of all parts have in common. */
export function common({ image, settings }: PartArgs, memory: number) {
  return {
    image: image.reference,
    user: settings,
    limits: { memory, cpus: settings.cpus },
    stopSignal: "SIGTERM",
    stopTimeout: 30,
    startTimeout: 60,
  } satisfies Partial<ContainerSpec>;
}
