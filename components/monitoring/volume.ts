import type * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { labelWords, step } from "../command.ts";
import type { PartArgs } from "./part.ts";

/** A volume of a part's own, and the step that gives it to the part's user. What is in it can be made again. */
export function partVolume(
  name: string,
  { stack, image, settings, after }: PartArgs,
  options: pulumi.CustomResourceOptions,
): { readonly volume: docker.Volume; readonly ownership: command.local.Command } {
  const volume = new docker.Volume(name, { labels: [{ label: "drydock.stack", value: stack.stack }] }, options);
  const ownership = step(
    stack,
    `${name}-ownership`,
    {
      script: "volumes",
      environment: {
        IMAGE: image.reference,
        OWNERS: pulumi.interpolate`${volume.name} ${settings.uid}:${settings.gid} .drydock`,
        LABELS: labelWords(stack),
      },
    },
    { ...options, dependsOn: [image.resource, ...after] },
  );
  return { volume, ownership };
}
