import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { buildImage, whatIsMissing } from "../../../lib/build/build.ts";
import { basesOf, readContext } from "../../../lib/build/context.ts";
import { type BuildSpec, buildArguments, buildKitOnly } from "../../../lib/build/spec.ts";

const SPEC: BuildSpec = {
  image: "drydock/app:1",
  context: ".",
  dockerfile: "Dockerfile",
  args: {},
  cacheFrom: [],
  secrets: {},
  ssh: false,
};

describe("what an image is built from", () => {
  let folder: string;
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const hash = () => readContext(folder, "Dockerfile").hash;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-context-"));
    write("Dockerfile", "FROM scratch\n");
    write(".dockerignore", "Dockerfile\n.dockerignore\npgdata\n*.log\n");
    write("index.php", "1");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it(
    "is another one for each change of a file, the Dockerfile and the ignore file, " +
      "also where these leave themselves out",
    () => {
      const seen = [hash()];
      const change = (make: () => void) => {
        make();
        seen.push(hash());
      };
      change(() => write("index.php", "2"));
      change(() => chmodSync(join(folder, "index.php"), 0o755));
      change(() => write("Dockerfile", "FROM scratch\nENV A=1\n"));
      change(() => write(".dockerignore", "Dockerfile\n.dockerignore\npgdata\n"));
      change(() => symlinkSync("/nowhere", join(folder, "link")));
      assert.equal(new Set(seen).size, seen.length);
      write("Dockerfile.dockerignore", "*\n");
      const own = hash();
      write("index.php", "3");
      assert.equal(hash(), own, "the Dockerfile's own ignore file comes first");
    },
  );

  it("leaves out what the ignore file says, and takes in its exceptions", () => {
    write("a.log", "1");
    const before = hash();
    write("a.log", "2");
    assert.equal(hash(), before);
    write(".dockerignore", "*.log\n!a.log\n");
    const taken = hash();
    write("a.log", "3");
    assert.notEqual(hash(), taken);
  });

  it("names the file that can't be part of an image, and the line that leaves it out", () => {
    const refused = (name: string, why: RegExp) => {
      assert.throws(
        hash,
        (error: Error) =>
          why.test(error.message) &&
          error.message.includes(join(folder, name)) &&
          error.message.endsWith(`Leave it out with a line in ${join(folder, ".dockerignore")}: ${name}`),
      );
      rmSync(join(folder, name), { recursive: true });
    };
    execFileSync("mkfifo", [join(folder, "pipe")]);
    refused("pipe", /pipe is a named pipe, so no image/);
    execFileSync("python3", [
      "-c",
      "import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])",
      join(folder, "sock"),
    ]);
    refused("sock", /sock is a socket, so no image/);
  });

  it("names what this user can't read, and does not look into what is left out", function () {
    if (process.getuid!() !== 0) this.skip();
    mkdirSync(join(folder, "pgdata"), { mode: 0o700 });
    mkdirSync(join(folder, "private"), { mode: 0o700 });
    write("key", "1");
    chmodSync(join(folder, "key"), 0o600);
    chmodSync(folder, 0o755);
    const asNobody = (): Error | undefined => {
      process.seteuid!(65534);
      try {
        readContext(folder, "Dockerfile");
        return undefined;
      } catch (error) {
        return error as Error;
      } finally {
        process.seteuid!(0);
      }
    };
    assert.match(
      asNobody()?.message ?? "",
      new RegExp(
        String.raw`key can't be read \(EACCES\), so no image can be built with it\. Leave it out with a line ` +
          String.raw`in .*\.dockerignore: key$`,
      ),
    );
    rmSync(join(folder, "key"));
    assert.match(asNobody()?.message ?? "", /private can't be read \(EACCES\)/);
    rmSync(join(folder, "private"), { recursive: true });
    assert.equal(asNobody(), undefined);
    write(".dockerignore", "pgdata\n!kept.log\n");
    assert.equal(asNobody(), undefined, "with an exception, too");
  });

  it("warns of what is hardly meant: a history, packages, large files", () => {
    mkdirSync(join(folder, ".git"));
    write(".git/HEAD", "x");
    write(".git/config", "x");
    execFileSync("truncate", ["--size", "101M", join(folder, "dump.sql")]);
    assert.deepEqual(
      readContext(folder, "Dockerfile").warnings.map((line) => line.replaceAll(folder, "")),
      [
        "/.git is part of the build, and each preview reads it; a line in /.dockerignore leaves it out: .git",
        "/dump.sql has 101 MiB, which each preview reads; a line in /.dockerignore leaves it out: dump.sql",
      ],
    );
  });

  it("refuses a secret's file that the build would be sent", () => {
    write("auth.json", "{}");
    const read = () => readContext(folder, "Dockerfile", { composer: join(folder, "auth.json") });
    assert.throws(
      read,
      /drydock:app\.build\.secrets\.composer: the file is part of what the build is sent.*\.dockerignore: auth\.json$/s,
    );
    write(".dockerignore", "auth.json\n");
    read();
  });

  it("knows the images that a Dockerfile builds on and copies from", () => {
    const dockerfile = [
      "ARG BASE=debian:13",
      "ARG NODE",
      "FROM --platform=$BUILDPLATFORM node:${NODE:-24} AS assets",
      "RUN npm ci",
      "FROM assets AS more",
      "from ${BASE} as php",
      "COPY --from=assets /app /app",
      "COPY --chown=1:1 --from=composer:2 /usr/bin/composer /bin/",
      "FROM scratch",
      "COPY --from=0 / /",
      "RUN --mount=type=cache,target=/x --mount=type=bind,from=busybox:1,target=/b true",
    ].join("\n");
    assert.deepEqual(basesOf(dockerfile, {}), ["node:24", "debian:13", "composer:2", "busybox:1"]);
    assert.deepEqual(basesOf(dockerfile, { BASE: "drydock/php:1", NODE: "22" }).slice(0, 2), [
      "node:22",
      "drydock/php:1",
    ]);
  });
});

describe("a build", () => {
  it("has the words of docker for each setting, and only BuildKit's own with BuildKit", () => {
    const spec: BuildSpec = {
      ...SPEC,
      context: "shop",
      args: { A: "1 2" },
      target: "app",
      platform: "linux/arm64",
      cacheFrom: ["shop:cache"],
      cacheTo: "type=inline",
      secrets: { composer: { file: "auth.json" }, npm: { env: "NPM_TOKEN" } },
      ssh: true,
    };
    assert.deepEqual(buildArguments(spec, true), [
      "build",
      "--tag",
      "drydock/app:1",
      "--file",
      "shop/Dockerfile",
      "--load",
      "--progress",
      "plain",
      "--build-arg",
      "A=1 2",
      "--target",
      "app",
      "--platform",
      "linux/arm64",
      "--cache-from",
      "shop:cache",
      "--cache-to",
      "type=inline",
      "--secret",
      "id=composer,src=auth.json",
      "--secret",
      "id=npm,env=NPM_TOKEN",
      "--ssh",
      "default",
      "shop",
    ]);
    assert.deepEqual(buildKitOnly(spec), ["secrets.composer", "secrets.npm", "ssh", "cacheTo"]);
    assert.deepEqual(buildArguments({ ...SPEC, platform: "linux/amd64" }, false), [
      "build",
      "--tag",
      "drydock/app:1",
      "--file",
      "./Dockerfile",
      ".",
    ]);
  });

  it("says which secret is not there, and how to put it right", () => {
    const spec = { ...SPEC, secrets: { composer: { file: "no/auth.json" }, npm: { env: "NPM_TOKEN" } }, ssh: true };
    assert.deepEqual(whatIsMissing(spec, { env: {}, folder: "/tmp" }), [
      "drydock:app.build.secrets.composer: the file no/auth.json can't be read (ENOENT). Put it there, " +
        "or name another: " +
        "pulumi config set --plaintext --path drydock:app.build.secrets.composer.file FILE",
      "drydock:app.build.secrets.npm: the variable NPM_TOKEN is not set here. Set it for this command: " +
        "NPM_TOKEN=… ./drydock up",
      "drydock:app.build.ssh: no ssh agent answers here (SSH_AUTH_SOCK). Start one for this command: " +
        'ssh-agent sh -c "ssh-add && ./drydock up"',
    ]);
    assert.deepEqual(
      whatIsMissing(
        { ...spec, secrets: { npm: { env: "NPM_TOKEN" } } },
        { env: { NPM_TOKEN: "x", SSH_AUTH_SOCK: "/s" }, folder: "/tmp" },
      ),
      [],
    );
  });

  it("says that the classic builder can't do it, before anything is built", async () => {
    const bin = mkdtempSync(join(tmpdir(), "drydock-bin-"));
    try {
      writeFileSync(
        join(bin, "docker"),
        `#!/bin/sh\necho "$*" >> ${bin}/calls\ncase "$1" in build) echo "no space"; exit 1 ;; *) exit 1 ;; esac\n`,
        { mode: 0o755 },
      );
      const options = { env: { PATH: `${bin}:${process.env["PATH"]}`, TOKEN: "x" }, folder: bin };
      await assert.rejects(
        buildImage({ ...SPEC, secrets: { t: { env: "TOKEN" } } }, options),
        /^Error: drydock:app\.build\.secrets\.t: only BuildKit can do this/,
      );
      await assert.rejects(buildImage(SPEC, options), /building drydock\/app:1 from \. failed:\nno space/);
    } finally {
      rmSync(bin, { recursive: true });
    }
  });
});
