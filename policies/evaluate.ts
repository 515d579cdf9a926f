import { z } from "zod";
import { isProduction, remedyFor } from "./helpers/own.ts";
import type { Resource } from "./helpers/resources.ts";
import { stacksIn } from "./helpers/stacks.ts";
import { type Field, isUnknown } from "./helpers/values.ts";
import type { Context, Report, ResourceRule, Rule, StackRule } from "./rule.ts";
import type { Settings } from "./settings.ts";

/** What a rule has to say about one resource. */
export interface Finding {
  readonly rule: string;
  /**
   * `excluded`: it would be a violation, but the stack's configuration excludes the resource and says why; `advice`: it
   * would be one in production.
   */
  readonly kind: "violation" | "advice" | "undecided" | "excluded";
  readonly urn: string;
  readonly message: string;
}

/** Rules for one resource each carry a reason that is more than a word. */
const REASON = 10;

const exclusions = z
  .array(
    z.strictObject({
      /** Name of the resource, as the program gave it; `app-*` for all replicas. */
      resource: z.string().min(1),
      reason: z
        .string()
        .min(REASON, `a reason of at least ${REASON} characters says why this resource may break the rule`),
    }),
  )
  .default([]);

type Exclusions = z.output<typeof exclusions>;

/**
 * Whether an exclusion is about this resource. `*` stands for the number of a replica and the like, never for
 * everything.
 */
export function excludes(entry: { readonly resource: string }, name: string): boolean {
  const [start = "", ...rest] = entry.resource.split("*");
  if (rest.length === 0) return start === name;
  return (
    rest.length === 1 &&
    start !== "" &&
    name.startsWith(start) &&
    name.endsWith(rest[0]!) &&
    name.length > start.length + rest[0]!.length
  );
}

/**
 * Checks a rule's configuration and fills in the defaults. An unknown key is an error: a typo would otherwise switch
 * nothing off.
 */
export function parseConfig(
  rule: Rule,
  config: Readonly<Record<string, unknown>> = {},
): { params: unknown; exclude: Exclusions } {
  const { exclude, ...rest } = config;
  const reasons = exclusions.safeParse(exclude);
  const params = rule.params.safeParse(rest);
  const issues = [
    ...(reasons.error?.issues ?? []).map((issue) => ({ ...issue, path: ["exclude", ...issue.path] })),
    ...(params.error?.issues ?? []),
  ];
  if (issues.length > 0) {
    const list = issues.map((issue) => `${rule.name}.${issue.path.join(".")}: ${issue.message}`).join("; ");
    throw new Error(
      `policy configuration is not valid: ${list}. Fix the file given as --policy-pack-config (in Drydock ` +
        "policies/config/<stack>.json)",
    );
  }
  return { params: params.data, exclude: reasons.data ?? [] };
}

/** Runs a resource rule on one resource. A type the rule does not look at costs nothing. */
export function checkResource(
  rule: Rule,
  resource: Resource,
  settings: Settings,
  config?: Readonly<Record<string, unknown>>,
): Finding[] {
  if (rule.scope !== "resource" || !rule.types.includes(resource.type)) return [];
  const { params, exclude } = parseConfig(rule, config);
  const findings = new Findings(rule, exclude, settings);
  const context: Context<unknown> = { params, settings, on: (other) => findings.on(other) };
  (rule as unknown as ResourceRule<unknown>).check(resource, findings.on(resource), context);
  return findings.all();
}

/** Runs a stack rule on all resources: on each of the Drydock stacks among them. */
export function checkStack(
  rule: Rule,
  resources: readonly Resource[],
  settings: Settings,
  config?: Readonly<Record<string, unknown>>,
): Finding[] {
  if (rule.scope !== "stack") return [];
  const { params, exclude } = parseConfig(rule, config);
  const all = stacksIn(resources, settings).flatMap((stack) => {
    const findings = new Findings(rule, exclude, settings);
    (rule as unknown as StackRule<unknown>).check(stack, {
      params,
      settings,
      on: (resource) => findings.on(resource),
    });
    return findings.all();
  });
  // What belongs to several stacks is judged in each.
  return [...new Map(all.map((finding) => [`${finding.urn} ${finding.message}`, finding])).values()];
}

/** Collects what a rule says and puts it into words. */
class Findings {
  readonly #rule: Rule;
  readonly #exclude: Exclusions;
  readonly #settings: Settings;
  readonly #violations: Finding[] = [];
  // One note a resource: ten unknown variables are one reason to look again.
  readonly #undecided = new Map<Resource, Set<string>>();

  constructor(rule: Rule, exclude: Exclusions, settings: Settings) {
    this.#rule = rule;
    this.#exclude = exclude;
    this.#settings = settings;
  }

  on(resource: Resource): Report {
    const strict = () => isProduction(resource, this.#settings);
    const report: Report = {
      violation: (property, what) => this.#violations.push(this.#finding("violation", resource, property, what)),
      inProduction: (property, what) =>
        this.#violations.push(this.#finding(strict() ? "violation" : "advice", resource, property, what)),
      undecided: (property) => {
        const paths = this.#undecided.get(resource) ?? new Set();
        this.#undecided.set(resource, paths.add(property));
      },
      mustKnow: (property) => {
        if (strict())
          report.violation(property, "is not known in the preview, and production must not find out during the update");
        else report.undecided(property);
      },
      expect: <T>(field: Field<T>, ok: (value: T | undefined) => boolean, what: string) => {
        if (isUnknown(field.value)) report.undecided(field.path);
        else if (!ok(field.value)) report.violation(field.path, what);
      },
    };
    return report;
  }

  all(): Finding[] {
    const notes = [...this.#undecided].map(
      ([resource, paths]): Finding => ({
        rule: this.#rule.name,
        kind: "undecided",
        urn: resource.urn,
        message: `${resource.title}: undecided until the update, because not known yet: ${[...paths].join(", ")}`,
      }),
    );
    return [...this.#violations, ...notes];
  }

  #finding(kind: "violation" | "advice", resource: Resource, property: string, what: string): Finding {
    const line = `${resource.title}, ${property}: ${what}`;
    const excluded = this.#exclude.find((entry) => excludes(entry, resource.name));
    const base = { rule: this.#rule.name, urn: resource.urn };
    if (excluded !== undefined) {
      return {
        ...base,
        kind: "excluded",
        message: `${line}\nExcluded by the stack's policy configuration: ${excluded.reason}`,
      };
    }
    const note = kind === "advice" ? "\nIn production this is refused." : "";
    const remedy = remedyFor(this.#rule, resource, property, this.#settings);
    return {
      ...base,
      kind,
      message: `${line}${note}\nWhy: ${this.#rule.why} (${cite(this.#rule)})\nRemedy: ${remedy}`,
    };
  }
}

/** Sources in words: `incident 7`, `CIS Docker 5.27`. Incidents are in docs/incidents.md. */
export function cite(rule: Pick<Rule, "source">): string {
  return rule.source.map((id) => id.replace(/^D(\d)/, "CIS Docker $1")).join(", ");
}
