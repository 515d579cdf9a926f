import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contextHost, type Docker, inspect } from "../../../../cli/shared/docker.ts";

const answering = (code: number, stdout: string, stderr: string): Docker => ({
  env: {},
  run: () => Promise.resolve({ code, stdout, stderr }),
});

describe("inspecting containers", () => {
  it("leaves out those that are gone", async () => {
    assert.deepEqual(
      await inspect(answering(1, '[{"Id":"a"}]', "Error: No such container: b\n"), ["a", "b"], "local"),
      [{ Id: "a" }],
    );
  });
  it("asks nothing where there is nothing to ask for", async () => {
    assert.deepEqual(await inspect({ env: {}, run: () => assert.fail("asked") }, [], "local"), []);
  });
  it("says that Docker does not answer", async () => {
    await assert.rejects(
      inspect(answering(1, "", "Cannot connect to the Docker daemon at unix:///x"), ["a"], "local"),
      { what: "Docker does not answer" },
    );
  });
});

describe("the docker client's context", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-context-"));
    writeFileSync(join(folder, "docker"), '#!/bin/sh\n[ "$5" = far ] && echo ssh://ann@ship\n', { mode: 0o755 });
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const env = (more: Record<string, string> = {}) => ({
    PATH: `${folder}:/usr/bin:/bin`,
    DOCKER_CONFIG: folder,
    ...more,
  });

  it("is told to the plugins, which know none", async () => {
    writeFileSync(join(folder, "config.json"), '{"currentContext":"far"}');
    assert.equal(await contextHost(env()), "ssh://ann@ship");
    assert.equal(await contextHost(env({ DOCKER_CONTEXT: "default" })), undefined);
  });
  it("counts for nothing where DOCKER_HOST is set, or none was chosen", async () => {
    assert.equal(await contextHost(env({ DOCKER_CONTEXT: "far", DOCKER_HOST: "unix:///x" })), undefined);
    assert.equal(await contextHost(env()), undefined);
    writeFileSync(join(folder, "config.json"), "{");
    assert.equal(await contextHost(env()), undefined);
  });
});
