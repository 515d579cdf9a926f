import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import type { Traffic } from "../../cli/up/traffic.ts";
import { Clone, docker, type Status } from "../support/clone.ts";

interface Check {
  readonly id: string;
  readonly verdict: string;
  readonly details: readonly string[];
  readonly remedies: readonly string[];
}
interface Finding {
  readonly kind: string;
  readonly name: string;
  readonly what: string;
  readonly remedy: string;
}

const seconds = (n: number) => new Promise((resolve) => setTimeout(resolve, n * 1000));

/** Both streams of a container's log. */
function logs(container: string): string {
  const { stdout, stderr } = spawnSync("docker", ["logs", container], { encoding: "utf8", maxBuffer: 64 << 20 });
  return stdout + stderr;
}

describe("operating a stack", function () {
  this.timeout(900_000);
  const clone = new Clone();
  let status: Status;
  const ok = async (...args: string[]) => {
    const result = await clone.drydock(args);
    assert.equal(result.code, 0, `./drydock ${args.join(" ")}\n${result.stdout}\n${result.stderr}`);
    return result.stdout;
  };
  const containers = (role: string) =>
    status.services.filter((service) => service.role === role).map(({ container }) => container);
  const first = (role: string): string => containers(role)[0] ?? assert.fail(`no ${role}`);
  const inProxy = (script: string) => docker("exec", first("proxy"), "sh", "-c", `cd /var/lib/drydock; ${script}`);
  const ask = (path = "/up", headers: Record<string, string> = {}) =>
    fetch(new URL(path, status.url), { redirect: "manual", headers: { Connection: "close", ...headers } });
  const doctor = async () => {
    const { code, stdout, stderr } = await clone.drydock(["doctor", "--json"]);
    assert.ok(stdout.startsWith("{"), stderr);
    return { code, checks: (JSON.parse(stdout) as { checks: Check[] }).checks };
  };
  const drift = async () => {
    const { code, stdout, stderr } = await clone.drydock(["drift", "--json"]);
    assert.ok(stdout.startsWith("{"), stderr);
    return { code, findings: (JSON.parse(stdout) as { findings: Finding[] }).findings };
  };

  before(async () => {
    await ok("preview");
    await clone.set("app.replicas", "2");
    await ok("up", "--json");
    status = await clone.status();
  });
  after(async () => {
    const strangers = docker("ps", "--all", "--quiet", "--filter", `label=drydock.test=${clone.dir}`);
    if (strangers !== "") docker("rm", "--force", ...strangers.split("\n"));
    await clone.remove();
  });

  it("is all fine where nothing is wrong", async () => {
    // The scheduler's first minute has to pass before anybody can say that it runs.
    for (const end = Date.now() + 120_000; Date.now() < end; await seconds(5)) {
      const { code, checks } = await doctor();
      if (checks.every(({ verdict }) => verdict === "fine")) {
        assert.equal(code, 0);
        return;
      }
      assert.deepEqual(
        checks.filter(({ verdict, id }) => verdict !== "fine" && id !== "schedule"),
        [],
      );
    }
    assert.fail("the schedule did not run within two minutes");
  });

  it("has not drifted where nothing was changed", async () =>
    assert.deepEqual(await drift(), { code: 0, findings: [] }));

  describe("maintenance mode", () => {
    it("closes the site, with a page, Retry-After and no way to keep it", async () => {
      await ok("maintenance", "on", "--message", "Back <soon>", "--retry-after", "77");
      for (const path of ["/", "/up", "/api/health", "/robots.txt", "/build/manifest.json"]) {
        const answer = await ask(path);
        assert.deepEqual(
          [
            answer.status,
            answer.headers.get("retry-after"),
            answer.headers.get("cache-control"),
            answer.headers.get("content-type"),
          ],
          [503, "77", "no-store", "text/html; charset=utf-8"],
          path,
        );
        assert.match(await answer.text(), /Back &lt;soon&gt;/);
      }
      assert.equal((await fetch(new URL("/api/rows", status.url), { method: "POST", body: "{}" })).status, 503);
    });

    it("keeps it closed when every replica has stopped, and can be switched on then too", async () => {
      docker("stop", "--time", "3", ...containers("app"));
      assert.match(await (await ask()).text(), /Back &lt;soon&gt;/);
      await ok("maintenance", "off");
      assert.ok([502, 504].includes((await ask()).status));
      await ok("maintenance", "on", "--message", "Without the application");
      assert.match(await (await ask()).text(), /Without the application/);
      docker("restart", first("proxy"));
      for (const end = Date.now() + 30_000; ; await seconds(1)) {
        const text = await ask().then(
          (answer) => answer.text(),
          () => "",
        );
        if (text.includes("Without the application")) break;
        assert.ok(Date.now() < end, "not in force again after the proxy's restart");
      }
      docker("start", ...containers("app"));
      await ok("maintenance", "status");
    });

    it("lets in an allowed address, and who has opened the secret one, which is shown once", async () => {
      const gateways = docker(
        "inspect",
        "--format",
        "{{range .NetworkSettings.Networks}}{{.Gateway}} {{end}}",
        first("proxy"),
      )
        .split(" ")
        .filter((address) => address !== "");
      assert.equal((await ask()).status, 503);
      await ok("maintenance", "on", ...gateways.flatMap((address) => ["--allow", `${address}/32`]));
      for (const end = Date.now() + 60_000; (await ask()).status !== 200; await seconds(1))
        assert.ok(Date.now() < end, "the allowed address is not let in");

      const { entry } = JSON.parse(await ok("maintenance", "on", "--no-allow", "--secret", "--json")) as {
        entry: string;
      };
      assert.equal((await ask()).status, 503);
      const welcome = await fetch(entry, { redirect: "manual" });
      assert.deepEqual([welcome.status, welcome.headers.get("location")], [302, "/"]);
      const cookie = welcome.headers.getSetCookie()[0]!.split(";")[0]!;
      assert.equal((await ask("/up", { Cookie: cookie })).status, 200);
      assert.equal((await ask("/up", { Cookie: `${cookie.slice(0, -1)}x` })).status, 503);

      const secret = new URL(entry).pathname.slice(1);
      const shown = [
        await ok("maintenance", "status"),
        await ok("maintenance", "status", "--json"),
        await ok("maintenance", "on", "--json"),
        logs(first("proxy")),
      ];
      for (const text of shown) assert.ok(!text.includes(secret), "the secret is shown again");
    });

    it("is saved and had back, secret and all", async () => {
      await ok("maintenance", "export", "saved.json");
      await ok("maintenance", "off");
      assert.equal((await ask()).status, 200);
      await ok("maintenance", "import", "saved.json");
      const { secret, on } = JSON.parse(await ok("maintenance", "status", "--json")) as {
        secret: boolean;
        on: boolean;
      };
      assert.deepEqual([on, secret, (await ask()).status], [true, true, 503]);
    });

    it("refuses what is malformed, and stays as it is", async () => {
      writeFileSync(join(clone.dir, "bad.html"), Buffer.from([0xff, 0xfe]));
      for (const args of [
        ["--allow", "10.0.0.0/99"],
        ["--retry-after", "soon"],
        ["--page", "bad.html"],
        ["--page", "nowhere.html"],
      ]) {
        assert.equal((await clone.drydock(["maintenance", "on", ...args])).code, 2, args.join(" "));
      }
      writeFileSync(join(clone.dir, "bad.json"), '{"on":true,"version":1,"allow":["} evil"]}');
      assert.equal((await clone.drydock(["maintenance", "import", "bad.json"])).code, 2);
      assert.equal((await ask()).status, 503);
    });

    it("stays over a release, whose checks get through, and counts no visitor's page as failed", async () => {
      await ok("maintenance", "on");
      clone.edit("examples/laravel/resources/views/home.blade.php", (text) =>
        text.replace("<h1>", '<h1 data-changed="yes">'),
      );
      const { release, changed, traffic } = JSON.parse(await ok("up", "--watch-traffic", "--json")) as {
        release: string;
        changed: boolean;
        traffic: Traffic;
      };
      assert.notEqual(release, status.release);
      assert.equal(changed, true);
      assert.deepEqual([traffic.reasons, traffic.maintenance], [{}, traffic.total]);
      assert.ok(traffic.total > 20);
      const [recorded] = JSON.parse(await ok("releases", "--json")) as { release: string; traffic: Traffic | null }[];
      assert.deepEqual([recorded?.release, recorded?.traffic?.total], [release, traffic.total]);
      status = await clone.status();
      assert.equal((await ask()).status, 503);
      await ok("maintenance", "status");
    });

    it("damaged by hand, is named, and stops neither a restart of the proxy nor a release", async () => {
      inProxy("echo 'nonsense {' >> maintenance/current/server.conf");
      const { code, stdout } = await clone.drydock(["maintenance", "status"]);
      assert.equal(code, 1);
      assert.match(stdout, /changed by hand: server\.conf/);
      docker("restart", first("proxy"));
      for (
        const end = Date.now() + 30_000;
        (await ask().then(
          ({ status: code }) => code,
          () => 0,
        )) !== 200;
        await seconds(1)
      )
        assert.ok(Date.now() < end, "the damaged file keeps the site down");
      assert.match(docker("exec", first("proxy"), "ls", "/var/lib/drydock/maintenance"), /damaged-/);

      await ok("maintenance", "on", "--message", "again");
      inProxy("echo 'nonsense {' >> maintenance/current/http.conf");
      await ok("up", "--replace", "app-1");
      status = await clone.status();
      assert.equal((await ask()).status, 200);
      const { checks } = await doctor();
      assert.match(
        checks.find(({ id }) => id === "maintenance-state")!.details.join("\n"),
        /was damaged and set aside/,
      );
      inProxy("rm -rf maintenance/damaged-*");
      await ok("maintenance", "off");
    });
  });

  it("names each thing that was broken by hand, with the command that fixes it", async () => {
    const [one, two] = containers("app") as [string, string];
    // Both replicas have the page's code in OPcache.
    for (let i = 0; i < 10; i++) await ask("/release");
    const redis = (...words: string[]) => docker("exec", first("redis"), "sh", "/run/drydock/redis-cli.sh", ...words);
    redis("config", "set", "appendonly", "no");
    redis("config", "set", "save", "");
    docker("exec", one, "chmod", "500", "/var/www/html/storage/framework/views");
    docker(
      "exec",
      two,
      "sh",
      "-c",
      'chmod 600 .env && text=$(sed \'s/^APP_KEY=.*/APP_KEY="base64:AAAA"/\' .env) && echo "$text" > .env',
    );
    docker("exec", two, "php", "artisan", "down");
    docker("exec", one, "sh", "-c", "echo '// by hand' >> app/Http/Controllers/PageController.php");
    docker("stop", "--time", "3", first("scheduler"));

    const { code, checks } = await doctor();
    assert.equal(code, 1);
    const seen = Object.fromEntries(
      checks
        .filter(({ verdict }) => verdict === "broken")
        .map(({ id, details, remedies }) => [id, `${details.join("\n")}\n${remedies.join("\n")}`]),
    );
    for (const [id, expected] of Object.entries({
      "env-plan": /has another .*APP_KEY[^]*--replace app-2/,
      "app-key": /app-2.* has no valid APP_KEY/,
      opcache: /app-1 \(PHP-FPM\) executes old code.*PageController/,
      storage: /app-1 .*can't write to storage\/framework\/views[^]*--replace app-1/,
      "config-cache": /app-2/,
      "maintenance-apart": /artisan down[^]*php artisan up/,
      "redis-persistence": /snapshots are off[^]*append-only file is off[^]*config set appendonly yes/,
      services: /scheduler is exited[^]*\.\/drydock up/,
      schedule: /no scheduler runs/,
    }))
      assert.match(seen[id] ?? `${id} is not broken`, expected);
    assert.ok(!("phpredis" in seen) && !("service-hosts" in seen));

    // A release would find the old code and throw it away.
    const proof = spawnSync("sh", ["commands/opcache.sh"], {
      cwd: clone.dir,
      encoding: "utf8",
      env: { ...process.env, REPLICA: two, FPM: `${one}:9000,${two}:9000` },
    });
    assert.deepEqual(
      [proof.status, proof.stdout.trim().split("\n").sort()],
      [0, [`${one}: OPcache is fresh`, `${two}: OPcache is fresh`].sort()],
      proof.stderr,
    );
    const opcache = (name: string) => {
      const { restarts, staleCount } = JSON.parse(
        docker("exec", two, "php", "-n", "/drydock/fcgi.php", `${name}:9000`, "/status", "/drydock/opcache.php"),
      ) as { restarts: number; staleCount: number };
      return [restarts, staleCount];
    };
    assert.deepEqual(
      [opcache(one), opcache(two)],
      [
        [1, 0],
        [0, 0],
      ],
    );

    // The remedies do what they promise.
    for (const remedy of checks.find(({ id }) => id === "redis-persistence")!.remedies)
      assert.equal(spawnSync("sh", ["-c", remedy]).status, 0, remedy);
    const { traffic } = JSON.parse(
      await ok(
        "up",
        "--refresh",
        "--replace",
        "app-1",
        "--replace",
        "app-2",
        "--watch-traffic",
        "--watch-path",
        "/robots.txt",
        "--json",
      ),
    ) as { traffic: Traffic };
    assert.deepEqual(traffic.reasons, {});
    assert.ok(traffic.total > 20);
    assert.equal(
      (JSON.parse(readFileSync(join(clone.dir, ".drydock", "traffic.json"), "utf8")) as { failed: number }).failed,
      0,
    );
    status = await clone.status();
    assert.deepEqual(
      (await doctor()).checks.filter(({ verdict }) => verdict === "broken"),
      [],
    );
  });

  it("gives new replicas in OPcache what those that serve have in theirs, before they get a visitor", async () => {
    const model = "/var/www/html/app/Models/Row.php";
    const has = (replica: string) =>
      (
        JSON.parse(
          docker(
            "exec",
            replica,
            "php",
            "-n",
            "/drydock/fcgi.php",
            "127.0.0.1:9000",
            "/scripts",
            "/drydock/opcache.php",
          ),
        ) as string[]
      ).includes(model);
    const write = (n: number) =>
      fetch(new URL("/api/rows", status.url), {
        method: "POST",
        headers: { "Content-Type": "application/json", Connection: "close" },
        body: JSON.stringify({ n }),
      });
    const old = containers("app");
    for (let n = 1; !old.every(has); n++) {
      assert.ok(n < 50, "the replicas take turns");
      assert.equal((await write(n)).status, 201);
    }
    await ok("up", "--refresh", "--replace", "app-1", "--replace", "app-2", "--json");
    status = await clone.status();
    // The release's own requests are of another page.
    assert.deepEqual(
      containers("app").map((replica) => [old.includes(replica), has(replica)]),
      [
        [false, true],
        [false, true],
      ],
    );
  });

  it("finds what was stopped, changed and added by hand, and the commands put it right", async () => {
    const [one] = containers("app") as [string];
    const network = Object.keys(
      (JSON.parse(docker("inspect", first("redis"))) as [{ NetworkSettings: { Networks: object } }])[0].NetworkSettings
        .Networks,
    )[0]!;
    const proxyImage = status.services.find(({ role }) => role === "proxy")!.image;
    const stranger = docker(
      "run",
      "--detach",
      "--label",
      `drydock.test=${clone.dir}`,
      "--name",
      `stranger-${process.pid}`,
      "--network",
      network,
      "--entrypoint",
      "sleep",
      proxyImage,
      "600",
    );
    docker("stop", "--time", "3", first("horizon"));
    docker("update", "--memory", "300m", "--memory-swap", "600m", one);

    const { code, findings } = await drift();
    assert.equal(code, 4);
    assert.deepEqual(findings.map(({ kind, name }) => `${kind} ${name}`).sort(), [
      "changed app-1",
      `foreign stranger-${process.pid}`,
      "stopped horizon",
    ]);
    assert.ok(findings.some(({ what }) => what === "memory is 300 MiB instead of 512"));
    const refresh = await clone.pulumi(["refresh", "--preview-only", "--diff"]);
    assert.equal(refresh.code, 0, refresh.stdout + refresh.stderr);
    assert.match(refresh.stdout, /memory *: 512 => 300/);
    assert.match(refresh.stdout, /- mustRun *: true|mustRun *: true => false/);
    assert.equal(
      docker("inspect", "--format", "{{.State.Status}}", first("horizon")),
      "exited",
      "looking changes nothing",
    );

    for (const remedy of findings.flatMap(({ remedy: text }) => text.split("\n").slice(0, 1))) {
      const [command, ...rest] = remedy.split(" ");
      if (command === "./drydock") await ok(...rest);
      else docker(...rest);
    }
    assert.throws(() => docker("inspect", stranger));
    assert.deepEqual(await drift(), { code: 0, findings: [] });
  });

  describe("one deployment at a time", () => {
    it("refuses a second one of this clone, and says who is at it", async () => {
      writeFileSync(
        join(clone.dir, ".drydock", "local.lock"),
        JSON.stringify({ pid: 4242, username: "ann", hostname: "another-machine", timestamp: "2026-01-31T10:00:00Z" }),
      );
      const { code, stderr } = await clone.drydock(["up"]);
      rmSync(join(clone.dir, ".drydock", "local.lock"));
      assert.equal(code, 3);
      assert.match(
        stderr,
        /stack local is being changed by ann@another-machine \(pid 4242, since 2026-01-31T10:00:00Z\)/,
      );
    });

    it(
      "refuses while another machine has the shared state's lock, before anything is changed, " +
        "and drift then claims nothing",
      async () => {
        const locks = join(clone.dir, ".drydock", "state", ".pulumi", "locks", "organization", "drydock", "local");
        mkdirSync(locks, { recursive: true });
        const lock = join(locks, "11111111-2222-3333-4444-555555555555.json");
        writeFileSync(
          lock,
          JSON.stringify({ pid: 4242, username: "bob", hostname: "third-machine", timestamp: "2026-01-31T10:00:00Z" }),
        );
        try {
          for (const verb of ["up", "drift"]) {
            const { code, stderr } = await clone.drydock([verb]);
            assert.equal(code, 3, verb);
            assert.match(stderr, /stack local is being changed by bob@third-machine[^]*pulumi cancel -s local/);
          }
          const direct = await clone.pulumi(["up", "--yes"]);
          assert.notEqual(direct.code, 0);
          assert.match(direct.stderr + direct.stdout, /locked by 1 lock/);
        } finally {
          rmSync(lock);
        }
      },
    );

    it("lets exactly one of two at once deploy, and names it to the other", async () => {
      const [a, b] = await Promise.all([
        clone.drydock(["up", "--replace", "horizon"]),
        seconds(1.5).then(() => clone.drydock(["up"])),
      ]);
      assert.deepEqual([a.code, b.code], [0, 3], a.stderr + b.stderr);
      assert.match(b.stderr, /stack local is being changed by .+@.+ \(pid \d+, since /);
    });
  });
});
