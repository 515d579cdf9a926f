import assert from "node:assert/strict";
import { ruleNamed } from "../../../policies/catalogue.ts";
import { remediate, secret, unknown } from "../../support/policies/engine.ts";
import { app, plainContainer, service } from "../../support/policies/stack.ts";

const ipv4 = ruleNamed("healthcheck-ipv4")!;
const privileges = ruleNamed("no-new-privileges")!;
const tests = (...words: readonly unknown[]) => ({ props: { healthcheck: { tests: words } } });

describe("policies: remediation", () => {
  it("turns localhost into 127.0.0.1, and nothing else", async () => {
    const fixed = await remediate(
      [ipv4],
      plainContainer("nginx", tests("CMD-SHELL", "curl http://localhost:80/up && nc localhost:9000; echo localhost")),
    );
    assert.deepEqual((fixed as ReturnType<typeof plainContainer>["props"])["healthcheck"], {
      tests: ["CMD-SHELL", "curl http://127.0.0.1:80/up && nc 127.0.0.1:9000; echo localhost"],
    });
  });

  it("fixes a service as well", async () => {
    const fixed = (await remediate(
      [ipv4],
      service("web", "app", { healthcheck: { tests: ["CMD", "curl", "http://localhost/up"] } }),
    )) as { taskSpec: { containerSpec: { healthcheck: object } } };
    assert.deepEqual(fixed.taskSpec.containerSpec.healthcheck, { tests: ["CMD", "curl", "http://127.0.0.1/up"] });
  });

  it("announces nothing where nothing is wrong", async () => {
    assert.equal(await remediate([ipv4, privileges], app()), undefined);
  });

  it("keeps unknowns unknown and secrets secret", async () => {
    const secretUrl = secret("http://localhost/up?token=x");
    const fixed = (await remediate(
      [ipv4],
      plainContainer("nginx", { props: { ...tests(unknown, secretUrl).props, envs: [unknown, secret("A=1")] } }),
    )) as Record<string, { tests: unknown[] }>;
    assert.deepEqual(fixed["healthcheck"]!.tests, [unknown, secret("http://127.0.0.1/up?token=x")]);
    assert.deepEqual(fixed["envs"], [unknown, secret("A=1")]);
  });

  it("adds no-new-privileges, beside the options that are there", async () => {
    const options = async (securityOpts: unknown) =>
      (
        (await remediate([privileges], plainContainer("tool", { props: { securityOpts } }))) as
          | Record<string, unknown>
          | undefined
      )?.["securityOpts"];
    assert.deepEqual(await options(undefined), ["no-new-privileges:true"]);
    assert.deepEqual(await options(["label=type:x"]), ["label=type:x", "no-new-privileges:true"]);
    assert.equal(await options([unknown]), undefined);
    assert.equal(await options(["no-new-privileges"]), undefined);
  });
});
