import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";

const IMAGE = "drydock/app:0123456789ab";

describe("the name of an image that was built once more", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-name-image-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /**
   * @param now the id that the name means; undefined where there is no such image
   * @param running "name id" of each container; one without them is gone before it is asked about
   */
  const run = (now: string | undefined, running: readonly string[]) => {
    const tagged = join(folder, "tagged");
    rmSync(tagged, { force: true });
    writeFileSync(join(folder, "running"), running.filter((one) => one !== "").map((one) => `${one}\n`).join(""));
    const docker = `#!/bin/sh
case "$1 $2" in
  'image inspect') ${now === undefined ? "echo 'Error: No such image' >&2; exit 1" : `echo ${now}`} ;;
  'ps --all') [ "$4 $5" = '--filter label=drydock.stack' ] || exit 9; seq ${running.length} ;;
  'container inspect') cat ${folder}/running; exit ${running.includes("") ? 1 : 0} ;;
  tag\\ *) echo "$2 $3" >> ${folder}/tagged ;;
  *) exit 9 ;;
esac
`;
    writeFileSync(join(folder, "docker"), docker, { mode: 0o755 });
    const { status, stdout, stderr } = spawnSync("sh", ["commands/name-image.sh"], {
      encoding: "utf8",
      env: { PATH: `${folder}:${process.env["PATH"]}`, IMAGE, BUILT: "sha256:built" },
    });
    const moved = existsSync(tagged) ? readFileSync(tagged, "utf8").trim() : "";
    return { status, said: (stdout + stderr).trim(), tagged: moved };
  };

  it("means what was built where nothing runs from it", () => {
    assert.deepEqual(run("sha256:new", []), { status: 0, said: `${IMAGE} is sha256:new`, tagged: "" });
    const others = ["drydock/app:other sha256:old", "mariadb:11 sha256:db"];
    assert.deepEqual(run("sha256:new", others), { status: 0, said: `${IMAGE} is sha256:new`, tagged: "" });
  });

  it("goes back to what containers run from, where a build has moved it", () => {
    assert.deepEqual(run("sha256:new", ["mariadb:11 sha256:db", `${IMAGE} sha256:old`, `${IMAGE} sha256:old`]), {
      status: 0,
      said: `${IMAGE} stays sha256:old, which containers run from`,
      tagged: `sha256:old ${IMAGE}`,
    });
  });

  it("stays where any container runs from what was built", () => {
    const both = [`${IMAGE} sha256:old`, `${IMAGE} sha256:new`];
    assert.deepEqual(run("sha256:new", both), { status: 0, said: `${IMAGE} is sha256:new`, tagged: "" });
  });

  it("is told by the containers that are left, where one goes meanwhile", () => {
    assert.equal(run("sha256:new", [`${IMAGE} sha256:old`, ""]).tagged, `sha256:old ${IMAGE}`);
    assert.deepEqual(run("sha256:new", [""]), { status: 0, said: `${IMAGE} is sha256:new`, tagged: "" });
  });

  it("is an error where the image has gone since it was built, with the command that builds it again", () => {
    const { status, said, tagged } = run(undefined, [`${IMAGE} sha256:old`]);
    assert.equal(status, 1);
    assert.match(said, /^image: drydock\/app:0123456789ab was built \(sha256:built\) and is not there any more\. /m);
    assert.match(said, /\.\/drydock up$/m);
    assert.equal(tagged, "");
  });
});
