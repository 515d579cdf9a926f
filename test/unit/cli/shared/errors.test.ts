import assert from "node:assert/strict";
import { CliError, describe as show } from "../../../../cli/shared/errors.ts";

describe("an error on the terminal", () => {
  it("has its remedy below it, line under line", () => {
    assert.equal(
      show(new CliError({ what: "it broke", remedy: "one\ntwo" })),
      "drydock: it broke\n  remedy: one\n          two",
    );
  });

  it("has no stack trace, unless it is asked for", () => {
    assert.equal(show(new Error("plain")), "drydock: plain");
    assert.match(show(new Error("plain"), true), /errors\.test\.ts/);
  });
});
