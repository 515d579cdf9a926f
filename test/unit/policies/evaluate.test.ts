import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { checkResource, cite, excludes } from "../../../policies/evaluate.ts";
import { Resource } from "../../../policies/helpers/resources.ts";
import { serviceHostNotLoopback } from "../../../policies/rules/laravel-hosts.ts";
import { noPrivileged } from "../../../policies/rules/privileges.ts";
import { parseSettings } from "../../../policies/settings.ts";

const resource = (name: string, props: Record<string, unknown>) =>
  new Resource({
    type: "docker:index/container:Container",
    name,
    props,
    urn: `urn:pulumi:dev::shop::docker:index/container:Container::${name}`,
  });
const check = (one: Resource, config?: Record<string, unknown>) =>
  checkResource(noPrivileged, one, parseSettings({}), config);

describe("policies: what a rule says", () => {
  it("is the first reason of those that exclude a resource", () => {
    const entry = (name: string, reason: string) => ({ resource: name, reason: `${reason}, which is long enough` });
    const found = check(resource("tool", { privileged: true }), {
      exclude: [entry("other", "none"), entry("tool", "first"), entry("too*", "second")],
    });
    assert.deepEqual(
      found.map(({ kind }) => kind),
      ["excluded"],
    );
    assert.match(found[0]!.message, /Excluded by the stack's policy configuration: first, /);
  });

  it("names what, why and the remedy, and nothing where all is well", () => {
    const [found, ...more] = check(resource("tool", { privileged: true }));
    assert.equal(more.length, 0);
    assert.match(
      found!.message,
      new RegExp(
        String.raw`^container "tool", privileged: the container is privileged\nWhy: a privileged container is ` +
          "root of the host \\(CIS Docker 5\\.5, Kae5b6871\\)\\nRemedy: delete `privileged`",
      ),
    );
    assert.deepEqual([found!.kind, found!.rule, found!.urn.endsWith("::tool")], ["violation", "no-privileged", true]);
    assert.deepEqual(check(resource("tool", { privileged: false })), []);
    assert.deepEqual(
      checkResource(
        noPrivileged,
        new Resource({ type: "docker:index/volume:Volume", name: "v", props: { privileged: true }, urn: "u" }),
        parseSettings({}),
      ),
      [],
    );
  });

  it("cites its sources in words", () => {
    assert.equal(
      cite({ source: ["incident 7", "incidents, checklist", "incidents, forty-eight hours", "D5.27", "K698ed579"] }),
      "incident 7, incidents, checklist, incidents, forty-eight hours, CIS Docker 5.27, K698ed579",
    );
  });

  it("lets a star stand for the number of a replica, never for everything", () => {
    const says = (pattern: string, name: string) => excludes({ resource: pattern }, name);
    assert.deepEqual(
      ["app-1", "app-22", "app-", "app", "xapp-1"].map((name) => says("app-*", name)),
      [true, true, false, false, false],
    );
    assert.deepEqual(
      [
        says("a*b", "a1b"),
        says("a*b", "ab"),
        says("a*b", "a1bc"),
        says("*", "a"),
        says("a*b*c", "a1b1c"),
        says("app", "app"),
        says("app", "app-1"),
      ],
      [true, false, false, false, false, true, false],
    );
  });

  it("names the variable that a rule about hosts has found", () => {
    const { setting } = serviceHostNotLoopback;
    assert.ok(typeof setting === "function");
    assert.deepEqual(
      ["env.REDIS_HOST", "uploads[0].content MEMCACHED_HOST", "envs[3]"].map((property) => setting("app", property)),
      [
        { path: "env.REDIS_HOST", value: "redis" },
        { path: "env.MEMCACHED_HOST", value: "SERVICE" },
        { path: "env.DB_HOST", value: "database" },
      ],
    );
  });
});
