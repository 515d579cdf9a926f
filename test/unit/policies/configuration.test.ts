import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { factsIn } from "../../../config/facts.ts";
import { policiesOf } from "../../../policies/adapter.ts";
import { catalogue, ordered, ruleNamed } from "../../../policies/catalogue.ts";
import { configurationFile, judgeConfiguration, readConfiguration } from "../../../policies/configuration.ts";
import { checkResource, checkStack, excludes, parseConfig } from "../../../policies/evaluate.ts";
import { Resource } from "../../../policies/helpers/resources.ts";
import type { Rule } from "../../../policies/rule.ts";
import { parseSettings } from "../../../policies/settings.ts";
import type { Res } from "../../support/policies/engine.ts";
import { app, type Change, horizon, plainContainer, scheduler } from "../../support/policies/stack.ts";

const rule = (name: string): Rule => ruleNamed(name)!;
const settings = parseSettings();
const of = (res: Res) => new Resource(res);

describe("policies: catalogue", () => {
  it("refuses a name that is there twice", () => {
    assert.throws(() => ordered([rule("memory-limit"), rule("memory-limit")]), /two rules are called memory-limit/);
  });

  it("has rules that are complete, and remediate only where they can", () => {
    for (const one of catalogue) {
      for (const key of ["summary", "why", "remedy", "bad", "good"] as const)
        assert.ok(one[key].length > 3, `${one.name}: ${key}`);
      assert.equal(one.level === "remediate", one.scope === "resource" && one.fix !== undefined, one.name);
    }
  });

  it("gives the engine a schema of each rule's parameters, with their defaults", () => {
    const policy = policiesOf(catalogue).find(({ name }) => name === "s3-lifecycle-covers-retention");
    assert.deepEqual(policy?.configSchema?.properties["retentionDays"], {
      default: 30,
      type: "integer",
      exclusiveMinimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
    });
    // A parameter with a default is none that a file must set: the engine would refuse every configuration without it.
    for (const { name, configSchema } of policiesOf(catalogue))
      assert.deepEqual(configSchema?.required ?? [], [], name);
  });
});

describe("policies: configuration of a stack", () => {
  const judge = (entries: Record<string, never>) => judgeConfiguration(entries, catalogue, "prod.json");

  it("refuses what the engine would take without a word", () => {
    assert.throws(
      () => judge({ "memory-limt": "disabled" } as never),
      /prod.json: no rule is called memory-limt. See the names with .\/drydock policies/,
    );
    assert.throws(
      () => judge({ "memory-limit": "off" } as never),
      /memory-limit has a level that does not exist. Use one of mandatory, advisory, remediate, disabled/,
    );
    assert.throws(() => judge({ "memory-limit": "remediate" } as never), /memory-limit can't repair anything/);
    assert.throws(() => judge({ "non-root-uid": { uid: 5 } } as never), /non-root-uid\..*[Uu]nrecognized key/);
    assert.throws(() => judge({ "pack-settings": { production: "(" } } as never), /must be a regular expression/);
  });

  it("accepts no exclusion without a reason", () => {
    assert.throws(
      () => parseConfig(rule("memory-limit"), { exclude: [{ resource: "app" }] }),
      /memory-limit.exclude.0.reason/,
    );
    assert.throws(
      () => parseConfig(rule("memory-limit"), { exclude: [{ resource: "app", reason: "yes" }] }),
      /a reason of at least 10 characters/,
    );
  });

  it("applies levels for all and for one", () => {
    const configuration = judge({ all: "advisory", "memory-limit": { enforcementLevel: "mandatory" } } as never);
    assert.equal(configuration.levelOf(rule("memory-limit")), "mandatory");
    assert.equal(configuration.levelOf(rule("no-privileged")), "advisory");
  });

  for (const stack of ["local", "staging", "prod"]) {
    it(`of ${stack} is valid, and has a written reason for each exception`, () => {
      const file = configurationFile(stack)!;
      readConfiguration(stack, catalogue);
      const entries = JSON.parse(readFileSync(file, "utf8")) as Record<
        string,
        { exclude?: { reason: string }[] } | string
      >;
      for (const [name, entry] of Object.entries(entries))
        assert.equal(typeof entry, "object", `${name}: a bare level has no reason`);
    });
  }

  it("has one file a stack, and no other", () => {
    assert.deepEqual(readdirSync(join(import.meta.dirname, "../../../policies/config")).sort(), [
      "local.json",
      "prod.json",
      "staging.json",
    ]);
    assert.equal(configurationFile("../local"), undefined);
  });
});

describe("policies: exclusions", () => {
  const config = { exclude: [{ resource: "tool", reason: "it is a test of exclusions" }] };

  it("are printed with their reason, for the named resource only", () => {
    const tool = of(plainContainer("tool", { props: { memory: undefined } }));
    const [finding] = checkResource(rule("memory-limit"), tool, settings, config);
    assert.deepEqual(
      [finding?.kind, finding?.message],
      [
        "excluded",
        'container "tool", memory: there is no memory limit\nExcluded by the stack\'s policy configuration: ' +
          "it is a test of exclusions",
      ],
    );
    assert.equal(
      checkResource(
        rule("memory-limit"),
        of(plainContainer("other", { props: { memory: undefined } })),
        settings,
        config,
      )[0]?.kind,
      "violation",
    );
  });

  it("say nothing where nothing is wrong", () => {
    assert.deepEqual(checkResource(rule("memory-limit"), of(plainContainer("tool")), settings, config), []);
  });

  it("work for rules of the stack", () => {
    const findings = checkStack(rule("single-scheduler"), [app(), horizon()].map(of), settings, {
      exclude: [{ resource: "app", reason: "no scheduled tasks" }],
    });
    assert.deepEqual(
      findings.map(({ kind }) => kind),
      ["excluded"],
    );
  });

  it("take a star for a replica's number, never for everything", () => {
    assert.ok(excludes({ resource: "app-*" }, "app-1"));
    assert.ok(!excludes({ resource: "app-*" }, "app-"));
    assert.ok(!excludes({ resource: "*" }, "app"));
    assert.ok(!excludes({ resource: "app" }, "app-1"));
  });
});

describe("policies: parameters and settings", () => {
  const check = (name: string, res: Res, config: object, changed = settings) =>
    checkResource(rule(name), of(res), changed, config as never).map(({ message }) => message.split("\n")[0]);

  it("change what a rule demands", () => {
    assert.deepEqual(check("non-root-uid", app({ props: { user: "1002" } }), { uids: { app: 1002 } }), []);
    assert.deepEqual(check("db-connection-explicit", app(), { allowed: ["pgsql"] }), [
      'container "app", envs[3]: DB_CONNECTION is none of pgsql',
    ]);
    assert.deepEqual(check("healthcheck-endpoint", app(), { ports: [8081], path: "/health" }).length, 2);
  });

  it("find the role by a pattern on the name where there is no label", () => {
    const bare: Change = { props: { labels: undefined, user: "0" } };
    const facts = factsIn({ app: {}, database: {}, redis: {}, proxy: {} }, "staging");
    const named = (name: string, pattern: object = {}) =>
      new Resource({ ...app(bare), name }) &&
      check(
        "non-root-uid",
        { ...app({ props: { labels: undefined, user: "5" } }), name },
        {},
        parseSettings({ roleByName: pattern }, facts),
      );
    assert.deepEqual(named("cosmic-app-1-prod"), [
      'container "cosmic-app-1-prod", user: is not the uid of role app, 1000',
    ]);
    assert.deepEqual(named("platform-db-prod"), [
      'container "platform-db-prod", user: is not the uid of role database, 999',
    ]);
    assert.deepEqual(named("mapper"), []);
    assert.deepEqual(named("frontend", { app: "^front" }), [
      'container "frontend", user: is not the uid of role app, 1000',
    ]);
  });

  it("let the label win over the name", () => {
    assert.equal(
      checkResource(rule("non-root-uid"), new Resource({ ...scheduler(), name: "redis" }), settings).length,
      0,
    );
  });

  it("refuse rules without an object of parameters", () => {
    for (const { params } of catalogue) assert.ok((params as z.ZodType) instanceof z.ZodObject);
  });
});
