import assert from "node:assert/strict";
import { decode, encode, hasUnknown, redactor, top, UNKNOWN, widenSecrets } from "../../../offline/plugin/values.ts";

const secret = (value: unknown) => ({ "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value });

describe("offline/plugin/values", () => {
  const wire = { envs: ["A=1", secret("B=2")], content: secret({ key: "x" }), plain: "y" };

  it("keeps secrets where they were", () => {
    const properties = decode(wire);
    assert.deepEqual(properties.values, { envs: ["A=1", "B=2"], content: { key: "x" }, plain: "y" });
    assert.deepEqual(encode(properties), wire);
  });

  it("makes a whole property secret when its parts have moved", () => {
    const { values, secrets } = decode(wire);
    assert.deepEqual(
      encode({
        values: { ...values, envs: ["B=2"] },
        secrets: new Set([...widenSecrets(secrets, ["envs"])].filter((path) => path === top("envs"))),
      }).envs,
      secret(["B=2"]),
    );
  });

  it("finds unknowns at any depth", () => {
    assert.equal(hasUnknown({ a: [{ b: UNKNOWN }] }), true);
    assert.equal(hasUnknown({ a: ["b"] }), false);
  });

  it("takes secrets out of texts, line by line and without their names", () => {
    const redact = redactor(
      decode({
        file: secret('DB_PASSWORD="correct-horse"\nAPP_DEBUG=false\n'),
        token: secret("t0ken-t0ken"),
        plain: "visible-value",
      }),
    );
    assert.equal(
      redact("login correct-horse / t0ken-t0ken / visible-value / false"),
      "login [secret] / [secret] / visible-value / false",
    );
  });
});
