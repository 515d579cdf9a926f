/**
 * What a change of the schema means for the release that serves while it runs: `additive`, it goes on as before;
 * `breaking`, its queries fail or its data is gone; `unknown`, the statement alone doesn't tell.
 */
export type Verdict = "additive" | "breaking" | "unknown";

export interface Finding {
  /** Without the values in it. */
  readonly statement: string;
  readonly verdict: Verdict;
  /** Why, where it is not additive. */
  readonly reason?: string;
}

/** Of one statement, or of a part of it. */
export type Judgement = Omit<Finding, "statement">;

export const additive: Judgement = { verdict: "additive" };
export const breaking = (reason: string): Judgement => ({ verdict: "breaking", reason });
export const unknown = (reason: string): Judgement => ({ verdict: "unknown", reason });

const RANK: readonly Verdict[] = ["additive", "unknown", "breaking"];

/** The worst of them. */
export function worst(findings: readonly Pick<Finding, "verdict">[]): Verdict {
  return RANK[Math.max(0, ...findings.map(({ verdict }) => RANK.indexOf(verdict)))] ?? "additive";
}
