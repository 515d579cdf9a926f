import type * as docker from "@pulumi/docker";
import type * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../../config/settings.ts";
import { labelWords, step } from "../command.ts";
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
  /** Where the settings name that image. @default it is Drydock's own, or the proxy's */
  readonly named?: keyof Settings["monitoring"]["images"];
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

/**
 * What a part waits for. An image that the settings name may lack a shell, or be of a version that does not take what
 * it is told: that is asked before the part that runs gives way to it.
 *
 * @param judge commands for a shell in a container of the image
 */
export function ready(
  name: string,
  { stack, image, named, settings: { uid, gid }, after }: PartArgs,
  judge: string,
  options: pulumi.CustomResourceOptions,
): pulumi.Input<pulumi.Resource>[] {
  const all = [image.resource, ...after];
  if (named === undefined) return all;
  const environment = { IMAGE: image.reference, PART: named, RUN_AS: `${uid}:${gid}`, LABELS: labelWords(stack) };
  const spec = { script: "monitor-check", environment, stdin: judge } as const;
  return [...all, step(stack, `${name}-check`, spec, { ...options, dependsOn: all })];
}
