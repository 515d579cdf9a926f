import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { reportOf, statusTable } from "../../../../cli/shared/report.ts";
import { CONTAINER, type Deployment, type StateResource } from "../../../../cli/shared/stack.ts";
import { arrange, standingOf, upstreamsIn } from "../../../../cli/shared/unfinished.ts";

const held = (name: string, id: string, role: string, release: string, leaving = false): StateResource => ({
  urn: `urn:pulumi:local::drydock::docker:index/container:Container::${name}`,
  type: CONTAINER,
  inputs: {
    image: `shop:${release}`,
    labels: [
      { label: "drydock.role", value: role },
      { label: "drydock.release", value: release },
    ],
  },
  outputs: { name: `${name}-${id}` },
  ...(leaving ? { delete: true } : {}),
});
const deployment = (...resources: StateResource[]): Deployment => ({ resources, pending: [] });
const service = (name: string, id: string, role: string) => ({
  name,
  role,
  container: `${name}-${id}`,
  image: "shop:one",
});
const outputs = {
  stack: "local",
  url: "http://localhost",
  release: "one",
  services: [
    service("proxy", "1", "proxy"),
    service("app-1", "1", "app"),
    service("horizon", "1", "horizon"),
    service("scheduler", "1", "scheduler"),
  ],
};
const proxy = held("proxy", "1", "proxy", "p");
const containers = (list: readonly { container: string }[]) => list.map(({ container }) => container);

describe("a release that has not gone through all its steps", () => {
  it("is none where the state has what the last deployment left", () => {
    const complete = [
      proxy,
      held("app-1", "1", "app", "one"),
      held("horizon", "1", "horizon", "one"),
      held("scheduler", "1", "scheduler", "one"),
    ];
    assert.deepEqual(arrange(outputs, deployment(...complete), undefined), { outputs });
  });

  it("that failed before the switch serves nobody: the old replicas are the stack's", () => {
    const state = deployment(
      proxy,
      held("app-1", "2", "app", "two"),
      held("app-1", "1", "app", "one", true),
      held("horizon", "1", "horizon", "one"),
      held("scheduler", "1", "scheduler", "one"),
    );
    const found = arrange(outputs, state, ["app-1-1"]);
    assert.deepEqual(containers(found.outputs.services), ["proxy-1", "app-1-1", "horizon-1", "scheduler-1"]);
    assert.deepEqual(
      [found.outputs.release, found.unfinished?.release, found.unfinished?.serves],
      ["one", "two", false],
    );
    assert.deepEqual(containers(found.unfinished!.others), ["app-1-2"]);
    assert.equal(standingOf(found), "what served before still serves");
  });

  it(
    "that failed behind the switch serves: its replicas are the stack's, and what is left of the one before is " +
      "named",
    () => {
      const state = deployment(
        proxy,
        held("app-1", "2", "app", "two"),
        held("app-1", "1", "app", "one", true),
        held("horizon", "2", "horizon", "two"),
        held("horizon", "1", "horizon", "one", true),
        held("scheduler", "2", "scheduler", "two"),
      );
      const found = arrange(outputs, state, ["app-1-2"]);
      assert.deepEqual(containers(found.outputs.services), ["proxy-1", "app-1-2", "horizon-2", "scheduler-2"]);
      assert.deepEqual([found.outputs.release, found.unfinished?.image], ["two", "shop:two"]);
      assert.deepEqual(containers(found.unfinished!.others), ["app-1-1", "horizon-1"]);
      assert.match(
        standingOf(found)!,
        /^release two serves already: this failed behind the switch; what is left of the one before/,
      );
      const text = statusTable(reportOf(found.outputs, [], found.unfinished), (_, cell) => cell);
      assert.match(
        text,
        new RegExp(
          String.raw`release two serves, but has not gone through all its steps\. Go on with it: \./drydock ` +
            String.raw`up; go back: \./drydock rollback\n`,
        ),
      );
      assert.match(text, /left over until a deployment succeeds:\n\nNAME .*\napp-1 .*app-1-1 .*\nhorizon .*horizon-1/);
    },
  );

  it("of which nobody knows whom the proxy serves counts as not serving", () => {
    const state = deployment(
      proxy,
      held("app-1", "2", "app", "two"),
      held("app-1", "1", "app", "one", true),
      held("horizon", "1", "horizon", "one"),
      held("scheduler", "1", "scheduler", "one"),
    );
    assert.deepEqual(containers(arrange(outputs, state, undefined).outputs.services), [
      "proxy-1",
      "app-1-1",
      "horizon-1",
      "scheduler-1",
    ]);
  });

  it("that is the first one is told from one that has a site behind it", () => {
    const first = { stack: "local", url: "", release: "", services: [] };
    const state = deployment(proxy, held("app-1", "1", "app", "one"));
    assert.equal(standingOf(arrange(first, state, undefined)), "nothing serves yet");
    assert.match(standingOf(arrange(first, state, ["app-1-1"]))!, /^release one serves already/);
  });
});

describe("the containers that the proxy sends visitors to", () => {
  it("are those of the upstream app, in whatever way they are resolved", () => {
    const site =
      "upstream app {\n  zone app 128k;\n  server app-1-a:9000 max_fails=1 resolve;\n  server app-2-b:9000;\n}\n" +
      "upstream worker_x {\n  server w-1:80;\n}\n";
    assert.deepEqual(upstreamsIn(site), ["app-1-a", "app-2-b"]);
    assert.deepEqual(upstreamsIn("server { listen 8080; }"), []);
  });
});
