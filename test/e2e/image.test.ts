import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { after, afterEach, beforeEach, describe, it } from "mocha";
import { lookInto } from "../../cli/setup/applicationImage.ts";
import { imageTags } from "../../cli/setup/images.ts";
import { dockerFor } from "../../cli/shared/docker.ts";

describe("what an image lacks", function () {
  this.timeout(60_000);
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "drydock-image-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const put = (...files: readonly string[]) => {
    for (const file of files) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), "");
    }
  };
  /** What is said of an application in a folder, where the image works in another; of extensions nothing. */
  const said = (path: string, folder: string) => {
    const words = [join(root, path), "0", "0", "", folder === "" ? "" : join(root, folder)];
    const { status, stderr } = spawnSync(
      "docker",
      [
        ...["run", "--rm", "--network", "none", "--user", "0:0", "--volume", `${root}:${root}:ro`],
        ...["--volume", `${resolve("runtime")}:/drydock:ro`, "--entrypoint", "php", imageTags().php],
        ...["/drydock/image.php", ...words],
      ],
      { encoding: "utf8" },
    );
    assert.equal(status, 3, stderr);
    return stderr.split("\n").filter((line) => line.startsWith("image: ") && !line.includes("the extension"));
  };

  it("is the application, which may be where the image works", () => {
    put("app/artisan");
    assert.deepEqual(said("html", "app"), [
      `image: there is no application in ${root}/html; it is in ${root}/app, where the image says that it works ` +
        `(WORKDIR): pulumi config set --path drydock:app.path ${root}/app`,
    ]);
    for (const elsewhere of ["", "html", "none"])
      assert.deepEqual(said("html", elsewhere), [
        `image: there is no application in ${root}/html: drydock:app.path says where it is`,
      ]);
  });

  it("is what of it was left out", () => {
    put("html/artisan", "html/bootstrap/app.php");
    assert.deepEqual(said("html", "html"), [
      `image: of the application in ${root}/html these are missing: vendor/autoload.php, public/index.php ` +
        "(vendor/: composer install in the Dockerfile)",
    ]);
  });
});

describe("whom an image runs as, and where its application is", function () {
  this.timeout(120_000);
  const made: string[] = [];
  after(() => {
    for (const image of made) spawnSync("docker", ["rmi", "--force", image]);
  });

  const found = async (lines: readonly string[], path?: string) => {
    const image = `drydock/test-look:${made.length}-${process.pid}`;
    made.push(image);
    const dockerfile = [`FROM ${imageTags().php}`, "USER root", ...lines].join("\n");
    execFileSync("docker", ["build", "--quiet", "--network", "none", "--tag", image, "-"], {
      input: dockerfile,
      stdio: ["pipe", "ignore", "ignore"],
      env: { ...process.env, DOCKER_BUILDKIT: "0" },
    });
    const own = path === undefined ? {} : { path };
    return lookInto(dockerFor(process.env.DOCKER_HOST), image, {
      stack: "look",
      ...own,
      pull: true,
      log: () => undefined,
    });
  };
  const HTML = "/var/www/html";

  it("is its USER, by name or number", async () => {
    assert.deepEqual(await found(["RUN touch artisan", "USER laravel"]), { path: HTML, uid: 1000, gid: 1000 });
    assert.deepEqual(await found(["RUN mkdir /app && touch /app/artisan", "WORKDIR /app", "USER www-data"]), {
      ...{ path: "/app", uid: 33, gid: 33 },
    });
    assert.deepEqual(await found(["USER 1234:4321"]), { path: HTML, uid: 1234, gid: 4321 });
  });

  it("is who owns the application's files, where it starts as root", async () => {
    assert.deepEqual(await found(["RUN touch artisan && chown 82:82 artisan"]), { path: HTML, uid: 82, gid: 82 });
    assert.deepEqual(await found(["RUN touch artisan"]), { path: HTML, uid: 1000, gid: 1000 });
    assert.deepEqual(
      await found(["RUN mkdir /srv/shop && touch /srv/shop/artisan && chown 7 /srv/shop/*"], "/srv/shop"),
      {
        ...{ path: "/srv/shop", uid: 7, gid: 7 },
      },
    );
  });

  it("is not known where there is no such image", async () => {
    const docker = dockerFor(process.env.DOCKER_HOST);
    const said: string[] = [];
    const log = (line: string) => void said.push(line);
    for (const pull of [false, true])
      assert.equal(await lookInto(docker, "drydock.invalid/none:1", { stack: "look", pull, log }), undefined);
    assert.deepEqual(said, ["drydock.invalid/none:1: pulling it, to see whom it runs as"]);
  });
});
