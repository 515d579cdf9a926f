import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "mocha";

const PROJECT = join(import.meta.dirname, "..", "..", "..");

/** What the SDK prints of an error that ended a program, in a process that was started as Pulumi.yaml says. */
const printed = (error: string, ...options: readonly string[]): string =>
  execFileSync(
    process.execPath,
    [...options, "-e", `console.log(require("@pulumi/pulumi/cmd/run/error.js").defaultErrorMessage(${error}))`],
    { cwd: PROJECT, encoding: "utf8", env: { ...process.env, FORCE_COLOR: "1" } },
  );
const QUICK = ["--require", "./start/quick.cjs"];

describe("what is loaded before the program", () => {
  it("takes the colours out of the errors that the SDK prints, which are in them otherwise", () => {
    const error = 'Object.assign(new Error("no such setting", { cause: new TypeError("none") }), { code: "E1" })';
    assert.match(printed(error), /\u001b\[/, "the SDK no longer colours errors: start/quick.cjs need not, either");
    const plain = printed(error, ...QUICK);
    assert.doesNotMatch(plain, /\u001b\[/);
    assert.match(plain, /^Error: no such setting\n\s+at /);
    assert.match(plain, /\[cause\]: TypeError: none/);
    assert.match(plain, /code: 'E1'/);
  });

  it("leaves colours to those who ask for them of anything else", () => {
    const inspected = execFileSync(
      process.execPath,
      [...QUICK, "-e", 'console.log(require("node:util").inspect({ a: 1 }, { colors: true }))'],
      { cwd: PROJECT, encoding: "utf8" },
    );
    assert.match(inspected, /\u001b\[/);
  });
});
