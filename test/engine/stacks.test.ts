import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { after, before, describe, it } from "mocha";
import { Clone, type Result } from "../support/clone.ts";
import { FakeDocker } from "../support/conformance/engine.ts";

/** Previews of the stacks that are not deployed here; the engine and the plugins are real, no Docker host is asked. */
describe("staging and production", function () {
  this.timeout(300_000);
  const clone = new Clone();
  const nowhere = { DOCKER_HOST: "unix:///nonexistent/docker.sock" };
  const preview = (stack: string, ...more: string[]) => clone.drydock(["preview", "-s", stack, ...more], nowhere);
  const said = ({ stdout, stderr }: Result) => stdout + stderr;

  before(async () => {
    assert.equal((await clone.drydock(["env"])).code, 0);
  });
  after(() => rmSync(clone.dir, { recursive: true, force: true }));

  for (const stack of ["staging", "prod"]) {
    it(`asks for every secret of ${stack} at once, with the command that sets it, and changes nothing`, async () => {
      await clone.pulumi(["stack", "init", stack]);
      const result = await preview(stack);
      assert.equal(result.code, 1);
      for (const path of [
        "env.APP_KEY",
        "env.DB_PASSWORD",
        "env.REDIS_PASSWORD",
        "database.rootPassword",
        "backup.key",
        "backup.databasePassword",
        "backup.token",
      ]) {
        assert.match(
          said(result),
          new RegExp(`pulumi config set --secret --path drydock:${path.replace(".", "\\.")} -s ${stack}`),
          path,
        );
      }
    });

    it(`previews ${stack} once they are set, with no violation of a policy`, async () => {
      const secrets = {
        "env.APP_KEY": `base64:${randomBytes(32).toString("base64")}`,
        "env.DB_PASSWORD": randomBytes(24).toString("hex"),
        "env.REDIS_PASSWORD": randomBytes(24).toString("hex"),
        "database.rootPassword": randomBytes(24).toString("hex"),
        "backup.key": randomBytes(24).toString("hex"),
        "backup.databasePassword": randomBytes(24).toString("hex"),
        "backup.token": randomBytes(24).toString("hex"),
      };
      for (const [path, value] of Object.entries(secrets)) {
        assert.equal(
          (await clone.pulumi(["config", "set", "--secret", "--path", `drydock:${path}`, value, "-s", stack])).code,
          0,
        );
      }
      const result = await preview(stack);
      assert.equal(result.code, 0, said(result));
      assert.match(result.stdout, /docker:index:Container app-1 create/);
      assert.doesNotMatch(said(result), /\[(mandatory|advisory)\]/);
      for (const secret of Object.values(secrets)) assert.ok(!said(result).includes(secret), "a secret is shown");
    });
  }

  it("previews production's replicas, host and digest as its file says", async () => {
    const { stdout } = await clone.pulumi(["preview", "-s", "prod", "--json"]);
    const steps = (JSON.parse(stdout) as { steps: { urn: string; newState: { type: string; inputs: any } }[] }).steps;
    const containers = steps.filter(({ newState }) => newState.type === "docker:index/container:Container");
    assert.equal(containers.filter(({ urn }) => /::app-\d+$/.test(urn)).length, 4);
    for (const { newState } of containers) assert.match(newState.inputs.image, /@sha256:[0-9a-f]{64}$/);
    assert.equal(
      steps.find(({ newState }) => newState.type === "pulumi:providers:docker")?.newState.inputs.host,
      "ssh://deploy@shop.example.com",
    );
  });

  it("will not change a stack other than local unasked", async () => {
    const result = await clone.drydock(["up", "-s", "staging"], nowhere);
    assert.notEqual(result.code, 0);
    assert.match(said(result), /--yes/);
  });

  it("refuses to destroy production, whatever the flags", async () => {
    const result = await clone.drydock(["destroy", "-s", "prod", "--yes"], nowhere);
    assert.equal(result.code, 3);
    assert.match(said(result), /production/);
  });

  it("refuses a Docker engine that is too old, with what is needed, asked by Pulumi alone as well", async () => {
    const docker = await FakeDocker.start("1.40");
    const file = clone.read("Pulumi.staging.yaml");
    try {
      await clone.pulumi(["config", "set", "--path", "drydock:docker.host", docker.host, "-s", "staging"]);
      const says = new RegExp(`Docker 0 at ${docker.host} is too old: 20\\.10 or newer is needed`);
      const ours = await preview("staging");
      assert.equal(ours.code, 1, said(ours));
      assert.match(said(ours), says);
      assert.match(said(ours), /apt-get install --only-upgrade docker\.io/);
      assert.doesNotMatch(ours.stdout, /create/, "nothing was previewed");
      const plain = await clone.pulumi(["preview", "-s", "staging"]);
      assert.notEqual(plain.code, 0, said(plain));
      assert.match(said(plain), says);
      assert.doesNotMatch(plain.stdout, /Container .* create/);
      assert.doesNotMatch(said(plain), /\n\s+at .*\.ts:\d+/, "a stack trace");
    } finally {
      clone.edit("Pulumi.staging.yaml", () => file);
      docker.stop();
    }
  });

  const wrong: readonly (readonly [what: string, set: readonly string[], says: RegExp])[] = [
    [
      "a misspelt key",
      ["--path", "drydock:app.replica", "4"],
      /drydock:app\.replica.*is app\.replicas meant|is drydock:app\.replicas meant/,
    ],
    ["a word for a number", ["--path", "drydock:app.replicas", "three"], /drydock:app\.replicas.*"three"/],
    ["no replica", ["--path", "drydock:app.replicas", "0"], /drydock:app\.replicas/],
    ["SQLite", ["--path", "drydock:env.DB_CONNECTION", "sqlite"], /drydock:env\.DB_CONNECTION.*sqlite/],
    ["a database on the loopback", ["--path", "drydock:env.DB_HOST", "127.0.0.1"], /drydock:env\.DB_HOST/],
  ];
  for (const [what, set, says] of wrong) {
    it(`refuses ${what} with the place and the remedy`, async () => {
      const file = clone.read("Pulumi.staging.yaml");
      assert.equal((await clone.pulumi(["config", "set", ...set, "-s", "staging"])).code, 0);
      const result = await preview("staging");
      clone.edit("Pulumi.staging.yaml", () => file);
      assert.equal(result.code, 1);
      assert.match(said(result), says);
      assert.match(said(result), /pulumi config (set|rm)/);
      assert.doesNotMatch(said(result), /\n\s+at .*\.ts:\d+/, "a stack trace");
    });
  }

  it("says what to do about a wrong passphrase", async () => {
    const result = await clone.drydock(["preview", "-s", "staging"], {
      ...nowhere,
      PULUMI_CONFIG_PASSPHRASE: "not this one",
    });
    assert.equal(result.code, 1);
    assert.match(said(result), /passphrase/);
    assert.match(said(result), /PULUMI_CONFIG_PASSPHRASE_FILE/);
  });
});
