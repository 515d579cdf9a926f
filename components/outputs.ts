import type * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Service } from "./stackOutputs.ts";

/** A list with what there is; some components are off by a setting. */
export function present<T>(resource: T | undefined): T[] {
  return resource === undefined ? [] : [resource];
}

/** The names that the engine gives containers, as words. */
export function wordsOf(containers: readonly docker.Container[]): pulumi.Output<string> {
  return pulumi.all(containers.map(({ name }) => name)).apply((names) => names.join(" "));
}

/**
 * What is said of containers to the outside; their environment is not.
 *
 * @param prefix what the names of the stack's resources begin with
 */
export function servicesOutput(containers: docker.Container[], prefix: string): pulumi.Output<Service[]> {
  return pulumi.all(
    containers.map(({ name, image, labels }) =>
      pulumi.all([name, image, labels]).apply(([container, image, labels]) => ({
        // The engine's name for a container is the resource's with seven hex digits behind it.
        name: container.slice(prefix.length).replace(/-[0-9a-f]{7}$/, ""),
        role: labels?.find(({ label }) => label === "drydock.role")?.value ?? "",
        container,
        image,
      })),
    ),
  );
}
