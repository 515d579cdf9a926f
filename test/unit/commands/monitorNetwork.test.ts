import assert from "node:assert/strict";
import { ScriptRig } from "../../support/commands/scriptRig.ts";

describe("the network that is named for a Grafana of one's own", () => {
  const rig = new ScriptRig();
  const run = (network: string) => rig.run("monitor-network", { NETWORK: network });

  it("is one that the Docker host has", () => {
    rig.docker("echo bridge");
    assert.deepEqual(run("grafana"), { status: 0, stdout: "grafana (bridge)\n", stderr: "" });
    assert.match(rig.calls, /^network inspect -f \{\{\.Driver\}\} grafana$/m);
  });

  it("is refused before anything gives way where there is none, with the command that makes it", () => {
    rig.docker("echo 'Error response from daemon: network grafana not found' >&2; exit 1");
    const { status, stderr } = run("grafana");
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^monitor-network: drydock:monitoring\.network is grafana: [^]*docker network create grafana\nnothing was /,
    );
  });

  it("is none of Docker's own, in which nobody would find Prometheus", () => {
    rig.docker("echo bridge");
    for (const network of ["host", "none", "bridge"]) assert.equal(run(network).status, 1, network);
  });

  it("is said to be unknown where Docker does not answer", () => {
    rig.docker("echo 'Cannot connect to the Docker daemon' >&2; exit 1");
    assert.match(run("grafana").stderr, /Docker can't say whether there is one: Cannot connect/);
  });
});
