import assert from "node:assert/strict";
import { catalogue } from "../../../policies/catalogue.ts";
import { judgeConfiguration } from "../../../policies/configuration.ts";
import { checkDeployed, report } from "../../../policies/deployed.ts";
import { checkState, type StateResource } from "../../../policies/state.ts";
import { type Res, urnOf } from "../../support/policies/engine.ts";
import { app, plainContainer, stackOf } from "../../support/policies/stack.ts";

const configuration = judgeConfiguration({}, catalogue, "");

function stateOf(resources: readonly Res[]): StateResource[] {
  const urn = (name: string) => urnOf(resources.find((one) => one.name === name)!);
  return resources.map((one) => ({
    urn: urnOf(one),
    type: one.type,
    inputs: one.props,
    outputs: one.props,
    protect: one.protect ?? false,
    dependencies: (one.dependsOn ?? []).map(urn),
    propertyDependencies: Object.fromEntries(
      Object.entries(one.from ?? {}).map(([key, names]) => [key, names.map(urn)]),
    ),
  }));
}

describe("policies: what is deployed", () => {
  it("is found to be good", () => assert.deepEqual(checkState(stateOf(stackOf()), configuration), []));

  it("has old sins found, of single resources and of the stack; what waits for its deletion is left out", () => {
    const findings = checkState(
      [
        ...stateOf([app({ props: { privileged: true } })]),
        { ...stateOf([plainContainer("old", { props: { privileged: true } })])[0]!, delete: true },
      ],
      configuration,
    );
    assert.deepEqual(
      findings.map(({ rule, level }) => [rule, level]),
      [
        ["single-scheduler", "mandatory"],
        ["service-host-resolves", "mandatory"],
        ["service-host-resolves", "mandatory"],
        ["no-privileged", "mandatory"],
      ].sort((a, b) => order(a[0]!) - order(b[0]!)),
    );
  });

  it("leaves undecided what depends on an encrypted secret, and never shows its text", () => {
    const encrypted = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", ciphertext: "v1:abc" };
    const good = app();
    const [resource] = stateOf([
      {
        ...good,
        props: { ...good.props, uploads: [{ file: "/var/www/html/.env", content: encrypted, permissions: "0400" }] },
      },
    ]);
    const findings = checkState([resource!], configuration).filter(({ rule }) => rule === "app-key-every-role");
    assert.deepEqual(
      findings.map(({ kind, message }) => [kind, message]),
      [["undecided", 'container "app": undecided until the update, because not known yet: uploads[0].content']],
    );
  });

  it("is exported where Pulumi is too old to analyze it", async () => {
    const calls: string[] = [];
    const old = {
      capture: async (args: readonly string[]) => {
        calls.push(args.slice(0, 2).join(" "));
        return args[0] === "policy"
          ? { code: 255, stdout: "", stderr: 'error: unknown command "analyze" for "pulumi policy"' }
          : {
              code: 0,
              stdout: JSON.stringify({
                deployment: { resources: stateOf([plainContainer("x", { props: { privileged: true } })]) },
              }),
              stderr: "",
            };
      },
    };
    const findings = await checkDeployed(old, "local");
    assert.deepEqual(calls, ["policy analyze", "stack export"]);
    assert.deepEqual(
      findings.map(({ rule, level, resource }) => [rule, level, resource]),
      [["no-privileged", "mandatory", "x"]],
    );
    assert.match(
      report(findings, "local"),
      new RegExp(
        String.raw`^\[mandatory\] no-privileged\n  container "x", privileged: the container is privileged\n  ` +
          String.raw`Why: .*\n  Remedy: .*\nnot asked, because the state does not hold it: ` +
          String.raw`web-no-delete-before-replace\nstack local: 1 violations`,
      ),
    );
  });

  it("fails where Pulumi fails", async () => {
    await assert.rejects(
      checkDeployed(
        { capture: async () => ({ code: 255, stdout: "", stderr: "error: no stack named 'x' found" }) },
        "local",
      ),
      /pulumi policy analyze failed: error: no stack named/,
    );
  });
});

function order(name: string): number {
  return catalogue.findIndex((rule) => rule.name === name);
}
