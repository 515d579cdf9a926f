import assert from "node:assert/strict";
import { catalogue } from "../../../policies/catalogue.ts";
import type { Rule } from "../../../policies/rule.ts";
import { analyze } from "../../support/policies/engine.ts";
import { fixtures } from "../../support/policies/fixtures/index.ts";
import { stackOf } from "../../support/policies/stack.ts";
import { verifyFailure, verifyPass } from "../../support/policies/verify.ts";

describe("policies: every rule of the catalogue", () => {
  it("has fixtures: one that passes, two that fail, one with an unknown; and there are no others", () => {
    assert.deepEqual(Object.keys(fixtures).sort(), catalogue.map(({ name }) => name).sort());
    for (const [name, { pass, fail, unknown }] of Object.entries(fixtures)) {
      assert.ok(pass.length > 0, `${name}: no passing fixture`);
      assert.ok(
        fail.length >= 2 && fail.every(({ says }) => says.length > 0),
        `${name}: fewer than two failing fixtures`,
      );
      assert.match(JSON.stringify(unknown.stack), /04da6b54-80e4|6a19a0b0-7e62/, `${name}: nothing is unknown`);
      assert.ok(unknown.says.length > 0, `${name}: no violation beside the unknown`);
      const demands = catalogue.find((rule) => rule.name === name)?.production !== undefined;
      assert.ok(
        !demands || fail.some(({ stack }) => stack.some((one) => one.stack === "prod")),
        `${name}: nothing fails in production alone`,
      );
    }
  });

  it("has nothing to say about the good stack", async () => {
    assert.deepEqual(await analyze(catalogue, stackOf()), []);
  });

  for (const rule of catalogue) {
    const fixture = fixtures[rule.name];
    if (fixture === undefined) continue;
    describe(rule.name, () => {
      it("passes what is right", () => verifyPass(rule, fixture));
      for (const failure of fixture.fail)
        it(`says exactly what is wrong: ${failure.title}`, () => verifyFailure(rule, failure));
      it(`decides on what is known: ${fixture.unknown.title}`, () => verifyFailure(rule, fixture.unknown));
      it("turns its tests red when it is emptied", async () => {
        const empty = { ...rule, check: () => undefined } as Rule;
        for (const failure of [...fixture.fail, fixture.unknown])
          await assert.rejects(verifyFailure(empty, failure), assert.AssertionError);
      });
    });
  }
});
