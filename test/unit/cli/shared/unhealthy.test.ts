import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Docker } from "../../../../cli/shared/docker.ts";
import type { EngineEvent } from "../../../../cli/shared/events.ts";
import { translate } from "../../../../cli/shared/translations.ts";
import { lastWords, unhealthyIn } from "../../../../cli/shared/unhealthy.ts";

const urn = (name: string) => `urn:pulumi:local::drydock::drydock:index:App$docker:index/container:Container::${name}`;
const type = "docker:index/container:Container";
const made = (name: string, container: string): EngineEvent => ({
  resourcePreEvent: {
    metadata: { op: "create-replacement", urn: urn(name), type, new: { inputs: { name: container } } },
  },
});
const failed = (name: string): EngineEvent => ({
  diagnosticEvent: {
    severity: "error",
    urn: urn(name),
    message:
      "<{%reset%}>sdk-v2/provider2.go:571: sdk.helper_schema: container failed to be in healthy state: " +
      "provider=docker@5.2.0<{%reset%}>\n",
  },
});

describe("containers that Pulumi's docker plugin has waited for in vain", () => {
  it("are named as Docker names them: the newest of each, once", () => {
    const events = [
      made("app-1", "app-1-0000001"),
      made("app-1", "app-1-0000002"),
      made("app-2", "app-2-0000003"),
      failed("app-1"),
      failed("app-1"),
    ];
    assert.deepEqual(unhealthyIn(events), ["app-1-0000002"]);
    assert.deepEqual(unhealthyIn([made("app-1", "app-1-0000001")]), []);
  });

  it("say what their health check and their log say", async () => {
    const inspected = [
      {
        Name: "/app-1-0000002",
        State: {
          Status: "running",
          ExitCode: 0,
          Health: { Status: "starting", Log: [{ ExitCode: 1, Output: "404\n" }] },
        },
      },
      { Name: "/horizon-0000003", State: { Status: "exited", ExitCode: 3, Health: null } },
    ];
    const docker = {
      env: {},
      run: async ([verb, ...args]: readonly string[]) => ({
        code: 0,
        stdout: verb === "container" ? JSON.stringify(inspected) : args.at(-1) === "app-1-0000002" ? "one\ntwo\n" : "",
        stderr: "",
      }),
    } as unknown as Docker;
    assert.deepEqual(await lastWords(docker, ["app-1-0000002", "horizon-0000003"], "local"), [
      "container app-1-0000002 is starting",
      "its last health check (exit code 1) said:",
      "  404",
      "its last log lines:",
      "  one",
      "  two",
      "container horizon-0000003 is exited, exit code 3",
      "its last log lines:",
      "  (nothing)",
    ]);
  });

  it("are translated into what to do", () => {
    const problem = translate("container app-1-0000002 is not healthy\ncontainer failed to be in healthy state", {
      stack: "local",
      passphrase: "",
    });
    assert.match(
      problem?.what ?? "",
      /^container app-1-0000002 did not become healthy; what served before still serves$/,
    );
    assert.match(
      translate("container failed to be in healthy state", { stack: "local", passphrase: "" })?.remedy ?? "",
      /drydock status/,
    );
  });
});
