import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { healthcheck } from "../../../servers/health.ts";

describe("a health check", () => {
  let folder: string;
  /**
   * Runs the check as Docker would, with its mark in a folder of the test's own and a `sleep` that only says how long.
   */
  const run = (test: readonly string[]) => {
    const [, file = "", ...args] = healthcheck({ test }, 60).tests;
    const { status } = spawnSync(
      file,
      args.map((arg) => arg.replaceAll("/dev/shm", folder)),
      { env: { ...process.env, PATH: `${folder}:${process.env["PATH"]}`, FOLDER: folder } },
    );
    const said = join(folder, "slept");
    const slept = existsSync(said) ? readFileSync(said, "utf8").trim().replace("\n", "+") : "";
    rmSync(said, { force: true });
    return { status, slept };
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-health-"));
    writeFileSync(join(folder, "sleep"), '#!/bin/sh\necho "$1" >> "$FOLDER/slept"\n', { mode: 0o755 });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("asks at once until it succeeds, and waits before it asks a healthy container again", () => {
    const ready = ["CMD", "test", "-e", join(folder, "ready")];
    assert.deepEqual(
      [run(ready), run(ready)],
      [
        { status: 1, slept: "0.75" },
        { status: 1, slept: "0.75" },
      ],
      "about once a second",
    );
    writeFileSync(join(folder, "ready"), "");
    assert.deepEqual(
      [run(ready), run(ready), run(ready)],
      [
        { status: 0, slept: "" },
        { status: 0, slept: "10" },
        { status: 0, slept: "10" },
      ],
    );
    rmSync(join(folder, "ready"));
    assert.deepEqual(
      [run(ready), run(ready)],
      [
        { status: 1, slept: "10+0.75" },
        { status: 1, slept: "0.75" },
      ],
      "one that fails is asked again soon",
    );
  });

  it("asks soon after one that was ended for its time: it has left no mark", () => {
    assert.equal(run(["CMD", "true"]).status, 0);
    assert.notEqual(run(["CMD-SHELL", "kill -9 $PPID"]).status, 0);
    assert.deepEqual(run(["CMD", "true"]), { status: 0, slept: "" });
  });

  it("takes words as they are, and a line for the shell", () => {
    assert.equal(run(["CMD", "test", "a  'b' $c", "=", "a  'b' $c"]).status, 0);
    assert.equal(run(["CMD-SHELL", 'said=$(echo PONG) && [ "$said" = PONG ]']).status, 0);
    assert.equal(run(["CMD-SHELL", "echo PONG | grep -q NO"]).status, 1);
  });

  it("works where the mark can't be written", () => {
    const [, file = "", ...args] = healthcheck({ test: ["CMD", "true"] }, 60).tests;
    assert.equal(
      spawnSync(
        file,
        args.map((arg) => arg.replaceAll("/dev/shm", "/nonexistent")),
      ).status,
      0,
    );
  });

  it("has time for the wait and for the question", () => {
    assert.deepEqual(
      { ...healthcheck({ test: ["CMD", "true"], timeout: 10 }, 90), tests: [] },
      { tests: [], interval: "250ms", timeout: "21s", startPeriod: "1m30s", retries: 5 },
    );
  });
});
