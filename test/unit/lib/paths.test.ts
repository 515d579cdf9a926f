import assert from "node:assert/strict";
import { at } from "../../../lib/paths.ts";

describe("the value at a path", () => {
  const value = { app: { env: [{ name: "A" }], none: null } };

  it("is what is there, through objects and lists", () => {
    assert.equal(at(value, ["app", "env", 0, "name"]), "A");
    assert.equal(at(value, []), value);
    assert.equal(at(value, ["app", "none"]), null);
  });

  it("is nothing where the way ends, or where only a prototype has it", () => {
    assert.equal(at(value, ["app", "none", "x"]), undefined);
    assert.equal(at(value, ["app", "env", 1]), undefined);
    assert.equal(at(value, ["app", "toString"]), undefined);
    assert.equal(at("text", ["length"]), undefined);
  });
});
