import assert from "node:assert/strict";
import { cite } from "../../policies/evaluate.ts";
import type { Rule } from "../../policies/rule.ts";
import { analyze } from "./engine.ts";
import type { Failure, Fixture } from "./fixture.ts";

/** Asserts that a rule says exactly what its fixture expects. */
export async function verifyPass(rule: Rule, fixture: Fixture): Promise<void> {
  assert.deepEqual(await said(rule, fixture.pass), { violations: [], notes: [] });
}

export async function verifyFailure(rule: Rule, failure: Failure & { readonly undecided?: readonly string[] }): Promise<void> {
  const violations = failure.says.map((line) => `${line}\nWhy: ${rule.why} (${cite(rule)})\nRemedy: ${rule.remedy}`);
  assert.deepEqual(await said(rule, failure.stack), { violations, notes: failure.undecided ?? [] });
}

async function said(rule: Rule, stack: Failure["stack"]): Promise<{ violations: string[]; notes: string[] }> {
  const diagnostics = await analyze([rule], stack);
  const level = rule.level === "remediate" ? "mandatory" : rule.level;
  const notes = diagnostics.filter(({ message }) => message.includes(": undecided until the update"));
  for (const note of notes) assert.equal(note.level, "advisory");
  const violations = diagnostics.filter((diagnostic) => !notes.includes(diagnostic));
  for (const violation of violations) assert.deepEqual([violation.policy, violation.level], [rule.name, level]);
  return { violations: violations.map(({ message }) => message), notes: notes.map(({ message }) => message) };
}
