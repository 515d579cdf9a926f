import type {
  Policies,
  PolicyResource,
  ReportViolation,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationPolicy,
} from "@pulumi/policy";
import { z } from "zod";
import type { Facts } from "../config/facts.ts";
import { defined } from "../lib/defined.ts";
import { checkResource, checkStack, excludes, type Finding } from "./evaluate.ts";
import { Resource } from "./helpers/resources.ts";
import { SETTINGS_POLICY } from "./names.ts";
import type { Rule } from "./rule.ts";
import { parseSettings, type Settings, settingsSchema } from "./settings.ts";

/**
 * Turns the catalogue's rules into policies of the SDK, preceded by one that only carries the shared settings: a policy
 * sees no configuration but its own.
 * @param facts what Drydock's settings say, asked before the first rule is @default nothing: another program's stack
 */
export function policiesOf(rules: readonly Rule[], facts: () => Facts | undefined = () => undefined): Policies {
  const shared = new SharedSettings(facts);
  return [
    shared.policy,
    ...rules.map((rule) => (rule.scope === "resource" ? resourcePolicy(rule, shared) : stackPolicy(rule, shared))),
  ];
}

class SharedSettings {
  readonly #facts: () => Facts | undefined;
  #current = parseSettings();
  #seen: readonly [config: string, facts: Facts | undefined] = ["{}", undefined];

  constructor(facts: () => Facts | undefined) {
    this.#facts = facts;
  }

  get current(): Settings {
    return this.#current;
  }

  // Policies run in the order of the list, so this one has read the settings before the first rule asks.
  readonly policy = {
    name: SETTINGS_POLICY,
    description: "Settings that several rules share: how a container tells its role, and which stacks are production.",
    enforcementLevel: "mandatory" as const,
    configSchema: schemaOf(settingsSchema),
    validateResource: (args: ResourceValidationArgs) => this.#read(args.getConfig<Record<string, unknown>>()),
    validateStack: (args: { getConfig<T extends object>(): T }) =>
      this.#read(args.getConfig<Record<string, unknown>>()),
  };

  #read(config: object): void {
    const [text, facts] = [JSON.stringify(config), this.#facts()];
    if (text === this.#seen[0] && facts === this.#seen[1]) return;
    this.#current = parseSettings(config, facts);
    this.#seen = [text, facts];
  }
}

function resourcePolicy(rule: Rule & { scope: "resource" }, shared: SharedSettings): ResourceValidationPolicy {
  const { fix } = rule;
  return {
    ...metadata(rule),
    validateResource: (args, report) => {
      if (!rule.types.includes(args.type)) return;
      tell(checkResource(rule, resourceOf(args), shared.current, args.getConfig<Record<string, unknown>>()), report);
    },
    ...(fix === undefined
      ? {}
      : {
          // Returning nothing says that nothing was changed; the engine would announce a repair otherwise.
          remediateResource: (args) =>
            rule.types.includes(args.type) && !isExcluded(args) && fix(args.props, args.type) ? args.props : undefined,
        }),
  };
}

function stackPolicy(rule: Rule & { scope: "stack" }, shared: SharedSettings): StackValidationPolicy {
  return {
    ...metadata(rule),
    validateStack: (args, report) =>
      tell(
        checkStack(rule, args.resources.map(resourceOf), shared.current, args.getConfig<Record<string, unknown>>()),
        report,
      ),
  };
}

function isExcluded(args: ResourceValidationArgs): boolean {
  const { exclude } = args.getConfig<{ exclude?: readonly { resource: string }[] }>();
  return exclude?.some((entry) => excludes(entry, args.name)) ?? false;
}

function metadata(rule: Rule) {
  return {
    name: rule.name,
    description: rule.summary,
    enforcementLevel: rule.level,
    remediationSteps: rule.remedy,
    tags: [rule.family, ...rule.source],
    configSchema: schemaOf(rule.params as z.ZodType),
  };
}

type ObjectSchema = { properties: Record<string, never>; required?: string[] };

/** The SDK wants the properties of a JSON schema; `exclude` belongs to every rule and is checked in evaluate.ts. */
function schemaOf(schema: z.ZodType): ObjectSchema {
  const { properties = {}, required } = z.toJSONSchema(schema, { io: "input" });
  return { properties: properties as Record<string, never>, ...defined({ required }) };
}

function resourceOf(args: ResourceValidationArgs | PolicyResource): Resource {
  const stackArgs = "dependencies" in args ? args : undefined;
  return new Resource({
    type: args.type,
    name: args.name,
    urn: args.urn,
    props: args.props,
    protect: args.opts.protect,
    ...defined({ deleteBeforeReplace: args.opts.deleteBeforeReplace }),
    provider: args.provider?.urn ?? "",
    dependencies: stackArgs?.dependencies.map((other) => other.urn) ?? [],
    propertyDependencies: Object.fromEntries(
      Object.entries(stackArgs?.propertyDependencies ?? {}).map(([key, others]) => [
        key,
        others.map((other) => other.urn),
      ]),
    ),
  });
}

// The SDK takes an object in place of the text, too (server.js, makeReportViolationFun); only so can a rule give a note
// a level of its own.
type Diagnostic = { message: string; urn: string; enforcementLevel?: "advisory" };

function tell(findings: readonly Finding[], report: ReportViolation): void {
  for (const { kind, message, urn } of findings) {
    const diagnostic: Diagnostic = {
      message,
      urn,
      ...(kind === "violation" ? {} : { enforcementLevel: "advisory" as const }),
    };
    report(diagnostic as never);
  }
}
