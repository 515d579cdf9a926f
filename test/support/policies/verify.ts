import assert from "node:assert/strict";
import type { Facts } from "../../../config/facts.ts";
import { cite } from "../../../policies/evaluate.ts";
import type { Rule } from "../../../policies/rule.ts";
import { analyze } from "./engine.ts";
import type { Failure, Fixture } from "./fixture.ts";

interface Said {
  readonly violations: readonly string[];
  readonly advice: readonly string[];
  readonly notes: readonly string[];
}

/** Asserts that a rule says exactly what its fixture expects. */
export async function verifyPass(rule: Rule, fixture: Fixture): Promise<void> {
  assert.deepEqual(await said(rule, fixture.pass), { violations: [], advice: [], notes: [] });
}

export async function verifyFailure(
  rule: Rule,
  failure: Failure & { readonly undecided?: readonly string[] },
): Promise<void> {
  const tail = `Why: ${rule.why} (${cite(rule)})\nRemedy: ${rule.remedy}`;
  assert.deepEqual(await said(rule, failure.stack, failure.facts), {
    violations: failure.says.map((line) => `${line}\n${tail}`),
    advice: (failure.advises ?? []).map((line) => `${line}\nIn production this is refused.\n${tail}`),
    notes: failure.undecided ?? [],
  });
}

async function said(rule: Rule, stack: Failure["stack"], facts?: Facts): Promise<Said> {
  const diagnostics = await analyze([rule], stack, facts);
  const level = rule.level === "remediate" ? "mandatory" : rule.level;
  const notes = diagnostics.filter(({ message }) => message.includes(": undecided until the update"));
  const advice = diagnostics.filter(({ message }) => message.includes("\nIn production this is refused."));
  for (const note of [...notes, ...advice]) assert.equal(note.level, "advisory");
  const violations = diagnostics.filter((diagnostic) => !notes.includes(diagnostic) && !advice.includes(diagnostic));
  for (const violation of violations) assert.deepEqual([violation.policy, violation.level], [rule.name, level]);
  const messages = (list: typeof diagnostics) => list.map(({ message }) => message);
  return { violations: messages(violations), advice: messages(advice), notes: messages(notes) };
}
