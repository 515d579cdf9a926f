import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { LaravelStack, type LaravelStackArgs } from "../../../components/laravelStack.ts";
import { configuration, type Registered, runWith } from "../../support/components/program.ts";

/** Settings as a program gives them: what is secret as secret Outputs. */
function given(overrides: Record<string, unknown> = {}): LaravelStackArgs {
  const { env, database, backup, ...rest } = configuration(overrides) as Record<string, Record<string, string>>;
  const secret = (values: Record<string, string> = {}, ...names: string[]) => ({
    ...values,
    ...Object.fromEntries(names.map((name) => [name, pulumi.secret(values[name])])),
  });
  return {
    ...rest,
    database: secret(database, "rootPassword"),
    backup: pulumi.output(secret(backup, "key", "databasePassword", "token")),
    env: secret(env, "APP_KEY", "DB_PASSWORD", "REDIS_PASSWORD"),
  } as LaravelStackArgs;
}

const leaves = (resources: readonly Registered[]) => resources.filter(({ type }) => !type.startsWith("drydock:"));
const labelOf = ({ inputs }: Registered) =>
  inputs.labels?.find(({ label }: { label: string }) => label === "drydock.stack")?.value;

describe("a LaravelStack in somebody's own program", function () {
  this.timeout(60_000);

  it("takes Outputs and secrets, and names all of it after itself", async () => {
    const { resources, outputs } = await runWith({}, async () => {
      const shop = new LaravelStack("shop", given());
      await shop.registered();
      return { url: shop.url, services: shop.services };
    });
    assert.equal(outputs.url, "http://127.0.0.1:8080");
    const [first] = outputs.services as { name: string; container: string }[];
    assert.deepEqual([first!.name, first!.container], ["proxy", "shop-proxy-abcdef0"]);
    for (const { name } of leaves(resources).filter(({ type }) => type !== "pulumi:pulumi:Stack"))
      assert.ok(name.startsWith("shop-"), name);
    const container = resources.find(({ name }) => name === "shop-app-1")!;
    assert.equal(labelOf(container), "shop-unit");
    assert.ok(container.inputs.envs.includes("DB_HOST=database"));
  });

  it("stands beside another one: no name and no label is the same", async () => {
    const { resources } = await runWith({}, async () => {
      const both = [
        new LaravelStack("shop", given()),
        new LaravelStack("blog", given({ proxy: { port: 8081 }, horizon: { enabled: false } })),
      ];
      for (const one of both) await one.registered();
      return {};
    });
    const names = resources.map(({ type, name }) => `${type}::${name}`);
    assert.equal(new Set(names).size, names.length);
    const labels = resources.filter(({ inputs }) => inputs.labels !== undefined).map((one) => [one.name, labelOf(one)]);
    for (const [name, label] of labels) assert.equal(label, `${String(name).split("-")[0]}-unit`, name);
    assert.deepEqual(
      ["shop-horizon", "blog-horizon"].map((name) => leaves(resources).some((one) => one.name === name)),
      [true, false],
    );
    const waits = resources.filter(({ name }) => name.startsWith("blog-")).flatMap(({ after }) => after);
    assert.deepEqual(
      waits.filter((name) => name.startsWith("shop-")),
      [],
    );
  });

  it("says what is wrong in the program's terms, all at once, and makes nothing", async () => {
    let registered: Registered[] = [];
    const program = runWith({}, async () => {
      const shop = new LaravelStack("shop", given({ app: { image: undefined, replcas: 3 } }));
      await shop.registered();
      return {};
    });
    await assert.rejects(
      program.then(({ resources }) => (registered = resources)),
      (error: Error) => {
        assert.match(error.message, /^LaravelStack "shop" has 2 problems, nothing of it was changed:\n/);
        assert.match(error.message, /^ {2}app\.image: is missing/m);
        assert.match(error.message, /^ {2}app\.replcas: .*replicas/m);
        assert.doesNotMatch(error.message, /drydock:|pulumi config/);
        return true;
      },
    );
    assert.deepEqual(leaves(registered), []);
  });

  it("keeps no secret in its own inputs", async () => {
    const { resources } = await runWith({}, async () => {
      const shop = new LaravelStack("shop", given());
      await shop.registered();
      return {};
    });
    for (const { type, name, inputs } of resources.filter(({ type }) => type.startsWith("drydock:")))
      assert.deepEqual(inputs, {}, `${type} ${name}`);
  });

  it("shows nothing in a preview that does not know its settings yet", async () => {
    const { resources } = await runWith(
      {},
      async () => {
        const args = given();
        const unknown = pulumi.output(pulumi.unknown) as unknown as pulumi.Output<string>;
        const shop = new LaravelStack("shop", { ...args, app: { image: unknown } });
        await shop.registered();
        return {};
      },
      true,
    );
    assert.deepEqual(
      resources.map(({ type }) => type).filter((type) => type !== "pulumi:pulumi:Stack"),
      ["drydock:index:LaravelStack"],
    );
  });
});
