import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { Browser } from "../support/browser.ts";
import { Clone, docker, type Status } from "../support/clone.ts";
import { Load } from "../support/load.ts";

/** A cache that takes all that it may have, beside sessions and jobs. */
describe("a cache that is full", function () {
  this.timeout(600_000);
  const clone = new Clone();
  let status: Status;
  const of = (role: string) =>
    status.services.find((service) => service.role === role)?.container ?? assert.fail(`no ${role}`);
  const set = (path: string, value: string) => clone.set(path, value);
  const up = async () => {
    const { code, stdout, stderr } = await clone.drydock(["up"]);
    assert.equal(code, 0, stdout + stderr);
    status = await clone.status();
  };
  const redis = (role: string, ...words: string[]) =>
    docker("exec", of(role), "sh", "/run/drydock/redis-cli.sh", "--raw", ...words);
  const figure = (role: string, section: string, name: string) =>
    Number(new RegExp(`^${name}:(\\d+)`, "m").exec(redis(role, "info", section))?.[1] ?? assert.fail(`no ${name}`));
  /** Runs PHP in a replica, with the application's configuration as it is cached there. */
  const php = (code: string) =>
    execFileSync("docker", ["exec", "-i", of("app"), "php", "--"], {
      encoding: "utf8",
      input: `<?php require 'vendor/autoload.php'; $app = require 'bootstrap/app.php';
      $app->make(Illuminate\\Contracts\\Console\\Kernel::class)->bootstrap();
      use Illuminate\\Support\\Facades\\Cache; ${code}`,
    }).trim();

  before(async () => {
    await clone.drydock(["env"]);
    await clone.pulumi(["stack", "init", "local"]);
    await set("app.replicas", "2");
    // As a stack of an earlier version: one server for all.
    await set("redis.cache.enabled", "false");
    await up();
  });
  after(() => clone.remove());

  it("gets a server of its own without a failed request, and all sessions stay", async () => {
    assert.equal(
      status.services.some(({ role }) => role === "cache"),
      false,
    );
    php("Cache::put('before', 'here'); Cache::lock('held', 600)->get();");
    const visitor = new Browser(status.url);
    await visitor.json("/api/session", {});
    const load = new Load(status.url, { clients: 3, slowSeconds: 1 });
    await set("redis.cache.enabled", "true");
    await set("redis.cache.maxmemory", "16");
    await up();
    assert.deepEqual((await load.stop()).reasons, {});
    assert.deepEqual(await (await visitor.json("/api/session", {})).json(), { count: 2 });
    assert.deepEqual(
      [
        php("echo var_export(Cache::get('before'), true);"),
        php("echo var_export(Cache::lock('held', 600)->get(), true);"),
      ],
      ["NULL", "false"],
      "it begins empty, and what was locked is",
    );
  });

  it("costs entries of the cache, and no session, job or lock", async () => {
    const visitor = new Browser(status.url);
    assert.deepEqual(await (await visitor.json("/api/session", {})).json(), { count: 1 });
    const load = new Load(status.url, { clients: 3, slowSeconds: 1 });
    await visitor.json("/api/jobs", { id: "waiting", seconds: 5 });
    const kept = figure("redis", "memory", "used_memory");
    // Three times what fits, in large values and in small ones, with and without an end.
    php(
      "for ($i = 0; $i < 40; $i++) { Cache::put(\"large-$i\", str_repeat('x', 1 << 20), 3600); }" +
        "for ($i = 0; $i < 8000; $i++) { Cache::forever(\"small-$i\", str_repeat('y', 900)); }",
    );
    assert.ok(figure("cache", "stats", "evicted_keys") > 20, "nothing was dropped");
    assert.equal(figure("redis", "stats", "evicted_keys"), 0);
    assert.ok(figure("redis", "memory", "used_memory") - kept < 4 << 20, "the cache went to the server of sessions");
    assert.equal(php("Cache::put('now', 'works'); echo Cache::get('now');"), "works");
    assert.equal(php("echo var_export(Cache::lock('held', 600)->get(), true);"), "false");
    await visitor.json("/api/jobs", { id: "after", seconds: 0 });
    for (const job of ["waiting", "after"]) {
      for (let left = 40; ; left--, await sleep(500)) {
        const { runs } = (await (await visitor.get(`/api/jobs/${job}`)).json()) as { runs: number };
        if (runs === 1) break;
        assert.ok(left > 0, `job ${job} was not run once, but ${JSON.stringify(runs)}`);
      }
    }
    assert.deepEqual((await load.stop()).reasons, {});
    assert.deepEqual(await (await visitor.json("/api/session", {})).json(), { count: 2 });
  });

  it("is said of the server of sessions and jobs before that one is full", async () => {
    const asked = async () => JSON.parse((await clone.drydock(["status", "--json"])).stdout) as { alarms?: string[] };
    assert.equal((await asked()).alarms, undefined);
    const used = figure("redis", "memory", "used_memory");
    redis("redis", "config", "set", "maxmemory", String(Math.round(used / 0.85)));
    assert.match((await asked()).alarms?.[0] ?? "", /^Redis has used 8\d % of drydock:redis.maxmemory/);
    assert.match((await clone.drydock(["status"])).stdout, /^alarm +Redis has used/m);
    const { stdout } = await clone.drydock(["doctor", "--json"]);
    const check = (JSON.parse(stdout) as { checks: { id: string; verdict: string }[] }).checks.find(
      ({ id }) => id === "redis-memory",
    );
    assert.equal(check?.verdict, "broken");
    redis("redis", "config", "set", "maxmemory", "128mb");
  });
});
