import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, it } from "mocha";
import { imageTags } from "../../cli/setup/images.ts";
import { docker } from "../support/clone.ts";

/** What Octane needs of a container, without Octane itself. */
describe("a container of Octane's", function () {
  this.timeout(120_000);
  /** One part of it, where the application has this file among its own. */
  const cached = (part: string, file: string): unknown => {
    const script = [
      "cp -r /source/. .",
      "mkdir -p storage/framework storage/logs bootstrap/cache",
      `printf %s "$0" > config/${part}.php`,
      'php /drydock/cache.php "$PWD" >&2',
      `php -r 'echo json_encode((require "bootstrap/cache/config.php")["${part}"] ?? null);'`,
    ].join(" && ");
    const mounts = [
      "--volume",
      `${resolve("examples/laravel")}:/source:ro`,
      "--volume",
      `${resolve("runtime")}:/drydock:ro`,
    ];
    const args = ["run", "--rm", "--network", "none", ...mounts, imageTags().php, "sh", "-c", script, file];
    return JSON.parse(execFileSync("docker", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }));
  };

  it("has its note of processes, its uploads and its time to end from here, unless the application says", () => {
    // What the image's php.ini takes of a visitor.
    const options = { max_wait_time: 3600, package_max_length: 34 << 20 };
    assert.deepEqual(cached("octane", "<?php return ['server' => 'roadrunner'];"), {
      server: "roadrunner",
      state_file: "/var/www/html/storage/framework/octane-server-state.json",
      swoole: { options },
    });
    const own =
      "<?php return ['state_file' => '/tmp/octane.json', " +
      "'swoole' => ['mode' => 1, 'options' => ['max_wait_time' => 9]]];";
    assert.deepEqual(cached("octane", own), {
      state_file: "/tmp/octane.json",
      swoole: { mode: 1, options: { ...options, max_wait_time: 9 } },
    });
  });

  it("is told nothing where the application has no Octane", () => {
    assert.equal(cached("octane", "<?php return null;"), null);
  });

  /** Stops a container of Octane's in the midst of its work; what it said, and after how many seconds it was gone. */
  const stopped = async (server: string) => {
    const id = `drydock-octane-${randomBytes(4).toString("hex")}`;
    // As artisan does: at a signal it would be gone at once, and with it who reads what the server says.
    const artisan = `trap 'exit 1' TERM; sh -c "$SERVER" & wait $!`;
    docker(
      ...["run", "--detach", "--name", id, "--label", "drydock.test=octane", "--network", "none"],
      ...["--volume", `${resolve("runtime")}:/drydock:ro`, "--env", `SERVER=${server}`, "--env", `ARTISAN=${artisan}`],
      ...["--env", "DRYDOCK_PATH=/var/www/html", "--stop-signal", "SIGTERM", "--entrypoint", "/bin/sh"],
      ...[imageTags().php, "/drydock/start.sh", "sh", "-c", 'eval "$ARTISAN"', "octane:start"],
    );
    try {
      for (let left = 100; !docker("logs", id).includes("ready"); left--, await sleep(100)) assert.ok(left > 0);
      const began = Date.now();
      docker("stop", "--time", "15", id);
      return { said: docker("logs", id), seconds: (Date.now() - began) / 1000 };
    } finally {
      docker("rm", "--force", "--volumes", id);
    }
  };

  it("hands a signal to its server, and ends after it", async () => {
    const { said, seconds } = await stopped(
      "trap 'sleep 2; echo the last answer; exit 7' TERM; echo ready; while :; do sleep 0.1; done",
    );
    assert.match(said, /the last answer/);
    assert.ok(seconds < 12, String(seconds));
  });

  it("has Swoole's manager end its workers, and then ends the first process, which waits for a timer", async () => {
    const manager = "trap 'sleep 3; echo the last answer; exit' TERM; echo ready; while :; do sleep 0.1; done";
    const master = "pcntl_async_signals(true); pcntl_signal(SIGTERM, fn () => null); for (;;) usleep(100000);";
    const { said, seconds } = await stopped(`sh -c "${manager}" & exec php -r '/* swoole-server */ ${master}'`);
    assert.match(said, /the last answer/);
    assert.ok(seconds > 3 && seconds < 12, String(seconds));
  });

  it("ends with its exit code", () => {
    const args = ["--volume", `${resolve("runtime")}:/drydock:ro`, imageTags().php, "sh", "/drydock/octane.sh"];
    const { status } = spawnSync("docker", ["run", "--rm", "--network", "none", ...args, "sh", "-c", "exit 3"]);
    assert.equal(status, 3);
  });

  it("leaves the first process to an init of the image's own, which runs as no other", () => {
    const init = "printf '#!/bin/sh\\necho $$\\n' > /tmp/init && chmod +x /tmp/init && ln -s /tmp/init /init";
    const args = ["--user", "0:0", "--volume", `${resolve("runtime")}:/drydock:ro`, imageTags().php, "sh", "-c"];
    const start = "DRYDOCK_PATH=/var/www/html exec /bin/sh /drydock/start.sh";
    const script = `${init} && ${start} /init php artisan octane:start`;
    const said = execFileSync("docker", ["run", "--rm", "--network", "none", ...args, script], { encoding: "utf8" });
    assert.equal(said.trim(), "1");
  });
});
