import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Docker } from "../../../../cli/shared/docker.ts";
import { CliError } from "../../../../cli/shared/errors.ts";
import type { EngineEvent } from "../../../../cli/shared/events.ts";
import { lostImages } from "../../../../cli/shared/lostImages.ts";

const URN = "urn:pulumi:local::drydock::drydock:index:AppImage$";
const step = (op: string, type: string, name: string, inputs: Record<string, unknown>): EngineEvent => ({
  resourcePreEvent: { metadata: { op, urn: `${URN}${type}::${name}`, type, old: { inputs }, new: {} } },
});
const BUILT = "command:local:Command";
const PULLED = "docker:index/remoteImage:RemoteImage";

describe("images that the Docker host has lost", () => {
  const asked: (readonly string[])[] = [];
  const docker = (code: number, stderr = ""): Docker => ({
    env: {},
    run: async (args) => {
      asked.push(args);
      return { code, stdout: "", stderr };
    },
  });
  const events = [
    step("same", BUILT, "app-image", { environment: { BUILD: JSON.stringify({ image: "drydock/app:1" }) } }),
    step("same", BUILT, "verify", { environment: { IMAGE: "gone:2" } }),
    step("same", PULLED, "proxy-image", { name: "nginx:1.30" }),
    step("create-replacement", PULLED, "redis-image", { name: "redis:8" }),
    step("same", "docker:index/container:Container", "app-1", { image: "gone:1" }),
  ];

  it("are those that an update would leave as they are, asked at once", async () => {
    asked.length = 0;
    // As Docker 20.10 says it, and later ones.
    const old = "Error response from daemon: no such image: drydock/app:1: No such image: drydock/app:1\n";
    const lost = [{ name: "app-image", urn: `${URN}${BUILT}::app-image`, image: "drydock/app:1" }];
    assert.deepEqual(await lostImages(docker(1, old), "local", events), lost);
    assert.deepEqual(await lostImages(docker(1, "Error: No such image: drydock/app:1"), "local", events), lost);
    assert.deepEqual(asked[0], ["image", "inspect", "--format", "{{.Id}}", "drydock/app:1", "nginx:1.30"]);
  });

  it("are none where all are there, and nobody is asked where the stack has none", async () => {
    assert.deepEqual(await lostImages(docker(0), "local", events), []);
    asked.length = 0;
    assert.deepEqual(await lostImages(docker(1), "local", [events[4]!]), []);
    assert.deepEqual(asked, []);
  });

  it("can't be told where Docker does not answer", async () => {
    const away = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
    await assert.rejects(lostImages(docker(1, away), "local", events), CliError);
  });
});
