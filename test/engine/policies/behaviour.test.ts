import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkDeployed } from "../../../policies/deployed.ts";
import { Project } from "../../support/policies/project.ts";
import { app, plainContainer } from "../../support/policies/stack.ts";

/** One container, as text of a program; `${…}` may stand in the properties' text. */
function container(name: string, props: Readonly<Record<string, unknown>>, extra = ""): string {
  return (
    `new docker.Container(${JSON.stringify(name)}, { ...${JSON.stringify(props)}, ${extra} }, ` +
    "{ deleteBeforeReplace: false });"
  );
}
const tool = (change: Readonly<Record<string, unknown>> = {}) => plainContainer("tool", { props: change }).props;

describe("policies under the real engine", function () {
  this.timeout(300_000);
  let project: Project;

  before(async () => {
    project = await Project.ofProgram("", "dev");
  });
  after(() => project.remove());

  function configured(config: Readonly<Record<string, unknown>>): string {
    const file = join(project.folder, "config.json");
    writeFileSync(file, JSON.stringify(config));
    return file;
  }

  it("say what is not known yet, and the violation beside it", async () => {
    project.program(
      `const first = ${container("first", tool())} ` +
        `${container("second", tool({ privileged: true }), "user: first.containerLogs")}`,
    );
    const { violations, code } = await project.check();
    assert.notEqual(code, 0);
    assert.deepEqual(
      violations
        .map(({ policy, level, resource, message }) => [policy, level, resource, message.split("\n")[0]])
        .sort(),
      [
        ["no-privileged", "mandatory", "second", 'container "second", privileged: the container is privileged'],
        [
          "non-root-uid",
          "advisory",
          "second",
          'container "second": undecided until the update, because not known yet: user',
        ],
      ],
    );
  });

  it("obey the stack's file: levels, parameters, roles by name, exclusions with their reason", async () => {
    const { labels: _, ...replica } = app().props as Record<string, unknown>;
    project.program(`${container("tool", tool({ privileged: true, memory: undefined, cpus: undefined }))}
      ${container("frontend", { ...replica, user: "1002" })}
      ${container(
        "cron",
        { ...replica, user: "1002", envs: [...(replica["envs"] as string[])] },
        'labels: [{ label: "role", value: "scheduler" }], networksAdvanced: [{ name: "data" }]',
      )}`);
    const config = configured({
      "pack-settings": { roleLabel: "role", roleByName: { app: "^front" } },
      "no-privileged": { exclude: [{ resource: "tool", reason: "it is a test of exclusions" }] },
      "memory-limit": "disabled",
      "cpu-limit": "disabled",
      "non-root-uid": { uids: { app: 1002 } },
      "service-host-resolves": "advisory",
    });
    const { violations, code, output } = await project.check({ config });
    assert.equal(code, 0, output);
    assert.deepEqual([...new Set(violations.map(({ policy, level }) => `${policy} ${level}`))].sort(), [
      "no-privileged advisory",
      "service-host-resolves advisory",
    ]);
    assert.match(output, /Excluded by the stack's policy configuration: it is a test of exclusions/);
  });

  it("fail closed where the stack's file is wrong", async () => {
    project.program(container("tool", tool()));
    const { code, output } = await project.check({ config: configured({ "non-root-uid": { uid: 1002 } }) });
    assert.notEqual(code, 0);
    assert.match(output, /non-root-uid.*[Uu]nrecognized key/);
  });

  it("repair what they can, without a secret getting out", async () => {
    project.program(
      container(
        "tool",
        tool({ securityOpts: undefined }),
        'healthcheck: { tests: ["CMD", "curl", pulumi.secret("http://localhost/up?token=hunter2")] }',
      ),
    );
    const { code, output } = await project.check({ operation: ["up", "--yes", "--skip-preview"] });
    assert.equal(code, 0, output);
    assert.match(output, /\[remediate\] +healthcheck-ipv4/);
    const inputs = async (...flags: readonly string[]) => {
      const exported = JSON.parse((await project.pulumi("stack", "export", ...flags)).output) as {
        deployment: {
          resources: { type: string; inputs: { securityOpts: unknown; healthcheck: { tests: unknown[] } } }[];
        };
      };
      return exported.deployment.resources.find(({ type }) => type === "docker:index/container:Container")!.inputs;
    };
    assert.deepEqual((await inputs()).securityOpts, ["no-new-privileges:true"]);
    assert.doesNotMatch(JSON.stringify(await inputs()) + output, /hunter2/);
    assert.match(JSON.stringify(await inputs("--show-secrets")), /127\.0\.0\.1\/up\?token=hunter2/);
  });

  it("find old sins in what is deployed", async () => {
    project.program(
      container(
        "tool",
        tool({ privileged: true }),
        'envs: [pulumi.secret("DATABASE_URL=mysql://shop:hunter2@db/shop")]',
      ),
    );
    assert.equal((await project.check({ operation: ["up", "--yes", "--skip-preview"], pack: false })).code, 0);
    const findings = await checkDeployed(
      {
        capture: async (args) => {
          const { code, output } = await project.pulumi(...args);
          return {
            code,
            stdout: output,
            stderr: output
              .split("\n")
              .filter((line) => line.startsWith("error:"))
              .join("\n"),
          };
        },
      },
      "dev",
    );
    assert.deepEqual(findings.map(({ rule, level, resource }) => [rule, level, resource]).sort(), [
      ["no-credentials-in-url", "advisory", "tool"],
      ["no-privileged", "mandatory", "tool"],
    ]);
    assert.doesNotMatch(JSON.stringify(findings), /hunter2/);
  });
});
