import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { resolve } from "node:path";
import { describe, it } from "mocha";
import { imageTags } from "../../cli/setup/images.ts";

describe("the configuration that a container caches", function () {
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

  it("has Octane note its processes in the container itself, unless the application says where", () => {
    assert.deepEqual(cached("octane", "<?php return ['server' => 'roadrunner'];"), {
      server: "roadrunner",
      state_file: "/var/www/html/storage/framework/octane-server-state.json",
    });
    const own = { state_file: "/tmp/octane.json" };
    assert.deepEqual(cached("octane", "<?php return ['state_file' => '/tmp/octane.json'];"), own);
  });

  it("has nothing of Octane where the application has none", () => {
    assert.equal(cached("octane", "<?php return null;"), null);
  });
});
