import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { hear } from "../../../../cli/shared/child.ts";

const sh = (script: string) => spawn("sh", ["-c", script], { stdio: ["pipe", "pipe", "pipe"] });

describe("hearing a child out", () => {
  it("gives it its input, and answers with both streams and the code", async () => {
    assert.deepEqual(await hear(sh("cat; echo wrong >&2; exit 3"), { input: "grüße" }), {
      code: 3,
      stdout: "grüße",
      stderr: "wrong\n",
    });
  });
  it("says all of it as it comes", async () => {
    const chunks: string[] = [];
    await hear(sh("echo one; sleep 0.1; echo two >&2"), { on: (chunk) => chunks.push(String(chunk)) });
    assert.deepEqual(chunks, ["one\n", "two\n"]);
  });
  it("doesn't mind one that reads nothing of a long input", async () =>
    assert.equal((await hear(sh("exec <&-; exit 0"), { input: "x".repeat(1 << 20) })).code, 0));
  it("ends one that takes too long", async () =>
    assert.deepEqual(await hear(spawn("sleep", ["20"]), { timeout: 50 }), { code: 124, stdout: "", stderr: "" }));
  it("fails where it can't be started", () => assert.rejects(hear(spawn("/no/such/program")), /ENOENT/));
});
