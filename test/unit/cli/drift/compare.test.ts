import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { compare } from "../../../../cli/drift/compare.ts";
import { changedFiles } from "../../../../cli/drift/compareContainer.ts";
import type { Live, LiveContainer } from "../../../../cli/drift/live.ts";
import type { StateResource } from "../../../../cli/shared/stack.ts";

const urn = (type: string, name: string): string => `urn:pulumi:local::drydock::drydock:index:App$${type}::${name}`;
const SITE = "upstream app {\n  server app-1-abc1234:9000 max_fails=1 fail_timeout=2s;\n}\n";
const resources: readonly StateResource[] = [
  {
    urn: urn("docker:index/container:Container", "app-1"),
    id: "id-app-1",
    type: "docker:index/container:Container",
    outputs: { name: "app-1-abc1234" },
    inputs: {
      image: "shop:1",
      memory: 256,
      cpus: "0.5",
      restart: "unless-stopped",
      envs: ["APP_NAME=Shop", "DB_HOST=database"],
      labels: [
        { label: "drydock.role", value: "app" },
        { label: "drydock.stack", value: "local" },
      ],
      mounts: [{ type: "volume", source: "volumes-storage-1111111", target: "/var/www/html/storage/app" }],
      networksAdvanced: [{ name: "network-app-1111111" }],
      uploads: [{ file: "/var/www/html/.env", content: { secure: "v1:…" } }, { file: "/drydock/start.sh" }],
    },
  },
  {
    urn: urn("docker:index/network:Network", "network-app"),
    id: "n1",
    type: "docker:index/network:Network",
    inputs: { internal: false },
    outputs: { name: "network-app-1111111" },
  },
  {
    urn: urn("docker:index/network:Network", "network-data"),
    id: "n2",
    type: "docker:index/network:Network",
    inputs: { internal: true },
    outputs: { name: "network-data-1111111" },
  },
  {
    urn: urn("docker:index/volume:Volume", "volumes-storage"),
    id: "volumes-storage-1111111",
    type: "docker:index/volume:Volume",
    outputs: { name: "volumes-storage-1111111" },
  },
  {
    urn: urn("docker:index/remoteImage:RemoteImage", "app-image"),
    id: "shop:1",
    type: "docker:index/remoteImage:RemoteImage",
    inputs: { name: "shop:1" },
  },
  {
    urn: urn("command:local:Command", "switch"),
    type: "command:local:Command",
    inputs: { stdin: SITE },
  },
];
const app: LiveContainer = {
  Id: "id-app-1",
  Name: "/app-1-abc1234",
  Image: "sha256:aaa",
  Config: {
    Image: "shop:1",
    Env: ["APP_NAME=Shop", "DB_HOST=database", "PATH=/bin"],
    Labels: { "drydock.role": "app", "drydock.stack": "local" },
  },
  State: { Status: "running", Running: true },
  HostConfig: { Memory: 256 << 20, NanoCpus: 5e8, RestartPolicy: { Name: "unless-stopped" } },
  Mounts: [{ Type: "volume", Name: "volumes-storage-1111111", Destination: "/var/www/html/storage/app" }],
  NetworkSettings: { Networks: { "network-app-1111111": {} } },
};
const live: Live = {
  containers: [app],
  networks: { "network-app-1111111": { Internal: false }, "network-data-1111111": { Internal: true } },
  volumes: ["volumes-storage-1111111"],
  images: { "shop:1": "sha256:aaa" },
  files: { "id-app-1": ["/var", "/var/www", "/var/www/html", "/var/www/html/.env", "/drydock", "/drydock/start.sh"] },
  site: SITE,
};
const changed = (more: Partial<LiveContainer>): Live => ({ ...live, containers: [{ ...app, ...more }] });
const stranger: LiveContainer = {
  ...app,
  Id: "id-x",
  Name: "/x",
  Config: { Image: "busybox", Labels: {} },
  Mounts: [],
  NetworkSettings: { Networks: { bridge: {} } },
};
const beside = (more: Partial<LiveContainer>): Live => ({ ...live, containers: [app, { ...stranger, ...more }] });
const found = (now: Live, stack = "local") =>
  compare(stack, resources, now).map(({ kind, name, what, remedy }) => [`${kind} ${name}: ${what}`, remedy]);

describe("drift", () => {
  it("is none where all is as it was left", () => assert.deepEqual(found(live), []));

  const again = "./drydock up --replace app-1";
  const cases: readonly [string, Live, string, string][] = [
    ["a removed container", { ...live, containers: [] }, "missing app-1: its container was removed", "./drydock up"],
    [
      "a container made by hand in its place",
      changed({
        Id: "id-other",
        NetworkSettings: { Networks: { bridge: {} } },
        Mounts: [],
        Config: { Image: "shop:1" },
      }),
      "missing app-1: its container was removed, and another one has its name (app-1-abc1234)",
      "docker rm --force app-1-abc1234\n./drydock up",
    ],
    [
      "a stopped container",
      changed({ State: { Status: "exited", Running: false, ExitCode: 137 } }),
      "stopped app-1: is exited (exit code 137)",
      "./drydock up",
    ],
    [
      "a paused container",
      changed({ State: { Status: "paused", Running: true, Paused: true } }),
      "stopped app-1: was paused",
      "docker unpause app-1-abc1234",
    ],
    [
      "a renamed container",
      changed({ Name: "/mine" }),
      "changed app-1: its container was renamed to mine",
      "docker rename mine app-1-abc1234",
    ],
    [
      "another memory limit",
      changed({ HostConfig: { ...app.HostConfig, Memory: 300 << 20 } }),
      "changed app-1: memory is 300 MiB instead of 256",
      "docker update --memory 256m --memory-swap 512m app-1-abc1234",
    ],
    [
      "another processor limit",
      changed({ HostConfig: { ...app.HostConfig, NanoCpus: 1e9 } }),
      "changed app-1: cpus is 1 instead of 0.5",
      "docker update --cpus 0.5 app-1-abc1234",
    ],
    [
      "another restart policy",
      changed({ HostConfig: { ...app.HostConfig, RestartPolicy: { Name: "no" } } }),
      "changed app-1: restart is no instead of unless-stopped",
      "docker update --restart unless-stopped app-1-abc1234",
    ],
    [
      "another image",
      changed({ Image: "sha256:bbb", Config: { ...app.Config, Image: "shop:2" } }),
      "changed app-1: its image is shop:2 instead of shop:1",
      again,
    ],
    [
      "a moved tag",
      { ...live, images: { "shop:1": "sha256:ccc" } },
      "changed app-1: shop:1 now refers to another image than the one that it runs",
      `${again}\nor give the image its name back: docker tag sha256:aaa shop:1`,
    ],
    [
      "an image that is gone",
      { ...live, images: {} },
      "missing app-image: the image shop:1 was removed: what runs from it goes on, and no container can be made of it",
      "./drydock up",
    ],
    [
      "another variable, without its value",
      changed({ Config: { ...app.Config, Env: ["APP_NAME=hand-made", "DB_HOST=database"] } }),
      "changed app-1: its environment has another APP_NAME",
      again,
    ],
    [
      "another label",
      changed({ Config: { ...app.Config, Labels: { "drydock.stack": "local" } } }),
      "changed app-1: its labels have another drydock.role",
      again,
    ],
    [
      "other mounts",
      changed({ Mounts: [{ Type: "bind", Source: "/root/app", Destination: "/var/www/html" }] }),
      "changed app-1: its mounts differ: /var/www/html/storage/app is another, /var/www/html was added",
      again,
    ],
    [
      "a network that it was taken off",
      changed({ NetworkSettings: { Networks: {} } }),
      "changed app-1: it was disconnected from the network network-app-1111111",
      again,
    ],
    [
      "a network that it was put on",
      changed({ NetworkSettings: { Networks: { "network-app-1111111": {}, bridge: {} } } }),
      "changed app-1: it was connected to the network bridge",
      "docker network disconnect bridge app-1-abc1234",
    ],
    [
      "changed code",
      { ...live, files: { "id-app-1": ["/var/www/html/routes", "/var/www/html/routes/web.php", "/drydock/extra"] } },
      "changed app-1: files were changed in it: /var/www/html/routes/web.php, /drydock/extra",
      again,
    ],
    [
      "a removed network",
      { ...live, networks: { "network-app-1111111": { Internal: false } } },
      "missing network-data: the network was removed",
      "./drydock up --refresh",
    ],
    [
      "a data network with a way out",
      { ...live, networks: { ...live.networks, "network-data-1111111": { Internal: false } } },
      "changed network-data: the network is no longer internal",
      "./drydock up --refresh",
    ],
    [
      "a removed volume",
      { ...live, volumes: [] },
      "missing volumes-storage: the volume volumes-storage-1111111 was removed, with all that was in it",
      "./drydock up --refresh (an empty one), then restore its data from a backup",
    ],
    [
      "a site that was edited",
      { ...live, site: SITE.replace("9000", "9001") },
      "changed proxy: the site's configuration was changed in the proxy",
      "./drydock up --replace app-1 (its switch writes it anew)",
    ],
    [
      "a stranger on a network",
      beside({ NetworkSettings: { Networks: { "network-data-1111111": {} } } }),
      "foreign x: is on network-data-1111111, and is not of the stack (running, image busybox)",
      "docker rm --force x\nor only off the network: docker network disconnect network-data-1111111 x",
    ],
    [
      "a stranger with a volume",
      beside({ Mounts: [{ Type: "volume", Name: "volumes-storage-1111111", Destination: "/x" }] }),
      "foreign x: mounts volumes-storage-1111111, and is not of the stack (running, image busybox)",
      "docker rm --force x",
    ],
    [
      "a stranger with the stack's labels",
      beside({ Config: { Image: "busybox", Labels: { "drydock.stack": "local", "drydock.role": "app" } } }),
      "foreign x: has the stack's labels, and is not of the stack (running, image busybox)",
      "docker rm --force x",
    ],
  ];
  for (const [what, now, text, remedy] of cases)
    it(`finds ${what}, with what puts it right`, () => assert.deepEqual(found(now), [[text, remedy]]));

  it("leaves another clone's stack of the same name alone, and what has nothing to do with this one", () => {
    const labels = { "drydock.stack": "local", "drydock.role": "app" };
    for (const network of ["network-app", "network-restore", "network-monitoring", "shop-network-app"])
      assert.deepEqual(
        found(
          beside({
            Config: { Image: "shop:1", Labels: labels },
            NetworkSettings: { Networks: { [`${network}-2222222`]: {} } },
          }),
        ),
        [],
        network,
      );
    assert.deepEqual(found(beside({})), []);
  });

  it("names the stack in its commands", () =>
    assert.equal(found({ ...live, containers: [] }, "prod")[0]?.[1], "./drydock up -s prod"));

  it("says nothing of a site that can't be read", () => {
    const { site: _, ...unread } = live;
    assert.deepEqual(found(unread), []);
  });
});

describe("the files that were changed in a container", () => {
  const inputs = resources[0]!.inputs!;
  it("are not those that Laravel writes, nor those delivered before its start", () => {
    assert.deepEqual(
      changedFiles(inputs, [
        "/var/www/html/storage",
        "/var/www/html/storage/debugbar/x.json",
        "/var/www/html/bootstrap",
        "/var/www/html/bootstrap/cache",
        "/var/www/html/.env",
        "/tmp/x",
        "/root/.bash_history",
      ]),
      [],
    );
  });
  it("are looked for in Laravel containers only", () => assert.deepEqual(changedFiles({}, ["/data/x"]), []));
});
