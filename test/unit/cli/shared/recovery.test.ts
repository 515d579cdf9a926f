import assert from "node:assert/strict";
import type { Inspected } from "../../../../cli/shared/docker.ts";
import { orphans } from "../../../../cli/shared/recovery.ts";
import type { Deployment } from "../../../../cli/shared/stack.ts";

const container = (
  id: string,
  name: string,
  changes: Partial<Inspected> & { labels?: Record<string, string> } = {},
): Inspected => ({
  Id: id,
  Name: `/${name}`,
  Created: "2026-01-31T10:00:30Z",
  State: { Status: "running" },
  Config: { Image: "app", Labels: changes.labels ?? { "drydock.stack": "local", "drydock.release": "2" } },
  ...changes,
});
const urn = "urn:pulumi:local::drydock::drydock:index:App$docker:index/container:Container::app-1";
const type = "docker:index/container:Container";
const deployment: Deployment = {
  resources: [{ urn, type, id: "known" }],
  pending: [
    {
      type: "creating",
      resource: {
        urn,
        type,
        inputs: {
          labels: [
            { label: "drydock.stack", value: "local" },
            { label: "drydock.release", value: "2" },
          ],
        },
      },
    },
  ],
};
const since = "2026-01-31T10:00:00Z";
const found = (...containers: Inspected[]): string[] => orphans(deployment, containers, since).map(({ Id }) => Id);

describe("what an interrupted update left on the Docker host", () => {
  it("is the container that the state doesn't know", () =>
    assert.deepEqual(found(container("left", "app-1-abc1234")), ["left"]));
  it("is none that the state knows", () => assert.deepEqual(found(container("known", "app-1-abc1234")), []));
  it("is none of another resource", () =>
    assert.deepEqual(found(container("x", "app-10-abc1234"), container("y", "app-1-not-hex")), []));
  it("is none of another release or stack", () => {
    assert.deepEqual(
      found(
        container("x", "app-1-abc1234", { labels: { "drydock.stack": "local", "drydock.release": "1" } }),
        container("y", "app-1-abc1234", { labels: {} }),
      ),
      [],
    );
  });
  it("is none of another clone's stack of the same name, whose networks have other names", () => {
    const on = (...networks: string[]) =>
      container("x", "app-1-abc1234", {
        NetworkSettings: { Networks: Object.fromEntries(networks.map((network) => [network, {}])) },
      });
    const pending = deployment.pending.map(({ type, resource }) => {
      return {
        type,
        resource: {
          ...resource,
          inputs: {
            ...resource.inputs,
            networksAdvanced: [{ name: "network-app-1111111" }, { name: "drydock-edge" }],
          },
        },
      };
    });
    const left = (one: Inspected) => orphans({ ...deployment, pending }, [one], since).map(({ Id }) => Id);
    assert.deepEqual(left(on("network-app-1111111")), ["x"]);
    assert.deepEqual(left(on("network-app-2222222")), []);
    assert.deepEqual(left(on("network-app-2222222", "drydock-edge")), []);
  });
  it("is none that was there before", () =>
    assert.deepEqual(found(container("x", "app-1-abc1234", { Created: "2026-01-31T09:00:00Z" })), []));
  it("is none where nothing was being created", () => {
    const deleting: Deployment = {
      ...deployment,
      pending: deployment.pending.map((operation) => ({ ...operation, type: "deleting" })),
    };
    assert.deepEqual(orphans(deleting, [container("left", "app-1-abc1234")], since), []);
  });
  it("is recognized by the name that it was given, too", () => {
    const named: Deployment = {
      ...deployment,
      pending: deployment.pending.map(({ resource }) => ({
        type: "creating",
        resource: { ...resource, inputs: { ...resource.inputs, name: "web" } },
      })),
    };
    assert.deepEqual(
      orphans(named, [container("left", "web"), container("x", "app-1-abc1234")], since).map(({ Id }) => Id),
      ["left"],
    );
  });
});
