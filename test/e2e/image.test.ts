import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { imageTags } from "../../cli/setup/images.ts";

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
