import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { SETTINGS_OF } from "../../../config/roles.ts";
import { settingsSchema } from "../../../config/schema.ts";
import { children, docOf } from "../../../config/walk.ts";
import { catalogue } from "../../../policies/catalogue.ts";
import { commandOf } from "../../../policies/helpers/own.ts";
import type { Rule, SettingFix } from "../../../policies/rule.ts";

const GROUPS = [...new Set(Object.values(SETTINGS_OF))];
const PROPERTIES = ["", "ports[0]", "envs", "envs[2]", "APP_URL", "healthcheck.tests[3]"];

/** Every setting that a rule may name, with the groups that it is named for. */
const mendings = (rule: Rule): SettingFix[] => {
  const { setting } = rule;
  return typeof setting === "function"
    ? GROUPS.flatMap((group) => PROPERTIES.flatMap((property) => setting(group, property) ?? []))
    : [];
};

/**
 * Whether the schema has a setting there. What stands in capitals is the reader's to fill in, as is the key of a map.
 */
function exists(path: string): boolean {
  const parts = [...path.matchAll(/\["([^"]+)"\]|[^.["\]]+/g)].map(([whole, quoted]) => quoted ?? whole);
  return parts.every((part, index) => {
    const parent = parts.slice(0, index);
    const keys = children(settingsSchema, parent);
    return keys.includes(part) || (keys.length === 0 && docOf(settingsSchema, parent).composed);
  });
}

describe("policies: the setting that fixes a rule", () => {
  it("is one that there is, for every rule; or the rule says why there is none", () => {
    for (const rule of catalogue) {
      if (typeof rule.setting !== "function") {
        assert.match(rule.setting.none, /(components|commands)\//, rule.name);
        continue;
      }
      const found = mendings(rule);
      assert.ok(found.length > 0, `${rule.name} names none`);
      for (const { path } of found) assert.ok(exists(path), `${rule.name}: drydock:${path} is no setting`);
    }
    assert.ok(!exists("app.memry") && !exists("ap.memory") && !exists("app.memory.x"), "a wrong one is found");
  });

  it("is of the group of the container's own role", () => {
    const memory = catalogue.find(({ name }) => name === "memory-limit")!.setting as (
      group: string,
      property: string,
    ) => SettingFix;
    assert.deepEqual(
      ["app", "workers", "services", "database", "backup"].map((group) => memory(group, "memory").path),
      ["app.memory", "workers.NAME.memory", "services.NAME.memory", "database.memory", "backup.memory"],
    );
    const uid = catalogue.find(({ name }) => name === "non-root-uid")!.setting as (
      group: string,
      property: string,
    ) => SettingFix;
    assert.deepEqual(
      ["app", "horizon", "workers", "services", "redis", "backup"].map((group) => uid(group, "user").path),
      ["app.uid", "app.uid", "app.uid", "services.NAME.uid", "redis.uid", "app.uid"],
    );
  });

  it("is a whole command; a secret is on no command line, and a path with quotes is one word", () => {
    assert.equal(
      commandOf({ path: "app.memory", value: "512" }, "prod"),
      "pulumi config set --path drydock:app.memory 512 --stack prod",
    );
    assert.equal(
      commandOf({ path: "env.A", from: "openssl rand -hex 24" }, "prod"),
      "openssl rand -hex 24 | pulumi config set --secret --path drydock:env.A --stack prod",
    );
    assert.equal(
      commandOf({ path: 'app.persistent["x/y"]', removed: true }, "prod"),
      `pulumi config rm --path 'drydock:app.persistent["x/y"]' --stack prod`,
    );
    const secret = catalogue.flatMap(mendings).filter(({ path }) => /PASSWORD|APP_KEY/.test(path));
    assert.ok(secret.length > 0 && secret.every((one) => "from" in one));
  });
});
