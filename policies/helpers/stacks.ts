import type { Settings } from "../settings.ts";
import type { Resource } from "./resources.ts";
import { Stack } from "./stack.ts";
import { items, propertyAt, text } from "./values.ts";

/** The label by which all resources of one Drydock stack are known. */
const LABEL = "drydock.stack";

/** Which Drydock stack a resource says that it belongs to. */
function stackOf(resource: Resource): string | undefined {
  return items(propertyAt(resource.props, "labels"), "labels", (entry) =>
    text(propertyAt(entry, "label")) === LABEL ? text(propertyAt(entry, "value")) : undefined,
  )
    .known.map(({ value }) => value)
    .at(0);
}

/**
 * The stacks in one program: what is right for each (one scheduler, one environment, one password) is judged in each.
 * What has no label, such as a command, belongs to those that it depends on; or to all, if it depends on none.
 */
export function stacksIn(resources: readonly Resource[], settings: Settings): readonly Stack[] {
  const all = new Stack(resources, settings);
  const own = new Map(resources.map((resource) => [resource.urn, stackOf(resource)]));
  const names = [...new Set([...own.values()].filter((name) => name !== undefined))];
  if (names.length < 2) return [all];
  const belongs = (resource: Resource): readonly string[] => {
    const name = own.get(resource.urn);
    if (name !== undefined) return [name];
    const found = [...all.upstreamOf(resource)].map((urn) => own.get(urn)).filter((one) => one !== undefined);
    return found.length === 0 ? names : found;
  };
  const of = new Map(resources.map((resource) => [resource, belongs(resource)]));
  return names.map(
    (name) =>
      new Stack(
        resources.filter((resource) => of.get(resource)!.includes(name)),
        settings,
      ),
  );
}
