import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { catalogue } from "../../../policies/catalogue.ts";
import { checkStack } from "../../../policies/evaluate.ts";
import { Resource } from "../../../policies/helpers/resources.ts";
import { stacksIn } from "../../../policies/helpers/stacks.ts";
import { parseSettings } from "../../../policies/settings.ts";

const container = (name: string, stack: string, role: string) =>
  new Resource({
    type: "docker:index/container:Container",
    name,
    props: {
      labels: [
        { label: "drydock.stack", value: stack },
        { label: "drydock.role", value: role },
      ],
    },
  });
const command = (name: string, ...dependencies: Resource[]) =>
  new Resource({
    type: "command:local:Command",
    name,
    props: { create: `sh commands/${name}.sh` },
    dependencies: dependencies.map(({ urn }) => urn),
  });

describe("several Drydock stacks in one program", () => {
  const settings = parseSettings();
  const rule = catalogue.find(({ name }) => name === "single-scheduler")!;
  const judged = (...resources: Resource[]) =>
    checkStack(rule, resources, settings).filter(({ kind }) => kind === "violation");

  it("may have a scheduler each, and none has two", () => {
    const [shop, blog] = [
      container("shop-scheduler", "shop", "scheduler"),
      container("blog-scheduler", "blog", "scheduler"),
    ];
    assert.deepEqual(judged(shop, blog), []);
    const second = container("shop-scheduler-2", "shop", "scheduler");
    assert.equal(judged(shop, blog, second).length > 0, true);
    assert.deepEqual(
      judged(shop, blog, second).filter(({ urn }) => urn === blog.urn),
      [],
    );
  });

  it("have the commands that depend on their resources; what depends on none belongs to all", () => {
    const [shop, blog] = [container("shop-app-1", "shop", "app"), container("blog-app-1", "blog", "app")];
    const first = command("migrate", shop);
    const later = command("verify", first);
    const apart = command("notify");
    const names = stacksIn([shop, blog, first, later, apart], settings).map(({ resources }) =>
      resources.map(({ name }) => name),
    );
    assert.deepEqual(names, [
      ["shop-app-1", "migrate", "verify", "notify"],
      ["blog-app-1", "notify"],
    ]);
  });
});
