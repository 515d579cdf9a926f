import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { containerArgs } from "../../components/container.ts";
import { provider as aws } from "../../offline/aws/provider.ts";
import { provider as command } from "../../offline/command/provider.ts";
import { provider as docker } from "../../offline/docker/provider.ts";
import { decode, type Values } from "../../offline/plugin/values.ts";
import { configuration, runProgram } from "../support/components/program.ts";
import { differences, disagreements, type Property, refused } from "../support/conformance/inputs.ts";
import { Plugin } from "../support/conformance/plugin.ts";
import { readSdk, type Shapes } from "../support/conformance/sdk.ts";

/** Stacks that between them have every resource and every input that the program knows. */
const STACKS: readonly Record<string, unknown>[] = [
  {
    app: {
      image: undefined,
      build: { context: "examples/laravel" },
      persistent: { "storage/exports": { visibility: "private" } },
    },
    docker: { registry: { address: "registry.test", username: "deploy", password: "a password for a registry" } },
    workers: {
      reports: { command: ["php", "artisan", "queue:work"], replicas: 2 },
      reverb: { command: ["php", "artisan", "reverb:start"], http: { port: 8080, paths: ["/app"] } },
    },
    services: {
      search: { image: "search:1", env: { A: "1" }, volume: "/data", health: ["true"], outbound: true },
    },
  },
  {
    bucket: { name: "shop-backups", region: "eu-central-1", identity: "policy" },
    backup: { hostRole: true },
  },
  {
    bucket: {
      name: "shop-backups",
      region: "eu-central-1",
      lockDays: 14,
      kmsKey: `arn:aws:kms:eu-central-1:${"1".repeat(12)}:key/a`,
      replica: { name: "shop-copy", region: "eu-west-1", kmsKey: `arn:aws:kms:eu-west-1:${"1".repeat(12)}:key/b` },
    },
  },
];
const STANDINS = [docker, command, aws];
const RESOURCES = Object.assign({}, ...STANDINS.map(({ resources }) => resources)) as (typeof docker)["resources"];

describe("the inputs of resources, and the SDKs from npm", function () {
  this.timeout(300_000);
  const set: { type: string; name: string; inputs: Values }[] = [];
  let sdk: ReadonlyMap<string, Shapes>;

  before(async () => {
    for (const stack of STACKS) {
      const { resources } = await runProgram(configuration(stack));
      for (const { type, name, inputs } of resources)
        if (!/^(drydock:|pulumi:pulumi:)/.test(type)) set.push({ type, name, inputs: decode(inputs).values });
    }
    const providers = STANDINS.map(({ name }) => `pulumi:providers:${name}`);
    sdk = readSdk([...new Set([...set.map(({ type }) => type), ...Object.keys(RESOURCES), ...providers])]);
  });

  it("are all there, and of the SDK's types, as the program sets them", () => {
    // A provider's inputs are texts on their way to it, whatever they are.
    const texts = (inputs: Values): Values =>
      Object.fromEntries(
        Object.entries(inputs).map(([key, value]) => [key, typeof value === "string" ? parsed(value) : value]),
      );
    const problems = set.flatMap(({ type, name, inputs }) => {
      const { version: _, ...given } = type.startsWith("pulumi:providers:") ? texts(inputs) : inputs;
      return refused(given, sdk.get(type)!).map((problem) => `${type} ${name}: ${problem}`);
    });
    assert.deepEqual(problems, []);
    // What is compared is all that there is: an image that an earlier version built is only ever deleted.
    const types = new Set(set.map(({ type }) => type).filter((type) => !type.startsWith("pulumi:")));
    const known = Object.keys(RESOURCES).filter((type) => type !== "docker:index/image:Image");
    assert.deepEqual([...types].sort(), known.sort());
  });

  it("are all passed on of a container: an SDK leaves out what it doesn't know", () => {
    const stack = { stack: "unit", stage: "local" as const, logs: { maxSize: 10, maxFiles: 3 }, prefix: "" };
    const args = containerArgs(stack, {
      role: "app",
      release: "0",
      image: "app:1",
      user: { uid: 1000, gid: 1000 },
      groups: [33],
      limits: { memory: 256, cpus: 1 },
      networks: [],
      entrypoint: ["a"],
      command: ["b"],
      capabilities: ["CHOWN"],
      health: { test: ["CMD", "true"] },
      stopSignal: "SIGTERM",
      stopTimeout: 10,
      startTimeout: 60,
    });
    const known = Object.keys(sdk.get("docker:index/container:Container")!);
    assert.deepEqual(
      Object.keys(args).filter((key) => !known.includes(key)),
      [],
    );
    assert.ok(Object.keys(args).length > 20);
  });

  it("are noticed where one has another name or another type", () => {
    const shapes = sdk.get("docker:index/container:Container")!;
    const { inputs } = set.find(({ name }) => name === "app-1")!;
    assert.deepEqual(refused(inputs, shapes), []);
    const { stopTimeout, ...rest } = inputs;
    assert.deepEqual(refused({ ...rest, stopTime: stopTimeout! }, shapes), ["stopTime is no input of the SDK's"]);
    assert.deepEqual(refused({ ...rest, memory: "256" }, shapes), ["memory is a string, the SDK takes a number"]);
    const ports = [{ internal: "80" }];
    assert.deepEqual(refused({ ...rest, ports }, shapes), ["ports[0].internal is a string, the SDK takes a number"]);
    const { image: _, ...without } = rest;
    assert.deepEqual(refused(without, shapes), ["image is required, and not given"]);
  });

  it("have the SDK's types and the defaults of its documentation in the stand-ins", () => {
    const found = Object.entries(RESOURCES).flatMap(([type, { schema }]) =>
      differences(schema, sdk.get(type)!).map((one) => `${type}: ${one}`),
    );
    assert.deepEqual(found, []);
    const own = STANDINS.flatMap(({ name, config }) => differences(config, sdk.get(`pulumi:providers:${name}`)!));
    assert.deepEqual(own, []);
  });

  it("are noticed where a stand-in has another default", () => {
    const shapes = sdk.get("docker:index/container:Container")!;
    assert.deepEqual(differences({ waitTimeout: { kind: "integer", default: 30 } }, shapes), [
      "waitTimeout has the default 30, in the SDK's documentation 60",
    ]);
    assert.deepEqual(differences({ restart: { kind: "integer" } }, shapes), [
      "restart has the default none, in the SDK's documentation no",
      "restart is a number, in the SDK a string",
    ]);
  });
});

const parsed = (text: string): Values[string] => {
  try {
    return JSON.parse(text) as Values[string];
  } catch {
    return text;
  }
};

/**
 * The SDKs say of no input of docker's, and of one of command's, which change replaces the resource. The plugins' own
 * schema does; only Pulumi's own plugins have one.
 */
describe("the inputs of resources, and the schema of the plugins", function () {
  this.timeout(60_000);
  for (const standin of [docker, command]) {
    describe(standin.name, () => {
      let plugin: Plugin;
      before(async () => {
        plugin = await Plugin.start(standin.name, standin.version);
      });
      after(() => plugin.stop());

      it("have its defaults, and replace what its changes replace", async function () {
        const resources = await plugin.resources();
        if (resources === undefined) return this.skip();
        for (const [type, { schema: own }] of Object.entries(standin.resources)) {
          const { inputProperties: properties } = resources[type] as { inputProperties: Record<string, Property> };
          const replaces = Object.values(properties).some((one) => one.willReplaceOnChanges ?? one.replaceOnChanges);
          assert.deepEqual(disagreements(own, properties, replaces), [], type);
        }
      });
    });
  }
});
