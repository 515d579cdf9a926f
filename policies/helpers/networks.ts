import type { Container } from "./container.ts";
import { isUnknown, type Maybe } from "./values.ts";

/**
 * Whether `from` is on the network of `other` that is called `name`; nothing if that can't be said yet.
 * Before a network exists its name is unknown, but the program's graph already tells which network resource the name
 * comes from.
 */
export function share(from: Container, other: Container, name: Maybe<string>): boolean | undefined {
  if (typeof name === "string") {
    if (from.networks.known.some(({ value }) => value.name === name)) return true;
    const open = from.networks.unknown.length > 0 || from.networks.known.some(({ value }) => isUnknown(value.name));
    return open ? undefined : false;
  }
  const [mine, theirs] = [networkResources(from), networkResources(other)];
  // With one network there is no doubt which one the unknown name is.
  if (theirs.length === 1 && other.networks.known.length === 1)
    return mine.includes(theirs[0]!) ? true : mine.length === from.networks.known.length ? false : undefined;
  return undefined;
}

function networkResources(container: Container): readonly string[] {
  const dependencies =
    container.resource.propertyDependencies[container.isService ? "taskSpec" : "networksAdvanced"] ?? [];
  return dependencies.filter((urn) => urn.includes("docker:index/network:Network"));
}
