import { catalogue } from "./catalogue.ts";
import type { StackConfiguration } from "./configuration.ts";
import { checkResource, checkStack, type Finding } from "./evaluate.ts";
import { Resource } from "./helpers/resources.ts";
import type { Level } from "./rule.ts";

/** A resource as `pulumi stack export` has it. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly protect?: boolean;
  readonly provider?: string;
  readonly dependencies?: readonly string[];
  readonly propertyDependencies?: Readonly<Record<string, readonly string[] | null>> | null;
  /** Waits for its deletion. */
  readonly delete?: boolean;
}

export interface StateFinding extends Finding {
  readonly level: Level;
}

/** The option deleteBeforeReplace is not in the state, so a rule about it can't be asked of what is deployed. */
export const NOT_IN_STATE: readonly string[] = ["web-no-delete-before-replace"];

/**
 * Runs the rules over an exported state, as the engine's `policy analyze` does: rules for one resource see its inputs,
 * rules for the stack the outputs. Secrets stay encrypted, so what depends on them is undecided.
 */
export function checkState(state: readonly StateResource[], configuration: StackConfiguration): StateFinding[] {
  const alive = state.filter((resource) => resource.delete !== true);
  const read = (props: "inputs" | "outputs") =>
    alive.map(
      (resource) =>
        new Resource({
          type: resource.type,
          name: resource.urn.split("::").pop() ?? "",
          urn: resource.urn,
          props: resource[props] ?? {},
          protect: resource.protect ?? false,
          provider: resource.provider ?? "",
          dependencies: resource.dependencies ?? [],
          propertyDependencies: Object.fromEntries(
            Object.entries(resource.propertyDependencies ?? {}).map(([key, urns]) => [key, urns ?? []]),
          ),
        }),
    );
  const [inputs, outputs] = [read("inputs"), read("outputs")];
  return catalogue.flatMap((rule) => {
    const level = configuration.levelOf(rule);
    if (level === "disabled" || NOT_IN_STATE.includes(rule.name)) return [];
    const config = configuration.configOf(rule);
    const findings =
      rule.scope === "stack"
        ? checkStack(rule, outputs, configuration.settings, config)
        : inputs.flatMap((resource) => checkResource(rule, resource, configuration.settings, config));
    return findings.map((finding) => ({
      ...finding,
      level: finding.kind === "violation" ? level : ("advisory" as const),
    }));
  });
}
