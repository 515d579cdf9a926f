import assert from "node:assert/strict";
import { ScriptRig } from "../../support/commands/scriptRig.ts";

/** Docker says what its containers find. */
describe("the group of Docker's socket", () => {
  const rig = new ScriptRig();
  const run = (stat: string, test: string) => {
    rig.docker(`case "$*" in *"entrypoint stat"*) ${stat} ;; *"entrypoint test"*) ${test} ;; esac`);
    return rig.run("socket-group", { IMAGE: "proxy:1", SOCKET: "/run/docker.sock", LABELS: "--label a=b" });
  };

  it("is printed where a container that is in it may use the socket", () => {
    assert.deepEqual(run("echo 105", ""), { status: 0, stdout: "105\n", stderr: "" });
    const [stat, test] = rig.calls.trimEnd().split("\n");
    assert.match(stat!, /--cap-drop ALL .*source=\/run\/docker\.sock,.*,readonly --entrypoint stat proxy:1 -c %g/);
    assert.match(test!, /--group-add 105 .*proxy:1 -w \/run\/docker\.sock$/);
  });

  it("is none where there is no socket", () => {
    const { status, stderr } = run("exit 125", "");
    assert.equal(status, 1);
    assert.match(stderr, /no socket at \/run\/docker\.sock: set drydock:monitoring\.socket/);
  });

  it("is not taken where it does not let containers use the socket: another engine's, for one without root", () => {
    const { status, stdout, stderr } = run("echo 65534", "exit 1");
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /\/run\/docker\.sock is another engine's[^]*set drydock:monitoring\.socket/);
  });
});
