import assert from "node:assert/strict";
import { before, describe, it } from "mocha";
import { parseSettings } from "../../../config/settings.ts";
import { configuration, type Registered, runProgram } from "../../support/components/program.ts";
import { valid } from "../../support/config/fixtures.ts";

const search = {
  image: "getmeili/meilisearch:v1.15",
  files: { "/run/secrets/meili.toml": 'master_key = "a-key-of-sixteen-characters"\n' },
  env: { MEILI_ENV: "production" },
  volume: "/meili_data",
  health: ["curl", "-fsS", "http://127.0.0.1:7700/health"],
};
const mail = { image: "axllent/mailpit:v1.27", health: ["/mailpit", "readyz"], outbound: true };

describe("the services of a stack", () => {
  let resources: Registered[];
  const leaf = (name: string) => resources.find((one) => one.name === name && !one.type.startsWith("drydock:"))!;
  before(async () => {
    ({ resources } = await runProgram(configuration({ services: { search, mail } })));
  });

  it("are on the internal network alone, by their name, unless they may reach other machines", () => {
    assert.deepEqual(leaf("service-search").inputs.networksAdvanced, [
      { name: "network-data-abcdef0", aliases: ["search"] },
    ]);
    assert.deepEqual(leaf("service-mail").inputs.networksAdvanced, [
      { name: "network-data-abcdef0", aliases: ["mail"] },
      { name: "network-app-abcdef0", aliases: ["mail"] },
    ]);
    for (const name of ["service-search", "service-mail"]) assert.deepEqual(leaf(name).inputs.ports, []);
  });

  it("keep their data in a protected volume, which two servers never have at once", () => {
    const { protect, retainOnDelete } = leaf("service-search-data");
    assert.deepEqual([protect, retainOnDelete], [true, true]);
    assert.deepEqual(leaf("service-search").inputs.mounts, [
      { type: "volume", source: "service-search-data-abcdef0", target: "/meili_data" },
    ]);
    assert.deepEqual(
      [leaf("service-search").deleteBeforeReplace, leaf("service-mail").deleteBeforeReplace],
      [true, false],
    );
    assert.equal(
      leaf("service-search-ownership").inputs.environment.OWNERS,
      "service-search-data-abcdef0 1000:1000 .drydock",
    );
    assert.ok(leaf("service-search").after.includes("service-search-ownership"));
    assert.equal(leaf("service-mail-data"), undefined);
  });

  it("have their volume read for backups by a container of their own user, and by nobody else", async () => {
    const { inputs, deleteBeforeReplace, after } = leaf("backup-service-search");
    assert.deepEqual(
      [inputs.user, inputs.image, inputs.command, inputs.memory, inputs.capabilities, inputs.ports],
      ["1000:1000", "backup:1.0", ["reader"], 128, { drops: ["ALL"] }, []],
    );
    assert.deepEqual(inputs.mounts, [
      { type: "volume", source: "service-search-data-abcdef0", target: "/volume", readOnly: true },
    ]);
    assert.deepEqual(inputs.networksAdvanced, [{ name: "network-restore-abcdef0", aliases: ["volume_search"] }]);
    assert.ok(deleteBeforeReplace && after.includes("service-search-ownership"));
    assert.equal(leaf("backup-service-mail"), undefined);
    const agent = leaf("backup-agent").inputs;
    assert.ok(!JSON.stringify(agent.mounts).includes("search"));
    const off = await runProgram(configuration({ services: { search: { ...search, backup: false } } }));
    assert.ok(!off.resources.some(({ name }) => name.startsWith("backup-service")));
    const none = await runProgram(configuration({ services: { search }, backup: { enabled: false } }));
    assert.ok(!none.resources.some(({ name }) => name.startsWith("backup-service")));
  });

  it("leave the agent of a stack without any as it was", async () => {
    const [one, other] = [await runProgram(configuration()), await runProgram(configuration({ services: { mail } }))];
    const agent = ({ resources: all }: { resources: Registered[] }) => {
      const { inputs } = all.find(({ name }) => name === "backup-agent")!;
      return [inputs.mounts, inputs.networksAdvanced, inputs.memory];
    };
    assert.deepEqual(agent(one), agent(other));
  });

  it("have their files as secrets, and their variables in the open", () => {
    const [upload] = leaf("service-search").inputs.uploads.value ?? leaf("service-search").inputs.uploads;
    assert.equal(upload.file ?? upload.value?.file, "/run/secrets/meili.toml");
    assert.ok(
      JSON.stringify(leaf("service-search").inputs.uploads).includes("4dabf18193072939515e22adb298388d"),
      "marked as secret",
    );
    assert.deepEqual(leaf("service-search").inputs.envs, ["MEILI_ENV=production"]);
  });

  it("are healthy before the release begins", () => {
    for (const name of ["backup", "app-1"])
      assert.ok(
        leaf(name).after.some((one) => one.startsWith("service-")),
        name,
      );
  });

  it("run without rights, as all containers of the stack", () => {
    const { user, capabilities, securityOpts, restart, memory } = leaf("service-search").inputs;
    assert.deepEqual(
      [user, capabilities, securityOpts, restart, memory],
      ["1000:1000", { drops: ["ALL"] }, ["no-new-privileges:true"], "unless-stopped", 256],
    );
  });
});

describe("the settings of services", () => {
  const refused = (settings: object, stack = "local") => {
    try {
      parseSettings({ ...valid(), ...settings }, stack);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };

  it("ask for an image and for what says that it is healthy", () => {
    const message = refused({ services: { search: {} } });
    assert.match(message, /drydock:services\.search\.image/);
    assert.match(message, /drydock:services\.search\.health/);
  });

  it("ask for a pinned image in production, as for every other", () => {
    assert.match(
      refused({ services: { mail } }, "prod"),
      /drydock:services\.mail\.image: is "axllent\/mailpit:v1\.27", a tag can be moved/,
    );
  });

  it("refuse a name that a worker has as well", () => {
    assert.match(
      refused({ services: { mail }, workers: { mail: { command: ["true"] } } }),
      /drydock:services\.mail.*and drydock:workers\.mail have one name/,
    );
  });

  it("refuse a file that is no absolute path", () => {
    assert.match(
      refused({ services: { mail: { ...mail, files: { "../etc/passwd": "x" } } } }),
      /drydock:services\.mail\.files/,
    );
  });
});
