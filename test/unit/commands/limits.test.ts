import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { ScriptRig } from "../../support/commands/scriptRig.ts";

/** The script against a docker of the test's own. */
describe("the limit of processes", () => {
  const rig = new ScriptRig();

  const run = (containers: string, docker = "") => {
    rig.docker(docker);
    const { status, stderr } = rig.run("limits", { CONTAINERS: containers, PROCESSES: "1024" });
    return { status, stderr, calls: rig.calls };
  };

  it("is told to Docker for all containers at once", () => {
    assert.deepEqual(run("app-1-0000001 app-2-0000002", "echo app-1-0000001"), {
      status: 0,
      stderr: "",
      calls: "update --pids-limit 1024 app-1-0000001 app-2-0000002\n",
    });
  });

  it("asks nothing where there is no container", () => {
    assert.deepEqual(run(""), { status: 0, stderr: "", calls: "" });
  });

  it("stops no release where Docker can't keep it, and says so", () => {
    const refused = run("app-1-0000001", "echo 'no cgroup' >&2; exit 1");
    assert.equal(refused.status, 0);
    assert.match(refused.stderr, /^limits: WARNING: the processes of app-1-0000001 could not be limited: no cgroup$/m);
    const discarded = run(
      "app-1-0000001",
      "echo app-1-0000001; echo 'Your kernel does not support PIDs limit capabilities' >&2",
    );
    assert.deepEqual(
      [discarded.status, discarded.stderr],
      [0, "limits: WARNING: Your kernel does not support PIDs limit capabilities\n"],
    );
  });
});

describe("a one-off container of a step", () => {
  it("is started in two places alone, without capabilities and core dumps, gaining no rights, and limited", () => {
    const starting = readdirSync("commands", { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".sh"))
      .map((name) => [name, readFileSync(join("commands", name), "utf8").replaceAll("\\\n", " ")] as const)
      .flatMap(([name, text]) =>
        text
          .split("\n")
          .filter((line) => !/^\s*#/.test(line) && /docker (run|create) /.test(line))
          .map((line) => [name, line] as const),
      );
    assert.deepEqual(starting.map(([name]) => name).toSorted(), ["functions/one-off.sh", "functions/throwaway.sh"]);
    for (const [name, line] of starting) assert.match(line, /\$CONFINED .*--memory/, name);
    const confined = /^CONFINED="(.*)"$/m.exec(readFileSync("commands/functions/throwaway.sh", "utf8"))?.[1] ?? "";
    for (const flag of ["--cap-drop ALL", "--security-opt no-new-privileges", "--ulimit core=0", "--pids-limit"])
      assert.ok(confined.includes(flag), flag);
  });
});
