import assert from "node:assert/strict";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { docker, RUN, Stack, shellImage } from "../../support/offline/engine.ts";

describe("offline docker.Image and docker.RemoteImage", function () {
  this.timeout(180_000);
  const name = `drydock/offline-built:${RUN}`;
  let base: string;
  let stack: Stack;
  const put = (path: string, text: string): void => writeFileSync(join(stack.folder, path), text);

  before(() => {
    base = shellImage();
  });
  beforeEach(async () => {
    stack = await Stack.create(`
      const image = new docker.Image("image", { imageName: "${name}", skipPush: true, build: { context: "app",
        args: { GREETING: "hello" }, platform: "linux/amd64", builderVersion: "BuilderV1" } });
      const same = new docker.RemoteImage("same", { name: "${base}", keepLocally: true });
      exports.id = image.repoDigest; exports.base = same.imageId;`);
    mkdirSync(join(stack.folder, "app", "private"), { recursive: true });
    put("app/Dockerfile", `FROM ${base}\nARG GREETING\nRUN echo $GREETING > /greeting\nCOPY . /app/\n`);
    put("app/.dockerignore", "private\n*.log\n!keep.log\n");
    put("app/run.sh", "#!/bin/sh\n");
    chmodSync(join(stack.folder, "app", "run.sh"), 0o755);
    for (const file of ["private/key", "noise.log", "keep.log"]) put(`app/${file}`, "1");
  });
  afterEach(async () => {
    await stack.remove();
    try {
      docker("rmi", "-f", name);
    } catch {
      /* it was never built */
    }
  });

  it("builds what .dockerignore leaves, and again only when that changes", async () => {
    const first = await stack.up();
    assert.equal(first.code, 0, first.output);
    const { id, base: baseId } = await stack.outputs();
    assert.equal(id, docker("inspect", "-f", "{{.Id}}", name));
    assert.equal(baseId, docker("inspect", "-f", "{{.Id}}", base));
    assert.equal(
      docker("run", "--rm", name, "sh", "-c", "cat /greeting; cd /app; find . -type f | sort; stat -c %a run.sh"),
      "hello\n./.dockerignore\n./Dockerfile\n./keep.log\n./run.sh\n755",
    );

    put("app/noise.log", "2");
    assert.match((await stack.preview()).output, /3 unchanged/);
    put("app/keep.log", "2");
    const second = await stack.up();
    assert.match(second.output, /1 updated/);
    assert.notEqual((await stack.outputs()).id, id);

    docker("rmi", "-f", name);
    // Like the official plugin, a refresh reads back what it was given: an image that was removed by hand is missed
    // only by the next build.
    const third = await stack.up("--refresh");
    assert.equal(third.code, 0, third.output);
    assert.equal(docker("images", "--quiet", name), "");
    put("app/keep.log", "3");
    const fourth = await stack.up();
    assert.equal(fourth.code, 0, fourth.output);
    assert.equal((await stack.outputs()).id, docker("inspect", "-f", "{{.Id}}", name));
  });

  it("says at which step a build failed, with its last lines", async () => {
    put("app/Dockerfile", `FROM ${base}\nRUN echo about to fail; exit 4\n`);
    const { code, output } = await stack.up();
    assert.notEqual(code, 0);
    assert.match(
      output,
      /could not be built, at Step 2\/2 : RUN echo about to fail; exit 4: .*returned a non-zero code: 4/,
    );
    assert.match(output, /\n\s+about to fail\n/);
  });

  it("says in the preview that the Dockerfile is missing", async () => {
    stack.program(
      `new docker.Image("image", { imageName: "${name}", skipPush: true, build: { context: "app", dockerfile: ` +
        '"nowhere/Dockerfile" } });',
    );
    const { code, output } = await stack.preview();
    assert.notEqual(code, 0);
    assert.match(output, /there is no file .*nowhere\/Dockerfile/);
  });
});
