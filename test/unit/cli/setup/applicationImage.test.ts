import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { parse } from "yaml";
import { adoptImage } from "../../../../cli/setup/applicationImage.ts";
import type { Docker } from "../../../../cli/shared/docker.ts";
import { pathsOf } from "../../../../cli/shared/project.ts";
import type { Session } from "../../../../cli/shared/session.ts";

describe("what the image of a new stack's application says", () => {
  let root: string;
  let calls: string[];
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "drydock-adopt-"));
    mkdirSync(join(root, ".drydock"));
    calls = [];
  });
  afterEach(() => rmSync(root, { recursive: true }));

  /** An image that runs as www-data in /srv, and has an application there. */
  const docker: Docker = {
    env: {},
    run: async (args) => {
      calls.push(args.join(" "));
      const stdout = args[0] === "image" ? '{"User":"www-data","WorkingDir":"/srv"}' : "33\n33\n0 0\n/srv\n";
      return { code: 0, stdout, stderr: "", output: stdout };
    },
  };
  /** The file of the stack afterwards, and what was said. */
  const adopted = async (app: object, state?: string) => {
    const paths = pathsOf(root);
    writeFileSync(paths.stackFile("local"), JSON.stringify({ config: { "drydock:app": app } }));
    const folder = join(root, "state");
    if (state !== undefined) {
      mkdirSync(join(folder, ".pulumi/stacks/drydock"), { recursive: true });
      writeFileSync(join(folder, ".pulumi/stacks/drydock/local.json"), state);
    }
    const session = {
      ...{ paths, stack: "local", variables: {}, pulumi: undefined },
      env: { PULUMI_BACKEND_URL: `file://${folder}` },
    } as unknown as Session;
    const said: string[] = [];
    await adoptImage(session, docker, { pull: true, log: (line) => said.push(line) });
    return { app: parse(readFileSync(paths.stackFile("local"), "utf8")).config["drydock:app"], said };
  };

  it("becomes its settings, and is told", async () => {
    assert.deepEqual(await adopted({ image: "shop:1" }), {
      app: { image: "shop:1", path: "/srv", uid: 33, gid: 33 },
      said: ["Pulumi.local.yaml, as shop:1 says it: drydock:app.path /srv, drydock:app.uid 33, drydock:app.gid 33"],
    });
    assert.match(calls.at(-1) ?? "", /^run --rm .*--user www-data --network none --cap-drop ALL /);
  });

  it("is looked at before any container of the stack was made", async () => {
    assert.equal((await adopted({ image: "shop:1" }, '{"checkpoint":{"latest":null}}')).app.uid, 33);
    const deployed = '{"type": "docker:index/container:Container"}';
    assert.deepEqual((await adopted({ image: "shop:1" }, deployed)).app, { image: "shop:1" });
  });

  it("is not what the user has set, a group alone neither", async () => {
    assert.deepEqual((await adopted({ image: "shop:1", gid: 7 })).app, { image: "shop:1", gid: 7, path: "/srv" });
    assert.deepEqual((await adopted({ image: "shop:1", path: "/srv" })).app, {
      ...{ image: "shop:1", path: "/srv", uid: 33, gid: 33 },
    });
    calls = [];
    const whole = { image: "shop:1", path: "/srv", uid: 5 };
    assert.deepEqual((await adopted(whole)).app, whole);
    assert.deepEqual((await adopted({ build: { context: "." } })).app, { build: { context: "." } });
    assert.deepEqual(calls, []);
  });
});
