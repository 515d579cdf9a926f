import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { ScriptRig } from "../../support/commands/scriptRig.ts";

describe("the proof that containers are healthy", () => {
  const rig = new ScriptRig();

  /** Asks of two containers; `docker` answers the first text the first time, and so on, the last one for ever. */
  const ask = (...answers: string[]) => {
    answers.forEach((answer, index) => rig.write(`answer-${index + 1}`, answer));
    const { folder } = rig;
    rig.docker(
      `n=$(grep -c . ${folder}/calls)\n[ -e ${folder}/answer-$n ] || n=${answers.length}\ncat ${folder}/answer-$n`,
    );
    rig.program("sleep", "");
    const { status, stderr } = rig.shell([
      "-euc",
      ". commands/functions/healthy.sh; healthy app-1-0000001 worker-mail-2-0000002",
    ]);
    return { status, stderr, calls: rig.calls.trim().split("\n") };
  };

  it("asks once where all are", () => {
    const { status, stderr, calls } = ask("/app-1-0000001 healthy\n/worker-mail-2-0000002 healthy\n");
    assert.deepEqual([status, stderr, calls.length], [0, "", 1]);
    assert.match(calls[0]!, /^container inspect -f .* app-1-0000001 worker-mail-2-0000002$/);
  });

  it("waits for one that is just starting", () => {
    const starting = "/app-1-0000001 starting\n/worker-mail-2-0000002 healthy\n";
    assert.deepEqual(
      ask(starting, starting, "/app-1-0000001 healthy\n/worker-mail-2-0000002 healthy\n").calls.length,
      3,
    );
  });

  it("names those that are not, with the command that makes them anew", () => {
    const { status, stderr, calls } = ask("/app-1-0000001 unhealthy\n/worker-mail-2-0000002 exited\n");
    assert.deepEqual([status, calls.length], [1, 1]);
    assert.match(stderr, /^container app-1-0000001 is not healthy \(unhealthy\): .*\.\/drydock up --replace app-1$/m);
    assert.match(stderr, /^container worker-mail-2-0000002 is not healthy \(exited\): .*--replace worker-mail-2$/m);
    assert.equal(ask("/app-1-0000001 starting\n/worker-mail-2-0000002 unhealthy\n").status, 1, "not for ever");
  });
});
