import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Paths, pathsOf } from "../../../../cli/shared/project.ts";
import type { Pulumi } from "../../../../cli/shared/pulumi.ts";
import {
  mayBePending,
  outputsOf,
  readDeployment,
  selectedStack,
  settingAt,
  stackConfig,
  stackExists,
} from "../../../../cli/shared/stack.ts";

let root: string;
let paths: Paths;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "drydock-stack-"));
  paths = pathsOf(root);
});
afterEach(() => rmSync(root, { recursive: true }));

describe("the stack that is meant without -s", () => {
  const select = (content: string): NodeJS.ProcessEnv => {
    const folder = join(root, "home", "workspaces");
    mkdirSync(folder, { recursive: true });
    writeFileSync(
      join(folder, `drydock-${createHash("sha1").update(join(root, "Pulumi.yaml")).digest("hex")}-workspace.json`),
      content,
    );
    return { PULUMI_HOME: join(root, "home"), PULUMI_BACKEND_URL: "file:///here" };
  };
  it("is the one that pulumi stack select chose for this clone", () => {
    assert.equal(
      selectedStack(
        paths,
        select(
          '{"stacks":{"file:///here":"organization/drydock/staging","file:///there":"organization/drydock/prod"}}',
        ),
      ),
      "staging",
    );
    assert.equal(selectedStack(paths, select('{"stack":"organization/drydock/staging"}')), "staging");
    assert.equal(
      selectedStack(paths, {
        ...select('{"stacks":{"file:///here":"staging"}}'),
        PULUMI_BACKEND_URL: "file:///here?metadata=skip",
      }),
      "staging",
    );
  });
  it("is PULUMI_STACK before that", () =>
    assert.equal(selectedStack(paths, { ...select('{"stack":"staging"}'), PULUMI_STACK: "prod" }), "prod"));
  it("is none where none was chosen, or the file can't be read", () => {
    assert.equal(selectedStack(paths, select("{}")), undefined);
    assert.equal(selectedStack(paths, select('{"stacks":{"file:///there":"prod"}}')), undefined);
    assert.equal(selectedStack(paths, select("{")), undefined);
    assert.equal(selectedStack(paths, { PULUMI_HOME: "/nowhere" }), undefined);
  });
});

describe("a stack in this clone's state", () => {
  const state = (content: string): NodeJS.ProcessEnv => {
    const folder = join(root, "state", ".pulumi", "stacks", "drydock");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "local.json"), content);
    return { PULUMI_BACKEND_URL: `file://${join(root, "state")}` };
  };
  it("is there where it has a checkpoint", () => {
    assert.equal(stackExists("local", state("{}")), true);
    assert.equal(stackExists("prod", state("{}")), false);
    assert.equal(stackExists("prod", { PULUMI_BACKEND_URL: "s3://state" }), true);
  });
  it("may have pending operations where the checkpoint lists some, or can't be seen", () => {
    assert.equal(mayBePending("local", state('{"pending_operations": [\n {"type":"creating"}]}')), true);
    assert.equal(mayBePending("local", state('{"pending_operations": []}')), false);
    assert.equal(mayBePending("local", state("{}")), false);
    assert.equal(mayBePending("local", { PULUMI_BACKEND_URL: "s3://state" }), true);
  });
});

describe("a stack's file", () => {
  it("is read by paths, secrets as they are encrypted", () => {
    writeFileSync(
      paths.stackFile("prod"),
      "config:\n  drydock:docker:\n    host: ssh://ann@ship\n  drydock:env:\n    APP_KEY:\n      secure: v1:x\n",
    );
    const config = stackConfig(paths, "prod");
    assert.equal(settingAt(config, "docker.host"), "ssh://ann@ship");
    assert.deepEqual(settingAt(config, "env.APP_KEY"), { secure: "v1:x" });
    assert.equal(settingAt(config, "app.path.deeper"), undefined);
    assert.deepEqual(stackConfig(paths, "other"), {});
  });
  it("is named where it is not valid", () => {
    writeFileSync(paths.stackFile("prod"), "config: [\n");
    assert.throws(() => stackConfig(paths, "prod"), /Pulumi\.prod\.yaml is not valid YAML/);
  });
});

describe("a stack's outputs", () => {
  const pulumi = (code: number, stdout: string, stderr = ""): Pulumi => ({
    capture: () => Promise.resolve({ code, stdout, stderr }),
    stream: () => assert.fail("not used"),
  });
  const read = async (stack: string, ...answer: Parameters<typeof pulumi>) =>
    outputsOf(await readDeployment(pulumi(...answer), stack), stack);
  const resources = (outputs: object) =>
    JSON.stringify({ deployment: { resources: [{ urn: "urn:x", type: "pulumi:pulumi:Stack", outputs }] } });
  it("are what the program exports", async () => {
    const outputs = { stack: "local", url: "http://x", release: "1", services: [] };
    assert.deepEqual(await read("local", 0, resources(outputs)), outputs);
  });
  it("of a stack that was never deployed: how to deploy it", async () => {
    await assert.rejects(read("staging", 0, resources({})), {
      what: "stack staging has not been deployed yet",
      remedy: "./drydock up -s staging",
    });
    await assert.rejects(read("local", 6, "", "error: no stack named 'local' found"), { remedy: "./drydock up" });
  });
});
