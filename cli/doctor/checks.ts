import type { Check, Facts, Verdict } from "./facts.ts";
import { FURTHER } from "./further.ts";
import { KNOWN_ISSUES } from "./knownIssues.ts";

const unique = (all: readonly string[]): readonly string[] => [...new Set(all)];

/** Judges all of it: each known issue is fine, broken, or can't be judged. */
export function judge(facts: Facts): readonly Check[] {
  return [...KNOWN_ISSUES, ...FURTHER].map(([issue, id, title, rule]) => {
    const findings = rule(facts);
    const verdict: Verdict = findings.some((one) => one.verdict === "broken")
      ? "broken"
      : findings.length > 0
        ? "unknown"
        : "fine";
    const shown = findings.filter((one) => verdict !== "broken" || one.verdict === "broken");
    return {
      issue,
      id,
      title,
      verdict,
      details: unique(shown.map(({ what }) => what)),
      remedies: unique(shown.flatMap(({ remedy }) => remedy?.split("\n") ?? [])),
    };
  });
}
