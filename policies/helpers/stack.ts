import type { Settings } from "../settings.ts";
import { type Container, containerOf, isContainerType } from "./container.ts";
import type { Resource } from "./resources.ts";

/** All resources of a stack, with what rules ask for again and again. */
export class Stack {
  readonly resources: readonly Resource[];
  readonly containers: readonly Container[];
  readonly #byUrn: ReadonlyMap<string, Resource>;
  readonly #upstream = new Map<string, ReadonlySet<string>>();

  constructor(resources: readonly Resource[], settings: Settings) {
    this.resources = resources;
    this.containers = resources.filter((r) => isContainerType(r.type)).map((r) => containerOf(r, settings));
    this.#byUrn = new Map(resources.map((r) => [r.urn, r]));
  }

  ofType(...types: readonly string[]): readonly Resource[] {
    return this.resources.filter((r) => types.includes(r.type));
  }

  withRole(...roles: readonly string[]): readonly Container[] {
    return this.containers.filter((c) => c.role !== undefined && roles.includes(c.role));
  }

  /** URNs of everything that `resource` depends on, directly or not. */
  upstreamOf(resource: Resource): ReadonlySet<string> {
    const cached = this.#upstream.get(resource.urn);
    if (cached !== undefined) return cached;
    const seen = new Set<string>();
    const queue = [...resource.dependencies];
    for (let urn = queue.pop(); urn !== undefined; urn = queue.pop()) {
      if (seen.has(urn)) continue;
      seen.add(urn);
      queue.push(...(this.#byUrn.get(urn)?.dependencies ?? []));
    }
    this.#upstream.set(resource.urn, seen);
    return seen;
  }
}
