import type { Facts } from "../../../config/facts.ts";
import type { Res } from "./engine.ts";

/** What shows that a rule works; the meta-test demands one for each. */
export interface Fixture {
  /** The rule has nothing to say. */
  readonly pass: readonly Res[];
  /** At least two ways to break it. */
  readonly fail: readonly Failure[];
  /** Something that is not known yet; a clear violation beside it must still be said. */
  readonly unknown: Failure & { readonly undecided: readonly string[] };
}

export interface Failure {
  readonly title: string;
  readonly stack: readonly Res[];
  /** First lines of the messages, complete and in order; why and remedy follow from the rule. */
  readonly says: readonly string[];
  /** The same of what would be a violation in production. */
  readonly advises?: readonly string[];
  /** What Drydock's settings say. @default another program's stack */
  readonly facts?: Facts;
}

export type Fixtures = Readonly<Record<string, Fixture>>;

/** The note about values that are not known yet. */
export function open(subject: string, ...properties: readonly string[]): string {
  return `${subject}: undecided until the update, because not known yet: ${properties.join(", ")}`;
}

/** What production says of such a value. */
export function mustKnow(subject: string, property: string): string {
  return `${subject}, ${property}: is not known in the preview, and production must not find out during the update`;
}
