import assert from "node:assert/strict";
import { isServiceName } from "../../../config/fields.ts";
import { HOSTS } from "../../../contracts/monitoring.ts";
import { configuration, type Registered, runProgram } from "../../support/components/program.ts";

const CONTAINER = "docker:index/container:Container";
/** What Pulumi's mark of a secret is in inputs. */
const SECRET = "4dabf18193072939515e22adb298388d";
/** A resource that is no component. */
const leaf = (resources: readonly Registered[], name: string) =>
  resources.find((one) => one.name === name && !one.type.startsWith("drydock:"))!;
const isPart = ({ name }: Registered) => name.startsWith("monitoring-");
const monitoring = { enabled: true, image: "registry.test/monitoring:1", containers: true };

describe("monitoring", () => {
  const config = configuration();
  let off: Registered[];
  let on: Registered[];
  before(async () => {
    ({ resources: off } = await runProgram(config));
    ({ resources: on } = await runProgram({ ...config, monitoring, alarms: { slack: "https://hooks.test/secret" } }));
  });
  const parts = () => on.filter((one) => isPart(one) && one.type === CONTAINER);
  const part = (name: string) => leaf(on, name);

  it("is off on a local stack: not one resource more", () => {
    assert.deepEqual(
      off.filter((one) => isPart(one) || one.name === "network-monitoring"),
      [],
    );
  });

  it("changes nothing of the application's containers, the stores and the proxy", () => {
    for (const { name, inputs } of off.filter(({ type }) => type === CONTAINER)) {
      if (name === "backup-agent") continue;
      assert.deepEqual(part(name).inputs, inputs, name);
    }
  });

  it("has the backup agent on its network, and no container of the application", () => {
    const names = on
      .filter(
        ({ type, inputs }) =>
          type === CONTAINER && JSON.stringify(inputs.networksAdvanced).includes("network-monitoring"),
      )
      .map(({ name }) => name)
      .filter((name) => !name.startsWith("monitoring-"));
    assert.deepEqual(names, ["backup-agent"]);
  });

  it("is seven containers: none is root's, publishes a port, or has more than its memory; 466 MiB in all", () => {
    assert.deepEqual(
      parts()
        .map(({ name }) => name)
        .sort(),
      [
        "monitoring-alertmanager",
        "monitoring-collector",
        "monitoring-database",
        "monitoring-gate",
        "monitoring-host",
        "monitoring-prometheus",
        "monitoring-redis",
      ],
    );
    for (const { name, inputs } of parts()) {
      assert.equal(inputs.user, "65532:65532", name);
      assert.deepEqual(inputs.ports, [], name);
    }
    const sum = parts().reduce((total, { inputs }) => total + inputs.memory, 0);
    assert.equal(sum, 466);
  });

  it("has roots that can't be written to, but where a secret is delivered as a file", () => {
    const writable = parts().filter(({ inputs }) => !inputs.readOnly);
    assert.deepEqual(writable.map(({ name }) => name).sort(), [
      "monitoring-alertmanager",
      "monitoring-database",
      "monitoring-redis",
    ]);
  });

  it("has Docker's socket in the gate alone, read-only, on the network of monitoring alone", () => {
    const socket = on.filter(
      ({ type, inputs }) => type === CONTAINER && JSON.stringify(inputs.mounts).includes(".sock"),
    );
    assert.deepEqual(
      socket.map(({ name }) => name),
      ["monitoring-gate"],
    );
    const { inputs } = part("monitoring-gate");
    assert.deepEqual(inputs.mounts, [
      { type: "bind", source: "/var/run/docker.sock", target: "/run/docker.sock", readOnly: true },
    ]);
    assert.deepEqual(
      inputs.networksAdvanced.map(({ name }: { name: string }) => name),
      ["network-monitoring-abcdef0"],
    );
  });

  it("has the socket where the Docker host says that it is, and where the settings do", async () => {
    const own = "/run/user/1000/docker.sock";
    const sourceOf = async (docker: object, more: object = {}) => {
      const { resources } = await runProgram({ ...config, docker, monitoring: { ...monitoring, ...more } });
      assert.equal(leaf(resources, "monitoring-gate-group").inputs.environment.SOCKET, mountOf(resources));
      return mountOf(resources);
    };
    const mountOf = (resources: Registered[]): string => leaf(resources, "monitoring-gate").inputs.mounts[0].source;
    assert.equal(await sourceOf({ host: "ssh://deploy@shop.example.com:2222" }), "/var/run/docker.sock");
    assert.equal(await sourceOf({ host: `ssh://deploy@shop.example.com:2222${own}` }), own);
    assert.equal(await sourceOf({ host: `unix://${own}` }), own);
    assert.equal(await sourceOf({ host: `unix://${own}` }, { socket: "/run/docker.sock" }), "/run/docker.sock");
  });

  it("reaches out with what sends alerts alone, and only where somebody is told", async () => {
    const out = (resources: Registered[]) =>
      resources
        .filter((one) => isPart(one) && one.type === CONTAINER)
        .filter(({ inputs }) => JSON.stringify(inputs.networksAdvanced).includes("network-app"))
        .map(({ name }) => name);
    // The collector asks the replicas there.
    assert.deepEqual(out(on), ["monitoring-collector", "monitoring-alertmanager"]);
    const { resources } = await runProgram({ ...config, monitoring });
    assert.deepEqual(out(resources), ["monitoring-collector"]);
  });

  it("shows no secret: they are in files alone, and secret in the state", () => {
    const { uploads } = part("monitoring-alertmanager").inputs;
    const slack = uploads.find(({ file }: { file: string }) => file.endsWith("/slack"));
    assert.equal(slack.content[SECRET] !== undefined, true);
    for (const { name, inputs } of parts()) {
      const open = JSON.stringify([inputs.command, inputs.envs, inputs.labels]);
      for (const secret of ["hooks.test", (config.env as Record<string, string>)["REDIS_PASSWORD"]!])
        assert.ok(!open.includes(secret), name);
    }
  });

  it("waits for the release, and nothing of the release waits for it", () => {
    for (const one of parts()) assert.ok(one.after.includes("record"), one.name);
    const waiting = on.filter((one) => !isPart(one) && one.after.some((name) => name.startsWith("monitoring-")));
    assert.deepEqual(
      waiting.map(({ name }) => name),
      [],
    );
  });

  it("has nginx tell of requests, by the site's text alone", () => {
    const text = (resources: Registered[]) => leaf(resources, "switch").inputs.stdin as string;
    assert.match(text(on), /access_log syslog:server=unix:\/var\/lib\/drydock\/monitoring\/http\.sock/);
    assert.doesNotMatch(text(off), /syslog|measured/);
  });

  it("lets a Grafana of one's own ask Prometheus, on a network that is there already", async () => {
    const { resources } = await runProgram({ ...config, monitoring: { ...monitoring, network: "grafana" } });
    const networks = leaf(resources, "monitoring-prometheus").inputs.networksAdvanced;
    assert.deepEqual(networks.at(-1), { name: "grafana", aliases: ["drydock-unit"] });
  });

  it("asks the gate by a name that no service of the application's network can have", () => {
    assert.equal(isServiceName(HOSTS.gate), false);
    assert.deepEqual(part("monitoring-gate").inputs.networksAdvanced[0].aliases, [HOSTS.gate]);
  });

  it("does without the gate and servers elsewhere, and takes other images where that is said", async () => {
    const { resources } = await runProgram({
      ...config,
      monitoring: { ...monitoring, containers: false, images: { prometheus: "prom/prometheus:v3.5.3" } },
      database: { external: { host: "db.example.com", tls: true } },
      backup: { ...(config.backup as object), enabled: false },
    });
    const names = resources
      .filter((one) => isPart(one) && one.type === CONTAINER)
      .map(({ name, inputs }) => [name, inputs.image]);
    assert.deepEqual(Object.fromEntries(names), {
      "monitoring-alertmanager": "registry.test/monitoring:1",
      "monitoring-collector": "registry.test/monitoring:1",
      "monitoring-host": "registry.test/monitoring:1",
      "monitoring-prometheus": "prom/prometheus:v3.5.3",
      "monitoring-redis": "registry.test/monitoring:1",
    });
  });

  it("has an image that is named say whether it can take the part, before the one that runs gives way", async () => {
    const images = {
      prometheus: "prom/prometheus:v3.14.0",
      alertmanager: "prom/alertmanager:v0.34.0",
      database: "prom/mysqld-exporter:v0.20.0",
      redis: "oliver006/redis_exporter:v1.88.0-alpine",
      host: "prom/node-exporter:v1.12.1",
    };
    const { resources } = await runProgram({ ...config, monitoring: { ...monitoring, images } });
    for (const [named, image] of Object.entries(images)) {
      const { inputs, after } = leaf(resources, `monitoring-${named}-check`);
      assert.deepEqual([inputs.environment.IMAGE, inputs.environment.PART], [image, named]);
      const { command, entrypoints } = leaf(resources, `monitoring-${named}`).inputs;
      const words =
        named === "prometheus" ? /exec (.*)$/.exec(command[0])![1]! : [...entrypoints, ...command].join(" ");
      assert.ok(inputs.stdin.includes(`${words} --version`), inputs.stdin);
      assert.ok(after.includes("record"));
    }
    // None of them gives way before all images have been asked.
    for (const { name, after } of resources.filter((one) => isPart(one) && one.type === CONTAINER))
      for (const named of Object.keys(images)) assert.ok(after.includes(`monitoring-${named}-check`), name);
    // One of Drydock's own needs none.
    assert.deepEqual(
      on.filter(({ name }) => /^monitoring-.*-check$/.test(name)),
      [],
    );
  });

  it("has the network that is named looked for before any part gives way", async () => {
    const { resources } = await runProgram({ ...config, monitoring: { ...monitoring, network: "grafana" } });
    const { inputs, after } = leaf(resources, "monitoring-network-check");
    assert.equal(inputs.environment.NETWORK, "grafana");
    assert.ok(after.includes("record"));
    for (const { name, after } of resources.filter((one) => isPart(one) && one.type === CONTAINER))
      assert.ok(after.includes("monitoring-network-check"), name);
  });
});
