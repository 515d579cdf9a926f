import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { encryptedIn } from "../../../config/encrypted.ts";

const file = `
encryptionsalt: v1:abc
config:
  drydock:app: {replicas: 3}
  drydock:env:
    APP_KEY:
      secure: v1:xyz
    OWN: 1
    secure: in plain text
  drydock:database:
    secure: v1:all of it
`;
const values = {
  app: { replicas: 3 },
  env: { APP_KEY: "k", OWN: "1", secure: "in plain text" },
  database: { rootPassword: "r" },
};
const ask = (
  keys: readonly string[] | undefined,
  text: string | undefined = file,
  given: Record<string, unknown> = values,
) => encryptedIn({ file: text, keys, project: "drydock", values: given });

describe("what a stack's file keeps encrypted", () => {
  it("is known of each value by itself, and of all that is in an encrypted group", () => {
    const isEncrypted = ask(["drydock:env", "drydock:database"]);
    assert.deepEqual(
      [
        ["env", "APP_KEY"],
        ["env", "OWN"],
        ["env", "secure"],
        ["database", "rootPassword"],
        ["app", "replicas"],
      ].map(isEncrypted),
      [true, false, false, true, false],
    );
  });

  it("is what the engine says where the file is not the one in use, or is none", () => {
    const other = { ...values, env: { APP_KEY: "k", OWN: "2", ELSEWHERE: "x" } };
    assert.equal(ask(["drydock:env"], file, other)(["env", "OWN"]), undefined);
    assert.equal(ask(["drydock:env"], file, other)(["env", "ELSEWHERE"]), undefined);
    assert.equal(ask([], file, other)(["env", "ELSEWHERE"]), false);
    assert.equal(ask(["drydock:env"], "a: [")(["env", "OWN"]), undefined);
    assert.equal(encryptedIn({ file: undefined, keys: [], project: "drydock", values })(["env", "OWN"]), false);
  });

  it("is nothing that stands in it as a number or a day that Pulumi reads otherwise, or is merged", () => {
    const text = `
config:
  drydock:more: &more {MERGED: in plain text}
  drydock:env:
    <<: *more
    APP_KEY: {secure: v1:xyz}
    OCTAL: 0123
    THOUSAND: 1_000
    DAY: 2026-01-31
    OTHER: a word
`;
    // As Pulumi has them.
    const env = { APP_KEY: "k", OCTAL: 83, THOUSAND: 1000, DAY: "2026-01-31 00:00:00 +0000 UTC", OTHER: "another" };
    const isEncrypted = ask(["drydock:env"], text, { env: { ...env, MERGED: "in plain text" } });
    assert.deepEqual(
      ["OCTAL", "THOUSAND", "DAY", "MERGED", "OTHER", "APP_KEY"].map((name) => isEncrypted(["env", name])),
      [false, false, false, false, undefined, true],
    );
  });

  it("is nobody's to say where no engine runs", () => {
    assert.equal(
      encryptedIn({ file: undefined, keys: undefined, project: "drydock", values })(["env", "OWN"]),
      undefined,
    );
  });
});
