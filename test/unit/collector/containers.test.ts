import assert from "node:assert/strict";
import { Registry } from "prom-client";
import { Containers } from "../../../collector/containers.ts";
import { Gauges } from "../../../collector/gauges.ts";
import type { CollectorSettings } from "../../../contracts/monitoring.ts";

interface Container {
  readonly role: string;
  readonly networks?: readonly string[];
  readonly release?: string;
  readonly state?: string;
  readonly health?: string;
  readonly restarts?: number;
  readonly killed?: boolean;
  readonly started?: string;
  readonly cpu?: number;
  readonly usage?: number;
}

const OWN: Container = { role: "collector", networks: ["monitoring", "app"] };

describe("what Docker says of the containers", () => {
  let registry: Registry;
  let containers: Containers;
  let all: Record<string, Container>;
  let silent: boolean;
  let cgroups: string;
  let logged: string[];
  beforeEach(() => {
    registry = new Registry();
    silent = false;
    cgroups = "systemd";
    logged = [];
    const settings = {
      stack: "shop",
      roles: ["app", "horizon"],
    } as unknown as CollectorSettings;
    containers = new Containers(
      new Gauges(registry),
      settings,
      async (path) => {
        if (silent) throw new Error("ECONNREFUSED");
        if (path === "/info") return { CgroupDriver: cgroups };
        const [, id = "", what = ""] = /^\/containers\/(\w+)\/(\w+)/.exec(path) ?? [];
        if (id === "") {
          assert.match(decodeURIComponent(path), /\{"label":\["drydock\.stack=shop"\]\}/);
          return Object.entries({ self: OWN, ...all }).map(
            ([Id, { role, release = "a", state = "running", health = "healthy", networks = ["app"] }]) => ({
              Id,
              State: state,
              Status: `Up 3 minutes (${health})`,
              Created: 100,
              Labels: { "drydock.role": role, "drydock.release": release },
              NetworkSettings: { Networks: Object.fromEntries(networks.map((name) => [name, {}])) },
            }),
          );
        }
        const { restarts = 0, killed = false, started = "t0", cpu = 0, usage = 50 } = { self: OWN, ...all }[id]!;
        if (what === "json")
          return { RestartCount: restarts, State: { OOMKilled: killed, StartedAt: started, FinishedAt: started } };
        return {
          cpu_stats: { cpu_usage: { total_usage: cpu } },
          memory_stats: { usage, limit: 100, stats: { inactive_file: 10 } },
        };
      },
      "self",
      (line) => logged.push(line),
    );
  });
  const value = async (name: string, role?: string) => {
    const metric = await registry.getSingleMetric(`drydock_${name}`)!.get();
    return metric.values.find(({ labels }) => labels["role"] === role)?.value;
  };

  it("is a number for each role, and 0 for one that has none", async () => {
    all = {
      a: { role: "app", usage: 60 },
      b: { role: "app", health: "unhealthy" },
      c: { role: "app", state: "exited" },
    };
    await containers.round();
    assert.equal(await value("containers", "app"), 2);
    assert.equal(await value("containers_unhealthy", "app"), 1);
    assert.equal(await value("containers_stopped", "app"), 1);
    assert.equal(await value("containers", "horizon"), 0);
    assert.equal(await value("container_memory_bytes", "app"), 90);
    assert.equal(await value("container_memory_ratio", "app"), 0.5);
    assert.equal(await value("docker_up"), 1);
  });

  it("is nothing of memory and processors where the engine holds containers in no control group", async () => {
    cgroups = "none";
    all = { a: { role: "app", cpu: 5e9, restarts: 1 } };
    await containers.round();
    all = { a: { role: "app", cpu: 7e9, restarts: 2 } };
    await containers.round();
    for (const name of ["container_memory_bytes", "container_memory_ratio", "container_cpu_seconds_total"])
      assert.equal(await value(name, "app"), undefined, name);
    assert.equal(await value("containers", "app"), 1);
    assert.equal(await value("container_restarts_total", "app"), 1);
  });

  it("is of this stack alone, not of another clone's with the same label behind the same edge", async () => {
    all = {
      a: { role: "app", networks: ["app", "data", "drydock-edge"] },
      // Of the stack, by the network of who is in the collector's.
      b: { role: "horizon", networks: ["data"] },
      c: { role: "app", networks: ["other-app", "other-data", "drydock-edge"] },
      d: { role: "horizon", networks: ["other-data"] },
    };
    await containers.round();
    assert.deepEqual([await value("containers", "app"), await value("containers", "horizon")], [1, 1]);
  });

  it("counts what happens from then on, not what happened before", async () => {
    all = { a: { role: "app", restarts: 7, killed: true, cpu: 5e9 } };
    await containers.round();
    assert.deepEqual(
      [await value("container_restarts_total", "app"), await value("container_oom_total", "app")],
      [0, 0],
    );
    all = { a: { role: "app", restarts: 9, killed: true, started: "t1", cpu: 7e9 } };
    await containers.round();
    await containers.round();
    assert.equal(await value("container_restarts_total", "app"), 2);
    assert.equal(await value("container_oom_total", "app"), 1);
    assert.equal(await value("container_cpu_seconds_total", "app"), 2);
  });

  it("counts all of a container that is new", async () => {
    all = {};
    await containers.round();
    all = { a: { role: "app", restarts: 3, cpu: 2e9 } };
    await containers.round();
    assert.equal(await value("container_restarts_total", "app"), 3);
    assert.equal(await value("container_cpu_seconds_total", "app"), 2);
  });

  it("has as many numbers after fifty releases as after one", async () => {
    const lines = async () => (await registry.metrics()).split("\n").filter((one) => one.startsWith("drydock_")).length;
    all = { a0: { role: "app", release: "r0" }, h0: { role: "horizon", release: "r0" } };
    await containers.round();
    const first = await lines();
    for (let index = 1; index <= 50; index++) {
      all = { [`a${index}`]: { role: "app", release: `r${index}` }, [`h${index}`]: { role: "horizon" } };
      await containers.round();
    }
    assert.equal(await lines(), first);
  });

  it("tells a release that is at work, or was interrupted", async () => {
    all = { a: { role: "app", release: "r1" }, b: { role: "app", release: "r2" } };
    await containers.round();
    assert.equal(await value("app_releases"), 2);
  });

  it("is not what it was where Docker does not answer", async () => {
    all = { a: { role: "app" } };
    await containers.round();
    silent = true;
    await containers.round();
    assert.equal(await value("docker_up"), 0);
    assert.equal(await value("containers", "app"), undefined);
    assert.equal(await value("container_restarts_total", "app"), 0);
  });

  it("is logged where it can't be said, once for as long as the reason is the same", async () => {
    all = { a: { role: "app" } };
    for (const one of [true, true, false, true]) {
      silent = one;
      await containers.round();
    }
    assert.deepEqual(logged, Array(2).fill("Docker does not say how the containers are: ECONNREFUSED"));
  });
});
