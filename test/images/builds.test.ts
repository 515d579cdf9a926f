import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "mocha";
import { Clone, docker, type Status } from "../support/clone.ts";
import { Load } from "../support/load.ts";
import { type Registry, startRegistry } from "../support/registry.ts";

/** Images that are built, pushed and released by their digest. */
describe("builds and a registry", function () {
  this.timeout(900_000);
  const clone = new Clone();
  const secret = randomBytes(24).toString("hex");
  let registry: Registry;
  let status: Status;
  const set = async (path: string, value?: string) => {
    const { code, stderr } = await clone.pulumi([
      "config",
      ...(value === undefined ? ["rm", "--path", path] : ["set", "--plaintext", "--path", path, value]),
    ]);
    assert.equal(code, 0, stderr);
  };
  const up = async (more: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await clone.drydock(["up"], { DOCKER_CONFIG: registry.config, ...more });
    status = code === 0 ? await clone.status() : status;
    return { code, said: stdout + stderr };
  };
  const images = () => [...new Set(status.services.filter(({ role }) => role === "app").map(({ image }) => image))];
  const inReplica = (...command: string[]) =>
    docker("exec", status.services.find(({ role }) => role === "app")!.container, ...command);

  before(async () => {
    registry = await startRegistry();
    assert.equal((await up()).code, 0);
    await set("drydock:app.replicas", "2");
  });
  after(async () => {
    await clone.remove();
    registry?.remove();
  });

  it("mounts a secret where BuildKit is there, says so where it isn't, and keeps it nowhere", async () => {
    clone.edit(
      "examples/laravel/Dockerfile",
      (text) =>
        `${text}\nRUN --mount=type=secret,id=composer,mode=0444 sha256sum < /run/secrets/composer > ` +
        "/var/www/html/hash\n",
    );
    await set("drydock:app.build.secrets.composer.env", "COMPOSER_AUTH");
    const none = await up();
    assert.equal(none.code, 1);
    assert.match(none.said, /drydock:app\.build\.secrets\.composer: the variable COMPOSER_AUTH is not set here/);
    const classic = await up({ COMPOSER_AUTH: secret, DOCKER_CONFIG: "/nonexistent" });
    assert.equal(classic.code, 1);
    assert.match(classic.said, /drydock:app\.build\.secrets\.composer: only BuildKit can do this/);
    const load = new Load(status.url, { clients: 2, slowSeconds: 1 });
    const built = await up({ COMPOSER_AUTH: secret });
    assert.equal(built.code, 0, built.said);
    assert.deepEqual((await load.stop()).reasons, {});
    const hash = execFileSync("sha256sum", { input: secret, encoding: "utf8" });
    assert.equal(inReplica("cat", "/var/www/html/hash"), hash.trimEnd());
    const [image = ""] = images();
    assert.ok(!docker("history", "--no-trunc", image).includes(secret) && !docker("inspect", image).includes(secret));
    const { code } = await clone.run("grep", [
      "--recursive",
      "--quiet",
      "--fixed-strings",
      "--exclude-dir=node_modules",
      secret,
      ".",
    ]);
    assert.equal(code, 1, "neither in the state nor anywhere else");
    const again = await up();
    assert.equal(again.code, 0, "what is built already needs no secret");
    assert.deepEqual(images(), [image]);
  });

  it("names the image anew where its base was built anew", async () => {
    const base = `drydock/test-base:${clone.dir.slice(-6).toLowerCase()}`;
    const build = (line: string) =>
      execFileSync("docker", ["build", "--tag", base, "-"], {
        input: `FROM ${given}\n${line}\n`,
        env: { ...process.env, DOCKER_BUILDKIT: "0" },
        stdio: ["pipe", "ignore", "ignore"],
      });
    const name = async () => {
      const { code, stdout, stderr } = await clone.drydock(["image", "build", "app", "--json"], {
        DOCKER_CONFIG: registry.config,
        COMPOSER_AUTH: secret,
      });
      assert.equal(code, 0, stderr);
      return (JSON.parse(stdout) as { images: { image: string }[] }).images[0]!.image;
    };
    const given = (await clone.pulumi(["config", "get", "--path", "drydock:app.build.args.BASE"])).stdout.trim();
    try {
      build("LABEL version=1");
      await set("drydock:app.build.args.BASE", base);
      const first = await name();
      assert.equal(await name(), first);
      build("LABEL version=2");
      assert.notEqual(await name(), first);
    } finally {
      await set("drydock:app.build.args.BASE", given);
      docker("image", "rm", "--force", base);
    }
  });

  it("pushes the images, and a stack that names them by digest pulls and runs them", async () => {
    clone.edit("examples/laravel/public/robots.txt", (text) => `${text}# of the registry\n`);
    const prefix = `${registry.address}/team`;
    const { code, stdout, stderr } = await clone.drydock(
      ["image", "push", "app", "backup", "--registry", prefix, "--tag", "1.4", "--json"],
      { DOCKER_CONFIG: registry.config, COMPOSER_AUTH: secret },
    );
    assert.equal(code, 0, stderr);
    const made = (JSON.parse(stdout) as { images: { name: string; image: string; digest: string; setting: string }[] })
      .images;
    assert.deepEqual(
      made.map(({ name, setting }) => [name, setting]),
      [
        ["app", "drydock:app.image"],
        ["backup", "drydock:backup.image"],
      ],
    );
    assert.equal(made[0]!.image, `${prefix}/app:1.4`);
    for (const { digest } of made) assert.match(digest, /@sha256:[0-9a-f]{64}$/);
    // Nothing of it is here any more, but what the registry has.
    docker("image", "rm", "--force", docker("image", "inspect", "--format", "{{.Id}}", made[0]!.image));
    await set("drydock:app.build");
    for (const { setting, digest } of made) await set(setting, digest);
    const load = new Load(status.url, { clients: 2, slowSeconds: 1 });
    const pulled = await up();
    assert.equal(pulled.code, 0, pulled.said);
    assert.deepEqual((await load.stop()).reasons, {});
    assert.deepEqual(images(), [made[0]!.digest]);
    assert.match(inReplica("cat", "public/robots.txt"), /# of the registry/);
    const wrong = await clone.drydock(["image", "push", "backup", "--registry", "127.0.0.1:1/team"]);
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /docker push of 127\.0\.0\.1:1\/team\/backup:\S+ failed/);
  });

  it("takes a tag that was built anew on this host for a new release", async () => {
    const tag = `drydock/test-tag:${clone.dir.slice(-6).toLowerCase()}`;
    const [base = ""] = images();
    const build = (line: string) =>
      execFileSync("docker", ["build", "--tag", tag, "-"], {
        input: `FROM ${base}\n${line}\n`,
        env: { ...process.env, DOCKER_BUILDKIT: "0" },
        stdio: ["pipe", "ignore", "ignore"],
      });
    try {
      build("LABEL version=1");
      await set("drydock:app.image", tag);
      assert.equal((await up()).code, 0);
      const first = status.release;
      assert.match((await up()).said, /Nothing to change/);
      build("LABEL version=2");
      assert.equal((await up()).code, 0);
      assert.notEqual(status.release, first);
      const { Image } = JSON.parse(docker("inspect", status.services.find(({ role }) => role === "app")!.container))[0];
      assert.equal(docker("image", "inspect", "--format", "{{.Config.Labels.version}}", Image), "2");
    } finally {
      docker("image", "rm", "--force", tag);
    }
  });
});
