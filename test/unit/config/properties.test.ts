import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { VARIABLES } from "../../../config/environment.ts";
import { groups, settingsSchema } from "../../../config/schema.ts";
import { parseConfiguration, SettingsError } from "../../../config/settings.ts";
import { asJson, having, problemsOf, valid } from "../../support/config/fixtures.ts";

// A group whose members the user names is tried with one.
const keys = Object.entries(groups).flatMap(([group, schema]) =>
  "shape" in schema
    ? Object.keys(schema.shape).map((key) => `${group}.${key}`)
    : [`${group}.one`, `${group}.one.image`, `${group}.one.command`],
);
const names = VARIABLES.map(({ name }) => name);
const path = fc.oneof(
  fc.constantFrom(...keys),
  fc.constantFrom(...Object.keys(settingsSchema.shape)),
  fc.constantFrom(...names.map((name) => `env.${name}`)),
  fc.string().map((name) => `env.${name}`),
  fc.string(),
);

describe("any configuration", () => {
  it("is read or refused with a SettingsError that has a path and a remedy for each problem", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(path, fc.oneof(fc.jsonValue(), fc.string(), fc.integer()))),
        fc.constantFrom("local", "staging", "prod", "x"),
        (changes, stack) => {
          const raw = changes.reduce((tree, [path, value]) => having(tree, path, value), valid());
          for (const { path, message, remedy } of problemsOf(raw, stack)) {
            assert.ok(path.startsWith("drydock:"));
            assert.notEqual(message, "");
            assert.match(remedy!, /pulumi config (set|rm) /);
            assert.doesNotMatch(message, /undefined|\[object/);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("of texts that are no JSON is refused in the same way", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.oneof(fc.constantFrom(...Object.keys(settingsSchema.shape)), fc.string()),
          fc.oneof(fc.string(), fc.jsonValue()),
        ),
        (raw) => {
          assert.throws(() => parseConfiguration(raw, "local"), SettingsError);
        },
      ),
    );
  });

  it("never brings a secret into a message", () => {
    // Long enough and unlike anything that a message says by itself.
    const secret = fc.string({ minLength: 12, maxLength: 60 }).map((text) => `§${text}§`);
    const secretPath = fc.constantFrom(
      "env.APP_KEY",
      "env.DB_PASSWORD",
      "env.REDIS_PASSWORD",
      "env.MAIL_PASSWORD",
      "env.OWN",
      "env.own-name",
      "env.DRYDOCK_X",
      "env.MAIL_HSOT",
      "env",
      "database.rootPassword",
      "database",
      "docker.registry.password",
      "docker.registry",
      "docker",
      "redis.pasword",
      "app.build.args",
    );
    const anywhere = fc.oneof(fc.constantFrom(...keys), fc.constantFrom(...names.map((name) => `env.${name}`)));
    const wrap = fc.constantFrom(
      (text: string): unknown => text,
      (text: string) => [text],
      (text: string) => ({ key: text }),
      (text: string) => ({ password: text, address: text }),
      (text: string) => `https://user:${text}@host`,
    );
    fc.assert(
      fc.property(secret, secretPath, anywhere, wrap, wrap, (text, where, elsewhere, wrapped, wrappedElsewhere) => {
        // The same secret in its own place, wrapped in something wrong, and by mistake in another one too.
        const own = having(having(valid(), "env.SAME", text), where, wrapped(text));
        for (const raw of where === "env" ? [own] : [own, having(own, elsewhere, wrappedElsewhere(text))]) {
          const said = JSON.stringify(
            problemsOf(raw, "prod").map(({ path, message, remedy }) => [path, message, remedy]),
          );
          assert.ok(!said.includes(JSON.stringify(text).slice(1, -1)), said);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("with numbers and booleans as texts means the same", () => {
    const raw = { ...valid(), app: { ...valid()["app"], replicas: 4, cache: false, cpus: 0.5 } };
    const texts = { ...valid(), app: { ...valid()["app"], replicas: "4", cache: "false", cpus: "0.5" } };
    assert.deepEqual(parseConfiguration(asJson(texts), "local"), parseConfiguration(asJson(raw), "local"));
  });
});
