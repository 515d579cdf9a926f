import assert from "node:assert/strict";
import { containerSchema, createOptions, nanoseconds } from "../../../offline/docker/spec.ts";
import { compared, drifted, duration } from "../../../offline/docker/state.ts";
import { archiveOf } from "../../../offline/docker/uploads.ts";
import { check } from "../../../offline/plugin/schema.ts";

const inputs = (more: object = {}) => {
  const { values, failures } = check(containerSchema, { name: "box-1234567", image: "app:1", ...more } as any);
  assert.deepEqual(failures, []);
  return values;
};

describe("offline/docker/spec", () => {
  it("has the official defaults", () => {
    assert.deepEqual(inputs(), {
      attach: false,
      containerReadRefreshTimeoutMilliseconds: 15_000,
      image: "app:1",
      logs: false,
      mustRun: true,
      name: "box-1234567",
      networkMode: "bridge",
      readOnly: false,
      removeVolumes: true,
      restart: "no",
      rm: false,
      start: true,
      stdinOpen: false,
      tty: false,
      wait: false,
      waitTimeout: 60,
    });
  });

  it("maps units and names as Docker wants them", () => {
    const { HostConfig, ...config } = createOptions(
      inputs({
        memory: 64,
        memorySwap: -1,
        cpus: "0.5",
        shmSize: 8,
        restart: "unless-stopped",
        init: true,
        user: "1000:1000",
        stopSignal: "SIGQUIT",
        stopTimeout: 30,
        capabilities: { drops: ["ALL"], adds: ["CHOWN"] },
        securityOpts: ["no-new-privileges"],
        tmpfs: { "/tmp": "size=1m" },
        groupAdds: ["33"],
        ports: [{ internal: 80, external: 8080, ip: "127.0.0.1" }],
        volumes: [{ volumeName: "data", containerPath: "/data", readOnly: true }, { containerPath: "/cache" }],
        mounts: [{ type: "volume", target: "/m", source: "v", volumeOptions: { noCopy: true } }],
        healthcheck: { tests: ["CMD", "true"], interval: "1m30s", retries: 3 },
      }),
    ) as any;
    assert.equal(HostConfig.Memory, 64 * 1024 * 1024);
    assert.equal(HostConfig.MemorySwap, -1);
    assert.equal(HostConfig.NanoCpus, 500_000_000);
    assert.equal(HostConfig.ShmSize, 8 * 1024 * 1024);
    assert.deepEqual(HostConfig.RestartPolicy, { Name: "unless-stopped", MaximumRetryCount: 0 });
    assert.deepEqual(
      [HostConfig.CapAdd, HostConfig.CapDrop, HostConfig.SecurityOpt, HostConfig.GroupAdd],
      [["CHOWN"], ["ALL"], ["no-new-privileges"], ["33"]],
    );
    assert.deepEqual(HostConfig.PortBindings, { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }] });
    assert.deepEqual(HostConfig.Binds, ["data:/data:ro"]);
    assert.deepEqual(config.Volumes, { "/cache": {} });
    assert.deepEqual(HostConfig.Mounts, [
      { Type: "volume", Target: "/m", Source: "v", ReadOnly: false, VolumeOptions: { NoCopy: true, Labels: {} } },
    ]);
    assert.deepEqual(config.Healthcheck, {
      Test: ["CMD", "true"],
      Interval: 90e9,
      Timeout: 0,
      StartPeriod: 0,
      Retries: 3,
    });
    assert.deepEqual(
      [config.User, config.StopSignal, config.StopTimeout, HostConfig.Init],
      ["1000:1000", "SIGQUIT", 30, true],
    );
  });

  it("reads Go durations", () => {
    assert.deepEqual(["0s", "250ms", "1.5s", "2m", "1h1m"].map(nanoseconds), [0, 250e6, 1.5e9, 120e9, 3660e9]);
  });

  it("packs uploads with owner and mode", () => {
    const tar = archiveOf([{ file: "/app/.env", content: "A=1\n", owner: "1000", group: "33", permissions: "0400" }])!;
    const field = (at: number, length: number) => tar.toString("latin1", at, at + length).replace(/[\0 ]+$/, "");
    assert.deepEqual(
      [field(0, 100), field(100, 8), field(108, 8), field(116, 8), field(124, 12), tar.toString("utf8", 512, 516)],
      ["app/.env", "0000400", "0001750", "0000041", "00000000004", "A=1\n"],
    );
  });

  it("reads durations back as Go prints them", () => {
    assert.deepEqual([0, 250e6, 1.5e9, 60e9, 65e9, 3600e9, 3660e9].map(duration), [
      "0s",
      "250ms",
      "1.5s",
      "1m0s",
      "1m5s",
      "1h0m0s",
      "1h1m0s",
    ]);
  });

  it("finds drift in what the official plugin reads, and nothing else", () => {
    const spec = inputs({ memory: 64, cpus: "0.5", envs: ["B=2", "A=1"], networksAdvanced: [{ name: "net" }] });
    const found = {
      Name: "/box-1234567",
      State: { Running: true },
      Config: { Image: "app:1", Env: ["PATH=/bin"], Labels: {} },
      HostConfig: {
        RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
        Memory: 64 * 1024 * 1024,
        NanoCpus: 5e8,
        NetworkMode: "bridge",
      },
      NetworkSettings: {},
    } as any;
    assert.deepEqual(drifted(spec, found), spec);
    Object.assign(found.HostConfig, { Memory: 128 * 1024 * 1024, NanoCpus: 1e9 });
    found.State.Running = false;
    assert.deepEqual(drifted(spec, found), { ...spec, memory: 128, cpus: "1.0", mustRun: false });
  });

  it("takes a state from before it was read so for the same", () => {
    assert.deepEqual(compared({ memory: 64, cpus: "1" }), { memory: 64, memorySwap: 128, cpus: "1.0" });
    assert.deepEqual(compared({ memory: 64, memorySwap: 64, cpus: "0.5" }), {
      memory: 64,
      memorySwap: 64,
      cpus: "0.5",
    });
  });
});
