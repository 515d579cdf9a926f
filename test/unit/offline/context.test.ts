import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { digestOf, filesOf, ignoring } from "../../../offline/docker/context.ts";

describe("offline/docker/context", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-context-"));
    mkdirSync(join(folder, "a"));
    for (const [path, text] of Object.entries({ Dockerfile: "FROM scratch\n", "a/one": "1", "a-b": "2", "z.log": "3" }))
      writeFileSync(join(folder, path), text, { mode: 0o644 });
    chmodSync(join(folder, "a/one"), 0o755);
    writeFileSync(join(folder, ".dockerignore"), "*.log\n");
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const dockerfile = () => join(folder, "Dockerfile");

  it(
    "names a context as the official plugin does: each file with its path, permissions and content, " +
      "folder by folder",
    () => {
      const expected = createHash("sha256");
      const file = (name: string, mode: string, content: string) =>
        expected.update(`${name}${mode}`).update(createHash("sha256").update(content).digest()).update("\0");
      file("Dockerfile", "----------", "FROM scratch\n");
      file(".dockerignore", "-rw-r--r--", "*.log\n");
      file("Dockerfile", "-rw-r--r--", "FROM scratch\n");
      file("a/one", "-rwxr-xr-x", "1");
      file("a-b", "-rw-r--r--", "2");
      assert.equal(digestOf(folder, dockerfile()), expected.digest("hex"));
    },
  );

  it("leaves out what the Dockerfile's own ignore file says, where there is one", () => {
    writeFileSync(`${dockerfile()}.dockerignore`, "a\n");
    assert.deepEqual(
      [...filesOf(folder, ignoring(folder, dockerfile()))],
      [".dockerignore", "Dockerfile", "Dockerfile.dockerignore", "a-b", "z.log"],
    );
  });

  it("takes a link for where it leads, and refuses one that leads nowhere, as the official plugin does", () => {
    const before = digestOf(folder, dockerfile());
    symlinkSync("a/one", join(folder, "link"));
    const here = relative(process.cwd(), folder);
    assert.notEqual(digestOf(here, join(here, "Dockerfile")), before);
    symlinkSync("nowhere", join(folder, "broken"));
    assert.throws(() => digestOf(here, join(here, "Dockerfile")), /could not evaluate symlink at .*broken/);
  });
});
