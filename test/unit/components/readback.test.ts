import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { containerSchema, createOptions } from "../../../offline/docker/spec.ts";
import { outputsOf } from "../../../offline/docker/state.ts";
import { changes, check } from "../../../offline/plugin/schema.ts";
import { decode } from "../../../offline/plugin/values.ts";
import { configuration, type Registered, runProgram } from "../../support/components/program.ts";

/** Inputs that the official plugin keeps as they were given: it never asks Docker for them. */
const KEPT = ["destroyGraceSeconds", "envs", "labels", "networksAdvanced", "uploads", "wait", "waitTimeout"];
const MiB = 1024 * 1024;

/** What Docker 20.10 to 29 says of a container that was made with these options: they, and what it fills in. */
function answered({ name, HostConfig, ...Config }: any): any {
  const bound = Object.entries(HostConfig.PortBindings as Record<string, { HostIp: string; HostPort: string }[]>);
  return {
    Name: `/${name}`,
    State: { Running: true },
    Config: {
      Hostname: "0123456789ab",
      WorkingDir: "/var/www/html",
      Cmd: ["image"],
      Entrypoint: ["image"],
      ...defined(Config),
    },
    HostConfig: {
      IpcMode: "private",
      Runtime: "runc",
      ShmSize: 64 * MiB,
      CpuShares: 0,
      CgroupnsMode: "private",
      MemorySwap: HostConfig.Memory > 0 ? 2 * HostConfig.Memory : 0,
      ...defined(HostConfig),
    },
    NetworkSettings: { Bridge: "", Networks: {}, Ports: Object.fromEntries(bound) },
  };
}

/** A container's inputs as the plugin has them when it makes it. */
function checked({ name, inputs }: Registered) {
  const { values, failures } = check(containerSchema, { ...decode(inputs).values, name: `${name}-1234567` });
  assert.deepEqual(failures, [], name);
  return values;
}

const defined = (values: object) =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));

describe("what the program gives Docker", () => {
  const settings: Record<string, Record<string, unknown>> = {
    plain: {},
    "with odd limits": {
      app: { cpus: 10, memory: 300 },
      scheduler: { cpus: 0.25 },
      database: { cpus: 1.5 },
      redis: { cpus: 2 },
      logs: { maxSize: 7, maxFiles: 2 },
    },
    "with logs that go to a collector": { logs: { ship: "fluentd://logs.test:24224" } },
    "over HTTP, on all interfaces": {
      app: { image: "registry.test/shop:1", server: "http", command: '["serve"]' },
      proxy: { image: "nginx:1.30", interface: "0.0.0.0" },
    },
  };
  for (const [how, overrides] of Object.entries(settings)) {
    describe(how, () => {
      let containers: Registered[];
      before(async () => {
        const base = configuration();
        const merged = Object.fromEntries(
          Object.entries(overrides).map(([key, value]) => [
            key,
            { ...(base[key] as object | undefined), ...(value as object) },
          ]),
        );
        containers = (await runProgram({ ...base, ...merged })).resources.filter(
          ({ type }) => type === "docker:index/container:Container",
        );
      });

      it("comes back as it was given, so that an `up` without a change changes nothing", () => {
        assert.ok(containers.length >= 9);
        for (const one of containers) {
          const values = checked(one);
          const live = answered(createOptions(values));
          assert.deepEqual(changes(containerSchema, outputsOf(values, live), values), [], one.name);
        }
      });

      it("leaves out nothing that is read and has a value then", () => {
        for (const one of containers) {
          const values = checked(one);
          const read = outputsOf({}, answered(createOptions(values)));
          const asked = outputsOf(
            { ports: [{}], logOpts: { a: "b" }, ulimits: [{ name: "core", soft: 0, hard: 0 }] },
            answered(createOptions(values)),
          );
          for (const key of Object.keys(one.inputs))
            assert.ok(key in asked || KEPT.includes(key), `${one.name}: whether ${key} is read is not known here`);
          // What the plugin has read and nobody has given is a change, unless it says that it holds (computed).
          const silent = Object.keys(containerSchema).filter((key) => !(key in values) && key in read);
          assert.deepEqual(
            changes(Object.fromEntries(silent.map((key) => [key, containerSchema[key]!])), read, {}),
            [],
            one.name,
          );
        }
      });
    });
  }
});
