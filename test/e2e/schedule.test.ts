import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { imageTags } from "../../cli/setup/images.ts";
import { docker } from "../support/clone.ts";

/** How much faster the time of these containers goes. */
const SPEED = 8;
const ROOT = join(import.meta.dirname, "../..");

/** runtime/schedule.sh with an artisan, a clock and a sleep of the test's own, in containers as a release has them. */
describe("the scheduler", function () {
  this.timeout(180_000);
  let folder: string;
  let made: string[];
  const file = (name: string) => join(folder, name);
  const lines = (name: string) =>
    existsSync(file(name))
      ? readFileSync(file(name), "utf8")
          .split("\n")
          .filter((line) => line !== "")
      : [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-schedule-"));
    made = [];
    mkdirSync(file("bin"));
    mkdirSync(file("locks"));
    const script = (name: string, text: string) =>
      writeFileSync(file(`bin/${name}`), `#!/bin/sh\n${text}`, { mode: 0o755 });
    // All containers of a test have one clock, which begins at a full minute.
    script("date", `echo $((1800000000 + ($(/bin/date +%s%3N) - ${Date.now()}) * ${SPEED} / 1000))\n`);
    script("sleep", `exec /bin/sleep $(/usr/bin/awk "BEGIN { print $1 / ${SPEED} }")\n`);
    // As artisan: a task in the background is a shell that nobody waits for, which says in the end that it is over.
    script(
      "php",
      `
case "$2" in
  schedule:run)
    echo "$(($(date +%s) / 60 - 30000000))" >> /test/runs
    [ -e /test/task ] && mkdir /test/locks/task 2>/dev/null || exit 0
    if [ "$(cat /test/kind)" = background ]; then
      (sh /test/task; php artisan schedule:finish) > /dev/null 2>&1 &
    else sh /test/task; php artisan schedule:finish; fi ;;
  schedule:finish) rmdir /test/locks/task; echo finished >> /test/log ;;
  schedule:clear-cache) rmdir /test/locks/task 2>/dev/null && echo "Deleting mutex" | tee -a /test/log || : ;;
esac
`,
    );
  });
  afterEach(() => {
    if (made.length > 0) docker("rm", "--force", ...made);
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (stopTimeout = 70): string => {
    const id = docker(
      "run",
      "--detach",
      "--init",
      "--label",
      "drydock.test=schedule",
      "--mount",
      `type=bind,source=${folder},target=/test`,
      "--mount",
      `type=bind,source=${ROOT}/runtime/schedule.sh,target=/drydock/schedule.sh,readonly`,
      "--env",
      "PATH=/test/bin:/usr/bin:/bin",
      "--entrypoint",
      "/bin/sh",
      imageTags().base,
      "/drydock/schedule.sh",
      String(stopTimeout),
    );
    made.push(id);
    return id;
  };
  const second = () => Number(docker("exec", made.at(-1)!, "date", "+%s")) % 60;
  const untilSecond = async (from: number, to: number) => {
    for (let times = 0; times < 400; times++) {
      const now = second();
      if (now >= from && now < to) return;
      await pause(0.5);
    }
    assert.fail(`second ${from} has not come`);
  };
  /** In the containers' time. */
  const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, (seconds * 1000) / SPEED));
  const until = async (what: string, holds: () => boolean) => {
    for (let times = 0; times < 600; times++) {
      if (holds()) return;
      await pause(1);
    }
    assert.fail(`${what} did not come: ${readdirSync(folder).join(" ")} ${lines("log").join(" ")}`);
  };
  const stop = (id: string) => docker("stop", "--time", "60", id);
  const task = (kind: "background" | "foreground", text: string) => {
    writeFileSync(file("kind"), kind);
    writeFileSync(file("task"), text);
  };

  it("starts each minute once, and none is lost where one takes the place of another, whenever that is", async () => {
    let now = start();
    for (const [from, to] of [
      [10, 25],
      [40, 50],
      [54, 60],
    ] as const) {
      await until("a run", () => lines("runs").length > 0);
      await untilSecond(from, to);
      stop(now);
      now = start();
    }
    const seen = lines("runs").length;
    await until("two more", () => lines("runs").length >= seen + 2);
    const minutes = lines("runs").map(Number);
    assert.deepEqual(
      minutes,
      Array.from({ length: minutes.length }, (_, index) => minutes[0]! + index),
    );
  });

  for (const kind of ["background", "foreground"] as const) {
    it(`waits for a task in the ${kind}, which ends as it does without a release, and leaves no lock`, async () => {
      task(kind, "echo started >> /test/log; sleep 30; echo done >> /test/log; rm /test/task\n");
      const id = start();
      await until("the task", () => lines("log").includes("started"));
      stop(id);
      assert.deepEqual(lines("log"), ["started", "done", "finished"]);
      assert.deepEqual(readdirSync(file("locks")), []);
      assert.match(docker("inspect", "--format", "{{.State.ExitCode}}", id), /^0$/);
    });
  }

  it("ends a task that takes longer than it may, says so, and leaves no lock", async () => {
    task("background", "echo started >> /test/log; rm /test/task; sleep 600 && echo done >> /test/log\n");
    const id = start(25);
    await until("the task", () => lines("log").includes("started"));
    stop(id);
    assert.ok(!lines("log").includes("done"));
    assert.deepEqual(readdirSync(file("locks")), []);
    const { stderr } = spawnSync("docker", ["logs", id], { encoding: "utf8" });
    assert.match(
      stderr,
      new RegExp(
        String.raw`scheduler: a task still runs \d+ s after the end was asked for, and is ended now ` +
          String.raw`\(drydock:scheduler\.stopTimeout\)`,
      ),
    );
  });

  it("leaves no lock of a task that was killed with its container, as soon as the next one runs", async () => {
    task("background", "echo started >> /test/log; rm /test/task; sleep 600\n");
    const id = start();
    await until("the task", () => lines("log").includes("started"));
    docker("kill", id);
    assert.deepEqual(readdirSync(file("locks")), ["task"]);
    start();
    await until("the lock's end", () => readdirSync(file("locks")).length === 0);
    // It is said a moment after it is gone.
    await until("what is said of it", () => lines("log").includes("Deleting mutex"));
  });
});
