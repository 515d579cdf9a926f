import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chosenBackend } from "../../../../cli/shared/backend.ts";
import { type Paths, pathsOf } from "../../../../cli/shared/project.ts";

describe("where a stack's state is", () => {
  let root: string;
  let paths: Paths;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "drydock-backend-"));
    paths = pathsOf(root);
    writeFileSync(join(root, "Pulumi.yaml"), "name: drydock\nruntime: nodejs\n");
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const login = (content: string): NodeJS.ProcessEnv => {
    writeFileSync(join(root, "credentials.json"), content);
    return { PULUMI_HOME: root };
  };
  const deploy = (stack: string): void => {
    const folder = join(paths.state, ".pulumi", "stacks", "drydock");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${stack}.json`), "{}");
  };
  const nobody = { PULUMI_HOME: "/nowhere" };

  it("is this clone's own, unless something else was chosen", () => {
    assert.equal(chosenBackend(paths, "prod", nobody), undefined);
    assert.equal(chosenBackend(paths, "prod", login("{")), undefined);
    assert.equal(chosenBackend(paths, "prod", login('{"current":""}')), undefined);
  });

  it("is where the user has logged in, or what a token is for", () => {
    assert.equal(
      chosenBackend(paths, "prod", login('{"current":"s3://state?region=eu-west-1"}')),
      "s3://state?region=eu-west-1",
    );
    const elsewhere = { PULUMI_HOME: "/nowhere", PULUMI_CREDENTIALS_PATH: root };
    assert.equal(chosenBackend(paths, "prod", elsewhere), "s3://state?region=eu-west-1");
    assert.equal(chosenBackend(paths, "prod", { ...nobody, PULUMI_ACCESS_TOKEN: "pul-x" }), "https://api.pulumi.com");
    const own = { ...nobody, PULUMI_ACCESS_TOKEN: "pul-x", PULUMI_API: "https://pulumi.example" };
    assert.equal(chosenBackend(paths, "prod", own), "https://pulumi.example");
  });

  it("is not a folder of this machine because of a login, and not elsewhere for the local stack", () => {
    assert.equal(chosenBackend(paths, "prod", login('{"current":"file://~"}')), undefined);
    assert.equal(chosenBackend(paths, "local", login('{"current":"s3://state"}')), undefined);
    assert.equal(chosenBackend(paths, "local", { ...nobody, PULUMI_ACCESS_TOKEN: "pul-x" }), undefined);
  });

  it("stays in this clone for a stack that is there already", () => {
    deploy("prod");
    assert.equal(chosenBackend(paths, "prod", login('{"current":"s3://state"}')), undefined);
    assert.equal(chosenBackend(paths, "staging", login('{"current":"s3://state"}')), "s3://state");
  });

  it("is what Pulumi.yaml says, for every stack", () => {
    writeFileSync(join(root, "Pulumi.yaml"), "name: drydock\nbackend:\n  url: gs://state\n");
    deploy("prod");
    for (const stack of ["prod", "local"])
      assert.equal(chosenBackend(paths, stack, login('{"current":"s3://x"}')), "gs://state");
  });
});
