import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { refuseProduction, removeLeftovers } from "../../../../cli/destroy/run.ts";
import { forgetVolumes, rememberVolumes, unfinished, volumesOf } from "../../../../cli/destroy/volumes.ts";
import type { Docker } from "../../../../cli/shared/docker.ts";
import { CliError, Exit } from "../../../../cli/shared/errors.ts";
import type { Deployment, StateResource } from "../../../../cli/shared/stack.ts";

const deployment = (...resources: Partial<StateResource>[]): Deployment => ({
  resources: resources.map((resource) => ({ urn: "urn", type: "docker:index/container:Container", ...resource })),
  pending: [],
});
const refused =
  (match: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof CliError);
    assert.match(error.what, match);
    assert.equal(error.code, Exit.refused);
    return true;
  };

describe("destroying a stack", () => {
  it("is refused where APP_ENV is production", () => {
    assert.throws(
      () => refuseProduction("staging", "production"),
      refused(/stack staging is in production \(APP_ENV is production\)/),
    );
  });
  it("is refused where the stack's name says production, or nothing, and APP_ENV is not set", () => {
    assert.throws(() => refuseProduction("prod", undefined), refused(/APP_ENV is not set/));
    assert.throws(() => refuseProduction("shop", undefined), refused(/APP_ENV is not set/));
  });
  it("is refused where production still runs, although the file says something else now", () => {
    assert.throws(
      () => refuseProduction("staging", "staging", deployment({ inputs: { envs: ["APP_ENV=production"] } })),
      refused(/its containers run with/),
    );
  });
  it("is allowed for local and staging", () => {
    refuseProduction("local", "local", deployment({ inputs: { envs: ["APP_ENV=local"] } }));
    refuseProduction("staging", undefined, deployment());
    refuseProduction("shop", "staging");
  });
  it("knows which volumes stay", () => {
    const type = "docker:index/volume:Volume";
    const state = deployment(
      { type, protect: true, outputs: { name: "data-1" } },
      { type, protect: true, id: "data-2" },
      { type, outputs: { name: "public-1" } },
      {},
    );
    assert.deepEqual(volumesOf(state, true), ["data-1", "data-2"]);
    assert.deepEqual(volumesOf(state, false), ["data-1", "data-2", "public-1"]);
  });

  it("remembers whose data is to be deleted until it is, though Pulumi forgets them before", () => {
    const folder = mkdtempSync(join(tmpdir(), "drydock-destroy-"));
    try {
      const paths = { folder: join(folder, ".drydock") };
      assert.deepEqual(unfinished(paths, "local"), []);
      rememberVolumes(paths, "local", ["data-1", "data-2"]);
      assert.deepEqual(unfinished(paths, "local"), ["data-1", "data-2"]);
      assert.deepEqual(unfinished(paths, "other"), []);
      forgetVolumes(paths, "local");
      assert.deepEqual(unfinished(paths, "local"), []);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("takes containers along that the state does not know, if they use the stack's own volumes", async () => {
    const calls: string[][] = [];
    const docker = {
      env: {},
      run: async (args: readonly string[]) => {
        calls.push([...args]);
        return { code: 0, stdout: args[0] === "ps" ? "a1 app-1-1111111\nb2 app-1-2222222\n" : "", stderr: "" };
      },
    } as unknown as Docker;
    assert.equal(await removeLeftovers(docker, deployment(), "local", []), false);
    assert.equal(calls.length, 0);
    // Pulumi may have forgotten the volume in an attempt before.
    assert.equal(await removeLeftovers(docker, deployment({ id: "a1" }), "local", ["logs-1"]), true);
    assert.deepEqual(calls.at(0)?.slice(-4), ["--filter", "label=drydock.stack=local", "--filter", "volume=logs-1"]);
    assert.deepEqual(calls.slice(1), [["rm", "--force", "--volumes", "b2"]]);
  });
});
