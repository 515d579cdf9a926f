import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { STANDINS } from "../../offline/install.ts";
import type { Values } from "../../offline/plugin/values.ts";
import { FakeDocker } from "../support/conformance/engine.ts";
import { type Found, NotReady, Plugin } from "../support/conformance/plugin.ts";

const CONTAINER = "docker:index/container:Container";
const NETWORK = "docker:index/network:Network";
const VOLUME = "docker:index/volume:Volume";
const IMAGE = "docker:index/image:Image";
const REMOTE = "docker:index/remoteImage:RemoteImage";

/** A container with all that the program sets (components/container.ts), as it sets it. */
const full: Values = {
  image: "app:1",
  user: "1000:1000",
  groupAdds: ["33"],
  labels: [
    { label: "drydock.role", value: "app" },
    { label: "drydock.stack", value: "test" },
  ],
  envs: ["B=2", "A=1"],
  uploads: [{ file: "/run/drydock/app.conf", content: "x", owner: "0", group: "0", permissions: "0444" }],
  networksAdvanced: [
    { name: "network-app-1234567", aliases: ["app"] },
    { name: "network-data-1234567", aliases: [] },
  ],
  mounts: [
    { type: "volume", source: "storage", target: "/srv/storage" },
    { type: "volume", source: "runtime", target: "/drydock", readOnly: true },
  ],
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=16m" },
  readOnly: false,
  entrypoints: ["/bin/sh", "/drydock/start.sh"],
  command: ["php-fpm", "-F"],
  init: true,
  memory: 256,
  memorySwap: 512,
  cpus: "1.0",
  restart: "unless-stopped",
  capabilities: { drops: ["ALL"] },
  securityOpts: ["no-new-privileges:true"],
  logDriver: "json-file",
  logOpts: { "max-size": "10m", "max-file": "3" },
  ports: [{ internal: 8080, external: 8081, ip: "127.0.0.1", protocol: "tcp" }],
  stopSignal: "SIGQUIT",
  stopTimeout: 30,
  destroyGraceSeconds: 30,
  wait: true,
  waitTimeout: 3,
  healthcheck: { tests: ["CMD", "true"], interval: "250ms", timeout: "16s", startPeriod: "1m0s", retries: 5 },
};

interface Case {
  readonly name: string;
  /** What differs at first from a container with everything; undefined takes an input away. */
  readonly first?: Readonly<Record<string, unknown>>;
  /** What differs in the next program. */
  readonly next?: Readonly<Record<string, unknown>>;
  /** What somebody did meanwhile; what is there is read then. */
  readonly meanwhile?: (docker: FakeDocker, id: string) => void;
  readonly expected: Found;
  /** What an update asks Docker, "ID" for the container's; left out where it is not updated. */
  readonly calls?: readonly string[];
}

const container = (docker: FakeDocker, id: string) => docker.containers.get(id)!;
const CASES: readonly Case[] = [
  { name: "nothing, when nothing changes", expected: {} },
  { name: "nothing, when it is read", meanwhile: () => undefined, expected: {} },
  ...["0.25", "1.5", "2.0", "10.", "0.051"].map((cpus) => ({
    name: `nothing of ${cpus} processors`,
    first: { cpus },
    expected: {},
  })),
  { name: "a number of processors that is written otherwise", first: { cpus: "1" }, expected: { cpus: "replace" } },
  { name: "one that it can't write", first: { cpus: "0.05" }, expected: { cpus: "replace" } },
  { name: "the swap limit that Docker sets", first: { memorySwap: undefined }, expected: { memorySwap: "update" } },
  {
    name: "nothing of a container with hardly any input",
    first: { ...Object.fromEntries(Object.keys(full).map((key) => [key, undefined])), image: "app:1" },
    expected: {},
  },
  {
    name: "other limits, in place",
    next: { memory: 300, memorySwap: 600 },
    expected: { memory: "update", memorySwap: "update" },
    calls: ["POST /containers/ID/update"],
  },
  {
    name: "another restart policy, in place",
    next: { restart: "always" },
    expected: { restart: "update" },
    calls: ["POST /containers/ID/update"],
  },
  {
    name: "time limits, in its state alone",
    next: { waitTimeout: 4, destroyGraceSeconds: 5 },
    expected: { waitTimeout: "update", destroyGraceSeconds: "update" },
    calls: [],
  },
  {
    name: "a health check, and changes nothing",
    next: { healthcheck: { ...(full.healthcheck as object), retries: 6 } },
    expected: { healthcheck: "update" },
    calls: [],
  },
  { name: "an init process, and changes nothing", next: { init: false }, expected: { init: "update" }, calls: [] },
  {
    name: "folders in memory, and changes nothing",
    next: { tmpfs: { "/tmp": "size=8m" } },
    expected: { tmpfs: "update" },
    calls: [],
  },
  {
    name: "another mount in place of one, and changes nothing",
    next: { mounts: [{ type: "volume", source: "other", target: "/srv/storage" }, (full.mounts as Values[])[1]!] },
    expected: { mounts: "update" },
    calls: [],
  },
  { name: "one mount less", next: { mounts: [(full.mounts as Values[])[0]!] }, expected: { mounts: "replace" } },
  ...(
    [
      ["image", "app:2"],
      ["user", "1001:1001"],
      ["envs", ["A=1", "B=3"]],
      ["labels", [{ label: "drydock.role", value: "app" }]],
      ["command", ["php-fpm"]],
      ["entrypoints", ["/bin/sh"]],
      ["readOnly", true],
      ["stopTimeout", 31],
      ["stopSignal", "SIGTERM"],
      ["groupAdds", ["34"]],
      ["cpus", "2.0"],
      ["logOpts", { "max-size": "11m", "max-file": "3" }],
      ["ports", [{ internal: 8080, external: 8082, ip: "127.0.0.1", protocol: "tcp" }]],
      ["capabilities", { drops: ["ALL"], adds: ["CHOWN"] }],
      ["securityOpts", ["no-new-privileges:true", "apparmor=unconfined"]],
      [
        "networksAdvanced",
        [
          { name: "network-app-1234567", aliases: ["other"] },
          { name: "network-data-1234567", aliases: [] },
        ],
      ],
      ["uploads", [{ file: "/run/drydock/app.conf", content: "y", owner: "0", group: "0", permissions: "0444" }]],
    ] as const
  ).map(([key, value]) => ({
    name: `another ${key}`,
    next: { [key]: value },
    expected: { [key]: "replace" } as Found,
  })),
  {
    name: "nothing of another order",
    next: { envs: ["A=1", "B=2"], labels: [...(full.labels as Values[])].reverse() },
    expected: {},
  },
  {
    name: "limits that were changed by hand",
    meanwhile: (docker, id) => Object.assign(container(docker, id).HostConfig, { Memory: 128 * 1048576 }),
    expected: { memory: "update" },
    calls: ["POST /containers/ID/update"],
  },
  {
    name: "one that has stopped, and starts it without waiting",
    first: { ports: undefined },
    meanwhile: (docker, id) => {
      container(docker, id).State = { Running: false, Status: "exited", ExitCode: 137 };
    },
    expected: { mustRun: "update" },
    calls: ["POST /containers/ID/start"],
  },
  {
    name: "nothing of variables, labels and networks that were changed by hand",
    meanwhile: (docker, id) => Object.assign(container(docker, id).Config, { Env: ["C=3"], Labels: {} }),
    expected: {},
  },
];

describe("the docker plugin, on Docker's API 1.41 and 1.47", function () {
  this.timeout(60_000);
  const docker: Record<string, FakeDocker> = {};
  const plugins: Record<string, Plugin> = {};
  before(async () => {
    for (const api of ["1.41", "1.47"]) {
      docker[api] = await FakeDocker.start(api);
      plugins[api] = await Plugin.start("docker", STANDINS.docker, { host: docker[api].host });
    }
    console.log(`      (${plugins["1.41"]!.path})`);
  });
  after(() => {
    for (const api of Object.keys(docker)) {
      plugins[api]!.stop();
      docker[api]!.stop();
    }
  });

  const given = (values: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Values;

  describe("finds of a container", () => {
    for (const { name, first = {}, next = {}, meanwhile, expected, calls } of CASES) {
      it(name, async () => {
        const [engine, plugin] = [docker["1.41"]!, plugins["1.41"]!];
        let inputs = await plugin.check(CONTAINER, given({ ...full, ...first }));
        let made = await plugin.create(CONTAINER, inputs);
        if (meanwhile !== undefined) {
          meanwhile(engine, made.id);
          const { inputs: live, ...now } = (await plugin.read(CONTAINER, made, inputs))!;
          [made, inputs] = [now, live];
        }
        const wanted = await plugin.check(CONTAINER, given({ ...full, ...first, ...next }), inputs);
        assert.deepEqual(await plugin.diff(CONTAINER, made, inputs, wanted), expected);
        engine.changes();
        if (calls !== undefined) {
          made = await plugin.update(CONTAINER, made, inputs, wanted);
          assert.deepEqual(
            engine.changes().map((call) => call.replace(made.id, "ID")),
            calls,
          );
          // What it has changed nothing of in the container it believes to be so all the same.
          assert.deepEqual(
            await plugin.diff(CONTAINER, made, wanted, wanted),
            calls.length > 0 ? {} : await plugin.diff(CONTAINER, made, wanted, wanted),
          );
        }
        await plugin.delete(CONTAINER, made, wanted);
        assert.equal(engine.containers.has(made.id), false);
      });
    }

    it("nothing any more, when it is gone", async () => {
      const plugin = plugins["1.41"]!;
      const inputs = await plugin.check(CONTAINER, full);
      const made = await plugin.create(CONTAINER, inputs);
      docker["1.41"]!.containers.delete(made.id);
      assert.equal(await plugin.read(CONTAINER, made, inputs), undefined);
    });
  });

  it("puts a container together as the program says, on the networks that it says", async () => {
    const [engine, plugin] = [docker["1.41"]!, plugins["1.41"]!];
    engine.changes();
    const inputs = await plugin.check(CONTAINER, full);
    assert.match(String(inputs.name), /^box-[0-9a-f]{7}$/);
    const { id } = await plugin.create(CONTAINER, inputs);
    const { Config, HostConfig } = engine.containers.get(id)!;
    assert.deepEqual(
      [HostConfig.Memory, HostConfig.MemorySwap, HostConfig.NanoCpus],
      [256 * 1048576, 512 * 1048576, 1e9],
    );
    assert.deepEqual(Config.Healthcheck.Interval, 250e6);
    assert.deepEqual(
      Config.Labels,
      { "drydock.role": "app", "drydock.stack": "test" },
      "and no label of the plugin's own",
    );
    const calls = engine.changes().map((call) => call.replace(id, "ID"));
    assert.deepEqual(
      calls.filter((call) => !/archive$/.test(call)),
      [
        "POST /containers/create",
        "POST /networks/bridge/disconnect",
        "POST /networks/network-app-1234567/connect",
        "POST /networks/network-data-1234567/connect",
        "POST /containers/ID/start",
      ].filter((call) => calls.includes(call)),
    );
  });

  it("keeps one that never became healthy, as one that failed", async () => {
    const [engine, plugin] = [docker["1.41"]!, plugins["1.41"]!];
    engine.health = "unhealthy";
    try {
      await assert.rejects(
        plugin.create(CONTAINER, await plugin.check(CONTAINER, { ...full, waitTimeout: 2 })),
        NotReady,
      );
    } finally {
      engine.health = "healthy";
    }
  });

  it("refuses any option of a volume's mount before API 1.45", async () => {
    const inputs = {
      ...full,
      mounts: [{ type: "volume", source: "storage", target: "/srv/storage", volumeOptions: { noCopy: true } }],
    };
    const create = async (api: string) => plugins[api]!.create(CONTAINER, await plugins[api]!.check(CONTAINER, inputs));
    await assert.rejects(create("1.41"), /Setting VolumeOptions\.Subpath requires docker version 1\.45 or higher/);
    const made = await create("1.47");
    assert.equal(docker["1.47"]!.containers.get(made.id)!.HostConfig.Mounts[0].VolumeOptions.NoCopy, true);
    assert.deepEqual(
      await plugins["1.47"]!.diff(CONTAINER, made, inputs, await plugins["1.47"]!.check(CONTAINER, inputs)),
      {},
    );
  });

  describe("of a network or a volume", () => {
    const labels = [{ label: "drydock.stack", value: "test" }];
    const resources: Record<string, { type: string; inputs: Values; live: () => Map<string, any> }> = {
      network: {
        type: NETWORK,
        inputs: { driver: "bridge", internal: true, labels },
        live: () => docker["1.41"]!.networks,
      },
      volume: { type: VOLUME, inputs: { labels }, live: () => docker["1.41"]!.volumes },
    };
    for (const [what, { type, inputs: wanted, live }] of Object.entries(resources)) {
      it(`finds nothing when nothing changes: ${what}`, async () => {
        const plugin = plugins["1.41"]!;
        const inputs = await plugin.check(type, wanted);
        const made = await plugin.create(type, inputs);
        assert.deepEqual(live().get(made.id).Labels, { "drydock.stack": "test" });
        assert.deepEqual(await plugin.diff(type, made, inputs, inputs), {});
        const { inputs: now, ...read } = (await plugin.read(type, made, inputs))!;
        assert.deepEqual(await plugin.diff(type, read, now, inputs), {});
      });

      it(`takes a label of somebody else's for a change, unless labels are ignored: ${what}`, async () => {
        const plugin = plugins["1.41"]!;
        const inputs = await plugin.check(type, wanted);
        const made = await plugin.create(type, inputs);
        live().get(made.id).Labels["somebody.else"] = "1";
        const { inputs: now, ...read } = (await plugin.read(type, made, inputs))!;
        assert.deepEqual(await plugin.diff(type, read, now, inputs), { labels: "replace" });
        assert.deepEqual(await plugin.diff(type, read, now, inputs, ["labels"]), {});
      });
    }
  });

  describe("of an image", () => {
    const build = { context: "examples/laravel", dockerfile: "examples/laravel/Dockerfile", args: { BASE: "php" } };
    const inputs = (platform?: string): Values => ({
      imageName: "drydock/app:1",
      skipPush: true,
      build: { ...build, ...(platform === undefined ? {} : { platform }) },
    });

    it("takes the platform of its own machine, and says so, unless it is told one", async () => {
      const plugin = plugins["1.41"]!;
      plugin.said.length = 0;
      const told = (await plugin.check(IMAGE, inputs("linux/riscv64"))) as any;
      assert.deepEqual([told.build.platform, told.buildOnPreview, plugin.said.length], ["linux/riscv64", false, 0]);
      const own = (await plugin.check(IMAGE, inputs())) as any;
      assert.equal(own.build.platform, `linux/${process.arch === "x64" ? "amd64" : process.arch}`);
      // A message goes another way than the answer, and may come after it.
      for (const end = Date.now() + 5_000; plugin.said.length === 0 && Date.now() < end; ) await sleep(20);
      assert.match(plugin.said.join("\n"), /Building your image for linux\/\S+ architecture/);
      assert.match(own.build.contextDigest, /^[0-9a-f]{64}$/);
    });

    it("compares with the inputs in the state, and never looks whether it is there", async () => {
      const plugin = plugins["1.41"]!;
      const checked = await plugin.check(IMAGE, inputs("linux/amd64"));
      const made = {
        id: "drydock/app:1",
        state: { __inputs: checked, imageName: "drydock/app:1", repoDigest: "sha256:gone" } as Values,
      };
      assert.deepEqual(await plugin.diff(IMAGE, made, checked, checked), {});
      assert.deepEqual(await plugin.diff(IMAGE, made, checked, await plugin.check(IMAGE, inputs("linux/arm64"))), {
        build: "update",
      });
      assert.equal((await plugin.read(IMAGE, made, checked))?.state.repoDigest, "sha256:gone");
    });

    it("finds nothing when one from a registry is there", async () => {
      const plugin = plugins["1.41"]!;
      const checked = await plugin.check(REMOTE, { name: "app:1", keepLocally: true });
      const made = await plugin.create(REMOTE, checked);
      assert.deepEqual(await plugin.diff(REMOTE, made, checked, checked), {});
      assert.deepEqual(
        await plugin.diff(REMOTE, made, checked, await plugin.check(REMOTE, { name: "app:2", keepLocally: true })),
        { name: "replace" },
      );
    });
  });
});
