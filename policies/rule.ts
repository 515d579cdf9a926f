import type { z } from "zod";
import type { Resource } from "./helpers/resources.ts";
import type { Stack } from "./helpers/stack.ts";
import type { Field } from "./helpers/values.ts";
import type { Settings } from "./settings.ts";

export type Level = "mandatory" | "advisory" | "remediate";
export type Family = "laravel" | "safety" | "containers" | "s3";

/**
 * How a check speaks about one resource. `property` is a path such as `ports[0].external`; `what` names keys, never
 * values.
 */
export interface Report {
  violation(property: string, what: string): void;
  /** The same where the stack is production; only said anywhere else. */
  inProduction(property: string, what: string): void;
  /** A value that would decide is only known during the update. */
  undecided(property: string): void;
  /** The same, but production is not to find out then: what is not known in its preview is a violation. */
  mustKnow(property: string): void;
  /** Undecided if the value is unknown, a violation if `ok` says no. */
  expect<T>(field: Field<T>, ok: (value: T | undefined) => boolean, what: string): void;
}

export interface Context<P> {
  /** The rule's parameters with defaults filled in, from `--policy-pack-config`. */
  readonly params: P;
  /** What several rules share: roles by name, which stacks are production. */
  readonly settings: Settings;
  on(resource: Resource): Report;
}

/**
 * How a setting is fixed. The path is as `pulumi config set --path drydock:…` takes it; capitals in it (NAME) are for
 * the reader to fill in. `from` is a command that prints the value of a secret.
 */
export type SettingFix = { readonly path: string } & (
  | { readonly value: string }
  | { readonly from: string }
  | { readonly removed: true }
);

interface Documented {
  readonly name: string;
  readonly family: Family;
  readonly level: Level;
  /** `incident n` and `incidents, …`: docs/incidents.md; `D…`: CIS Docker Benchmark; others by their own id. */
  readonly source: readonly string[];
  /** One line: what the rule demands. */
  readonly summary: string;
  /** The incident or attack behind it. */
  readonly why: string;
  /** The lines to change. */
  readonly remedy: string;
  readonly bad: string;
  readonly good: string;
  /** What it demands of production besides; elsewhere that is only said. */
  readonly production?: string;
  /**
   * Drydock's setting that fixes what the rule finds in Drydock's own resources, or why there is none. `group` is the
   * group of settings of the container's role, `property` what the rule found.
   */
  readonly setting: ((group: string, property: string) => SettingFix | undefined) | { readonly none: string };
}

/** A rule that sees one resource, before it is created or changed. */
export interface ResourceRule<P = unknown> extends Documented {
  readonly scope: "resource";
  /** Resource types that it looks at. */
  readonly types: readonly string[];
  readonly params: z.ZodType<P>;
  check(resource: Resource, report: Report, context: Context<P>): void;
  /**
   * Repairs the properties in place, level `remediate` only. Plain loops only: `.map`, `.filter` and the like throw on
   * these proxies, while reading and setting by index keeps secrets secret and unknowns unknown.
   * @returns whether something was changed
   */
  fix?(props: Record<string, unknown>, type: string): boolean;
}

/** A rule that sees the whole stack, at the end of a preview or an update. */
export interface StackRule<P = unknown> extends Documented {
  readonly scope: "stack";
  readonly params: z.ZodType<P>;
  check(stack: Stack, context: Context<P>): void;
}

export type Rule = ResourceRule<never> | StackRule<never>;

/** Checks a resource rule's type where it is written; the object stays plain. */
export function resourceRule<P>(rule: Omit<ResourceRule<P>, "scope">): ResourceRule<never> {
  return { scope: "resource", ...rule } as unknown as ResourceRule<never>;
}

export function stackRule<P>(rule: Omit<StackRule<P>, "scope">): StackRule<never> {
  return { scope: "stack", ...rule } as unknown as StackRule<never>;
}
