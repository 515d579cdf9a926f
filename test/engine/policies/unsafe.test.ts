import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { catalogue } from "../../../policies/catalogue.ts";
import type { Rule } from "../../../policies/rule.ts";
import { fixtures } from "../../support/policies/fixtures/index.ts";
import { Project, type Result } from "../../support/policies/project.ts";

/** Every rule's first failing fixture in one program, written with the official SDK's classes. */
function unsafeProgram(rules: readonly Rule[]): string {
  const resources = rules.flatMap(({ name: rule }, i) =>
    (fixtures[rule]?.fail.find(({ facts }) => facts === undefined)?.stack ?? []).map((resource) => ({
      ...resource,
      name: `x${i}-${resource.name}`,
      prefix: `x${i}-`,
      // A bucket of its own for each rule: what blocks one would answer for another of the same name.
      props: { ...resource.props, ...("bucket" in resource.props ? { bucket: `x${i}-backups` } : {}) },
    })),
  );
  return `
    const classes = {
      "docker:index/container:Container": docker.Container, "docker:index/service:Service": docker.Service,
        "docker:index/volume:Volume": docker.Volume, "docker:index/network:Network": docker.Network,
      "docker:index/image:Image": docker.Image, "docker:index/remoteImage:RemoteImage": docker.RemoteImage,
        "command:local:Command": command.local.Command,
    };
    const revive = (value) => value === null || typeof value !== "object" ? value : Array.isArray(value) ?
      value.map(revive)
      : value["4dabf18193072939515e22adb298388d"] ? pulumi.secret(revive(value.value)) :
        Object.fromEntries(Object.entries(value).map(([k, v]) => [k, revive(v)]));
    const made = new Map();
    const resources = ${JSON.stringify(resources)};
    const make = ({ type, name, prefix, props, protect, deleteBeforeReplace, dependsOn = [] }) => {
      if (made.has(name)) return made.get(name);
      const dependencies = dependsOn.map((other) => resources.find((one) => one.name === prefix +
        other)).filter(Boolean).map(make);
      const options = { protect, deleteBeforeReplace, dependsOn: dependencies };
      const resource = classes[type] ? new classes[type](name, revive(props), options) : any(type, name, revive(props),
        options);
      made.set(name, resource);
      return resource;
    };
    resources.forEach(make);`;
}

describe("policies under the real engine: a deliberately unsafe program", function () {
  this.timeout(300_000);
  const ofOne = catalogue.filter(({ scope }) => scope === "resource");
  const ofStack = catalogue.filter(({ scope }) => scope === "stack");
  let project: Project;
  let result: Result;

  before(async () => {
    project = await Project.ofProgram(unsafeProgram(ofOne), "pr-28");
    result = await project.check();
  });
  after(() => project.remove());

  it("is blocked", () => {
    assert.notEqual(result.code, 0);
    assert.match(result.output, /mandatory/);
  });

  it("hears of every rule for single resources in one preview, at the rule's level", () => {
    for (const rule of ofOne) {
      const found = result.violations.filter(
        ({ policy, message }) => policy === rule.name && !message.includes("undecided"),
      );
      if (rule.level === "remediate")
        assert.match(result.output, new RegExp(`\\[remediate\\] +${rule.name}`), `${rule.name}: not repaired`);
      else {
        assert.ok(found.length > 0, `${rule.name}: not reported\n${result.output.slice(-3000)}`);
        for (const { level, message } of found)
          assert.equal(level, message.includes("In production this is refused.") ? "advisory" : rule.level, rule.name);
      }
    }
  });

  // In one stack, what is wrong for one of these would be right because of another's.
  const apart = ["redis-password-matches-server", "s3-public-blocked", "single-scheduler"];
  for (const [title, rules] of [
    ["", ofStack.filter(({ name }) => !apart.includes(name))],
    [" (apart)", ofStack.filter(({ name }) => apart.includes(name))],
  ] as const) {
    it(`hears of every rule for the stack where no single resource is refused${title}`, async () => {
      // The engine asks the stack's rules only after all resources have passed, so the others are switched off, as a
      // stack's file can do it.
      const config = join(project.folder, "stack-rules.json");
      writeFileSync(
        config,
        JSON.stringify({ all: "disabled", ...Object.fromEntries(rules.map(({ name }) => [name, "mandatory"])) }),
      );
      project.program(unsafeProgram(rules));
      const { code, violations, output } = await project.check({ config });
      assert.notEqual(code, 0);
      assert.deepEqual(
        [...new Set(violations.map(({ policy }) => policy))].sort(),
        rules.map(({ name }) => name).sort(),
        output.slice(-3000),
      );
    });
  }

  it("reads no secret in any message", () => {
    assert.doesNotMatch(result.output, /hunter2|9f4c1e7a2b8d|plexus_pass|secretsecret/);
  });
});
