import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ScriptRig } from "../../support/commands/scriptRig.ts";

/** What would run in a container of the image runs here: it has the commands of this folder, and no others. */
describe("an image that is named for a part of monitoring", () => {
  const rig = new ScriptRig();
  const tools = (...names: string[]) => {
    for (const name of ["sh", ...names]) rig.program(`tools/${name}`, 'exec /bin/sh "$@"');
  };
  const docker = (more = "") =>
    rig.docker(`${more}
while [ "$1" != -euc ]; do shift; done
PATH=${rig.folder}/tools exec /bin/sh "$@"`);
  const run = (judge: string) =>
    rig.run("monitor-check", { IMAGE: "exporter:1", PART: "redis", RUN_AS: "7:8", LABELS: "--label a=b" }, judge);
  beforeEach(() => {
    mkdirSync(join(rig.folder, "tools"));
    docker();
  });

  it("takes the part where it has a shell and wget, and knows what it is told; its version is printed", () => {
    tools("wget");
    assert.deepEqual(run("echo exporter 1.2; echo go 1.26\n"), { status: 0, stdout: "exporter 1.2\n", stderr: "" });
    assert.match(
      rig.calls,
      /^run --rm .*--label a=b --cap-drop ALL .*--user 7:8 --network none .*--read-only .* exporter:1 -euc/,
    );
  });

  it("is refused without wget, or without any shell, with the variant that has them", () => {
    tools();
    const without = run("echo exporter 1.2\n");
    docker("echo 'exec: \"/bin/sh\": no such file or directory' >&2; exit 127");
    for (const { status, stderr } of [without, run("echo exporter 1.2\n")]) {
      assert.equal(status, 1);
      assert.match(stderr, /^monitor-check: exporter:1 can't take the part of drydock:monitoring\.images\.redis: /);
      assert.match(stderr, /no \/bin\/sh, or no wget[^]*-alpine[^]*\nnothing was changed/);
    }
  });

  it("is refused where it does not take what it would be told, in its own words", () => {
    tools("wget");
    const { status, stderr } = run(
      "{ echo 'flag provided but not defined: -x'; echo Usage; exit 2; } >&2\necho not reached\n",
    );
    assert.equal(status, 1);
    assert.match(
      stderr,
      /of a version that does not take what it would be told:\nflag provided but not defined: -x\nnothing was changed/,
    );
    assert.doesNotMatch(stderr, /not reached/);
  });

  it("says what Docker says where it can't be tried at all", () => {
    docker("echo 'docker: no space left on device' >&2; exit 125");
    const { status, stderr } = run("true\n");
    assert.equal(status, 1);
    assert.match(stderr, /it could not be tried:\ndocker: no space left on device\n/);
  });
});
