import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "mocha";
import { Browser } from "../support/browser.ts";
import { Clone, docker, type Status } from "../support/clone.ts";
import { Load } from "../support/load.ts";

const seconds = (n: number) => new Promise((resolve) => setTimeout(resolve, n * 1000));

async function eventually<T>(limit: number, what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + limit * 1000; Date.now() < end; await seconds(1)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
  }
  return assert.fail(`${what}: not within ${limit} s`);
}

const containersOf = (status: Status, ...roles: string[]) =>
  status.services.filter(({ role }) => roles.includes(role)).map(({ container }) => container);
const laravel = ["app", "horizon", "scheduler"];

describe("a real Laravel application on the local stack", function () {
  this.timeout(600_000);
  const clone = new Clone();
  let status: Status;
  let site: Browser;
  const ok = async (args: string[]) => {
    const result = await clone.drydock(args);
    assert.equal(result.code, 0, `./drydock ${args.join(" ")}\n${result.stdout}\n${result.stderr}`);
    return result.stdout;
  };

  before(async () => {
    const printed = await ok(["up"]);
    status = await clone.status();
    site = new Browser(status.url);
    assert.ok(printed.includes(status.url), "the URL is printed");
  });
  after(() => clone.remove());

  it("is healthy in every service", () => {
    assert.deepEqual(status.services.map(({ name, role, state, health }) => [name, role, state, health]).sort(), [
      ["app-1", "app", "running", "healthy"],
      ["app-2", "app", "running", "healthy"],
      ["app-3", "app", "running", "healthy"],
      ["backup-agent", "backup", "running", "healthy"],
      ["backup-restore", "restore", "running", "healthy"],
      ["database", "database", "running", "healthy"],
      ["horizon", "horizon", "running", "healthy"],
      ["proxy", "proxy", "running", "healthy"],
      ["redis", "redis", "running", "healthy"],
      ["redis-cache", "cache", "running", "healthy"],
      ["scheduler", "scheduler", "running", "healthy"],
    ]);
  });

  it("changes nothing when it is run again, and says so", async () => {
    assert.match(await ok(["up"]), /nothing/i);
    assert.deepEqual(await clone.status(), status);
  });

  it("serves the page, its hashed assets from nginx, and the security headers", async () => {
    const page = await site.get("/");
    const html = await page.text();
    assert.equal(page.status, 200);
    assert.equal(page.headers.get("x-content-type-options"), "nosniff");
    const asset = /\/build\/assets\/[^"]+\.css/.exec(html)?.[0] ?? assert.fail("no hashed asset in the page");
    const css = await site.get(asset);
    assert.equal(css.status, 200);
    assert.match(css.headers.get("content-type") ?? "", /^text\/css/);
    assert.ok(css.headers.get("expires"), "hashed files may be kept by the browser");
    assert.equal((await site.get("/index.php")).status < 500, true);
    assert.equal((await site.get("/.env")).status, 404);
  });

  it("asks its database and Redis, and knows its release", async () => {
    assert.equal((await site.get("/api/health")).status, 200);
    assert.equal((await (await site.get("/release")).text()).trim(), status.release);
  });

  it("commits rows", async () => {
    const count = async () => ((await (await site.get("/api/rows/count")).json()) as { count: number }).count;
    const before = await count();
    for (let i = 0; i < 5; i++) assert.equal((await site.json("/api/rows", { n: 1 })).status, 201);
    assert.equal(await count(), before + 5);
  });

  it("keeps a session across replicas", async () => {
    const visitor = new Browser(status.url);
    for (let n = 1; n <= 6; n++) assert.deepEqual(await (await visitor.json("/api/session", {})).json(), { count: n });
  });

  it("takes a form with its CSRF token, and none without", async () => {
    const visitor = new Browser(status.url);
    const token =
      /name="_token" value="([^"]+)"/.exec(await (await visitor.get("/form")).text())?.[1] ?? assert.fail("no token");
    const send = (fields: Record<string, string>) =>
      visitor.request("/form", { method: "POST", body: new URLSearchParams(fields) });
    assert.equal((await send({ note: "hello" })).status, 419);
    assert.equal((await send({ note: "hello", _token: token })).status, 302);
    assert.match(await (await visitor.get("/form")).text(), /<li>hello<\/li>/);
  });

  it("stores an upload where every replica and nginx find it", async () => {
    const visitor = new Browser(status.url);
    const token = /name="_token" value="([^"]+)"/.exec(await (await visitor.get("/form")).text())![1]!;
    const body = new FormData();
    body.set("_token", token);
    body.set("file", new Blob(["what was uploaded"]), "note.txt");
    assert.equal((await visitor.request("/files", { method: "POST", body })).status, 302);
    for (let i = 0; i < 6; i++) assert.equal(await (await visitor.get("/files/note.txt")).text(), "what was uploaded");
    assert.equal(await (await visitor.get("/storage/uploads/note.txt")).text(), "what was uploaded");
  });

  it("works off a job, once, in horizon", async () => {
    assert.equal((await site.json("/api/jobs", { id: "e2e", seconds: 1 })).status, 202);
    const runs = await eventually(30, "the job", async () => {
      const { runs } = (await (await site.get("/api/jobs/e2e")).json()) as { runs: number };
      return runs > 0 ? runs : undefined;
    });
    assert.equal(runs, 1);
  });

  it("runs the schedule once a minute", async () => {
    await eventually(90, "the schedule's trace", async () =>
      ((await (await site.get("/api/schedule")).json()) as { count: number }).count > 0 ? true : undefined,
    );
    assert.equal(((await (await site.get("/api/schedule")).json()) as { doubled: number }).doubled, 0);
  });

  it("shows a secret neither to docker inspect, nor in a process list, the state or an output", async () => {
    const local = await clone.pulumi(["config", "--show-secrets", "--json"]);
    const { APP_KEY, DB_PASSWORD, REDIS_PASSWORD } = JSON.parse(
      (JSON.parse(local.stdout) as any)["drydock:env"].value,
    ) as Record<string, string>;
    const containers = status.services.map(({ container }) => container);
    const seen: Record<string, string> = {
      inspect: docker("inspect", ...containers),
      processes: containers.map((name) => docker("top", name, "-eo", "pid,args")).join("\n"),
      logs: containers.map((name) => docker("logs", "--tail", "1000", name)).join("\n"),
      state: (await clone.pulumi(["stack", "export"])).stdout,
      outputs: (await clone.pulumi(["stack", "output", "--json"])).stdout,
    };
    for (const [where, text] of Object.entries(seen)) {
      assert.ok(text.length > 0, where);
      for (const secret of [APP_KEY, DB_PASSWORD, REDIS_PASSWORD])
        assert.ok(!text.includes(secret!), `${where} shows a secret`);
    }
  });

  it("runs every container without root, capabilities or unlimited memory", () => {
    for (const { container } of status.services) {
      const { Config, HostConfig } = JSON.parse(docker("inspect", container))[0];
      assert.match(Config.User, /^[1-9][0-9]*:[1-9][0-9]*$/, container);
      assert.deepEqual([HostConfig.CapDrop, HostConfig.CapAdd], [["ALL"], null], container);
      assert.ok(
        HostConfig.SecurityOpt.includes("no-new-privileges:true") && HostConfig.Memory > 0 && HostConfig.NanoCpus > 0,
        container,
      );
      assert.equal(Config.Labels["drydock.stack"], "local");
    }
  });

  it("lets nobody change Drydock's own files in a container, not even root there", () => {
    const [replica] = containersOf(status, "app");
    const owners = docker("exec", replica!, "sh", "-c", "stat -c %u:%a /drydock/* /run/drydock/fpm.conf | sort -u");
    assert.equal(owners.trim(), "0:444\n0:555");
    for (const user of ["1000", "0"]) {
      const said = docker("exec", "--user", user, replica!, "sh", "-c", "echo x > /drydock/ready.php || echo refused");
      assert.match(said, /refused/, `user ${user}`);
    }
  });

  it("has PHP-FPM on the network of the proxy alone", () => {
    const [one, other] = containersOf(status, "app") as [string, string];
    const networks = JSON.parse(docker("inspect", one))[0].NetworkSettings.Networks as Record<string, unknown>;
    const reaches = (kind: string) =>
      docker(
        "exec",
        other,
        "php",
        "-n",
        "-r",
        "echo @stream_socket_client($argv[1], $code, $why, 2) ? 'open' : 'closed';",
        "--",
        `tcp://${one}.${Object.keys(networks).find((name) => name.includes(`-${kind}-`))}:9000`,
      );
    assert.deepEqual([reaches("app"), reaches("data")], ["open", "closed"]);
  });

  it("answers artisan in a running replica and hands its exit code on", async () => {
    assert.match(await ok(["artisan", "--", "migrate:status"]), /create_rows_table/);
    assert.notEqual((await clone.drydock(["artisan", "--", "no:such"])).code, 0);
    const horizon = status.services.find(({ role }) => role === "horizon")!.container;
    const there = `in ${docker("exec", horizon, "hostname").trim()}\n`;
    assert.ok((await ok(["artisan", "--role", "horizon", "--", "example:trace"])).includes(there));
    assert.ok(!(await ok(["artisan", "--", "example:trace"])).includes(there));
    const refused = await clone.drydock(["artisan", "--role", "worker", "--", "about"]);
    assert.match(refused.stderr, /no container of role worker of stack local is running and healthy/);
  });

  it("shows a role's log", async () => {
    assert.match(await ok(["logs", "scheduler", "--tail", "50"]), /scheduler/);
  });

  it("releases a changed application under load without a failed request", async () => {
    const old = status;
    const oldAsset = /\/build\/assets\/[^"]+\.css/.exec(await (await site.get("/")).text())![0];
    clone.edit("examples/laravel/resources/views/home.blade.php", (text) =>
      text.replace("<h1>", '<h1 data-changed="yes">'),
    );
    const load = new Load(old.url);
    const rows = ((await (await site.get("/api/rows/count")).json()) as { count: number }).count;
    await ok(["up"]);
    const count = await load.stop();
    assert.deepEqual(count.reasons, {});
    assert.ok(count.total > 100, `only ${count.total} requests`);

    status = await clone.status();
    assert.notEqual(status.release, old.release);
    assert.ok(
      ((await (await site.get("/api/rows/count")).json()) as { count: number }).count >= rows + count.rows,
      "a row that was answered with 201 is lost",
    );
    assert.match(await (await site.get("/")).text(), /data-changed="yes"/);
    for (const replica of containersOf(status, "app")) {
      assert.equal(
        docker(
          "exec",
          replica,
          "php",
          "-n",
          "/drydock/fcgi.php",
          "127.0.0.1:9000",
          "/release",
          "/var/www/html/public/index.php",
        ).trim(),
        status.release,
      );
    }
    assert.equal((await site.get(oldAsset)).status, 200, "a page of the old release still finds its assets");
    const kept = (s: Status) => containersOf(s, "proxy", "database", "redis").sort();
    assert.deepEqual(kept(status), kept(old), "the release replaced what it must not touch");
    for (const container of containersOf(old, ...laravel))
      assert.throws(() => docker("inspect", container), `${container} was left behind`);
  });

  it("keeps a visitor's connection when the proxy takes a new configuration", async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async () => {
      const request = get(new URL("/up", status.url), { agent });
      const [response] = (await once(request, "response")) as [IncomingMessage];
      await text(response);
      return { code: response.statusCode, reused: request.reusedSocket };
    };
    await ask();
    docker("exec", containersOf(status, "proxy")[0]!, "nginx", "-c", "/var/lib/drydock/nginx.conf", "-s", "reload");
    await seconds(1);
    assert.deepEqual(await ask(), { code: 200, reused: true });
    agent.destroy();
  });

  it("brings one changed variable to every role", async () => {
    assert.equal((await clone.pulumi(["config", "set", "--path", "drydock:env.APP_NAME", "A changed name"])).code, 0);
    await ok(["up"]);
    status = await clone.status();
    const containers = containersOf(status, ...laravel);
    assert.equal(containers.length, 5);
    for (const container of containers) {
      assert.equal(docker("exec", container, "printenv", "APP_NAME"), "A changed name");
      assert.match(docker("exec", container, "cat", "/var/www/html/.env"), /^APP_NAME="A changed name"$/m);
    }
    assert.match(await (await site.get("/")).text(), /<h1[^>]*>A changed name<\/h1>/);
  });

  it("keeps the old release serving when the new one is not healthy, and recovers with the next", async () => {
    const broken = (text: string) => text.replace("health: '/up'", "health: '/gone'");
    clone.edit("examples/laravel/bootstrap/app.php", broken);
    assert.equal((await clone.pulumi(["config", "set", "--path", "drydock:app.startTimeout", "20"])).code, 0);
    const load = new Load(status.url, { slowSeconds: 1 });
    const result = await clone.drydock(["up"]);
    const count = await load.stop();
    assert.notEqual(result.code, 0);
    assert.deepEqual(count.reasons, {});
    assert.equal((await (await site.get("/release")).text()).trim(), status.release);

    clone.edit("examples/laravel/bootstrap/app.php", (text) => text.replace("health: '/gone'", "health: '/up'"));
    assert.equal((await clone.pulumi(["config", "rm", "--path", "drydock:app.startTimeout"])).code, 0);
    await ok(["up"]);
    const now = await clone.status();
    assert.ok(now.services.every(({ health }) => health === "healthy"));
    const ours = docker("ps", "--all", "--quiet", "--filter", `network=${dataNetwork(now)}`).split("\n");
    // the proxy is not on the data network
    assert.equal(ours.length, now.services.length - 1, "a container was left behind");
    status = now;
  });

  it("runs under Pulumi's own CLI: replicas 3, 4, 2, under load", async () => {
    const load = new Load(status.url);
    for (const replicas of ["4", "2"]) {
      assert.equal((await clone.pulumi(["config", "set", "--path", "drydock:app.replicas", replicas])).code, 0);
      const up = await clone.pulumi(["up", "--yes"]);
      assert.equal(up.code, 0, up.stdout + up.stderr);
      assert.equal(containersOf(await clone.status(), "app").length, Number(replicas));
    }
    assert.deepEqual((await load.stop()).reasons, {});
  });

  it("finds a container that was stopped by hand, and puts it right", async () => {
    status = await clone.status();
    docker("stop", containersOf(status, "scheduler")[0]!);
    assert.notEqual((await clone.drydock(["status"])).code, 0);
    const refresh = await clone.pulumi(["refresh", "--yes"]);
    assert.equal(refresh.code, 0, refresh.stdout + refresh.stderr);
    await ok(["up"]);
    status = await clone.status();
    assert.ok(status.services.every(({ health }) => health === "healthy"));
  });

  it("leaves nothing that is not labelled with its stack", () => {
    const mine = new Set(status.services.map(({ container }) => container));
    const running = execFileSync("docker", ["ps", "--format", '{{.Names}} {{.Label "drydock.stack"}}'], {
      encoding: "utf8",
    });
    for (const line of running.split("\n").filter((text) => mine.has(text.split(" ")[0]!)))
      assert.match(line, / local$/);
  });

  it("deletes its data, though a container of somebody else was in the way at first", async () => {
    const format = '{{range .Mounts}}{{if eq .Type "volume"}}{{.Name}} {{end}}{{end}}';
    const containers = status.services.map(({ container }) => container);
    const volumes = docker("inspect", "--format", format, ...containers).split(/\s+/);
    const guest = `drydock-guest-${process.pid}`;
    const { image } = status.services.find(({ role }) => role === "redis")!;
    const own = ["--label", "drydock.test=guest", "--network", dataNetwork(status), "--entrypoint", "sleep"];
    docker("run", "--detach", "--name", guest, ...own, image, "600");
    try {
      assert.notEqual((await clone.drydock(["destroy", "--yes", "--volumes"])).code, 0);
    } finally {
      docker("rm", "--force", guest);
    }
    await ok(["destroy", "--yes", "--volumes"]);
    const left = new Set(docker("volume", "ls", "--quiet").split("\n"));
    assert.deepEqual(
      volumes.filter((name) => left.has(name)),
      [],
    );
  });
});

function dataNetwork(status: Status): string {
  const [redis] = containersOf(status, "redis");
  return Object.keys(JSON.parse(docker("inspect", redis!))[0].NetworkSettings.Networks)[0]!;
}
