import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, describe, it } from "mocha";
import { imageTags } from "../../cli/setup/images.ts";
import { Browser } from "../support/browser.ts";
import { Clone, docker, type Result, type Status } from "../support/clone.ts";
import { Load } from "../support/load.ts";

/**
 * A client of websockets as browsers are: it connects again when it is told goodbye. What the server says first is its
 * release.
 */
class Listener {
  readonly releases: string[] = [];
  readonly echoes: string[] = [];
  readonly codes: number[] = [];
  failed = 0;
  private socket: WebSocket | undefined;
  private running = true;

  constructor(private readonly url: string) {
    this.connect();
  }

  private connect(): void {
    let opened = false;
    this.socket = new WebSocket(this.url);
    this.socket.addEventListener("open", () => {
      opened = true;
    });
    this.socket.addEventListener("message", ({ data }) =>
      (String(data).startsWith("echo") ? this.echoes : this.releases).push(String(data)),
    );
    this.socket.addEventListener("close", ({ code }) => {
      if (!this.running) return;
      if (opened) this.codes.push(code);
      else this.failed++;
      setTimeout(() => this.connect(), opened ? 0 : 500);
    });
  }

  send(text: string): void {
    this.socket?.send(text);
  }

  stop(): void {
    this.running = false;
    this.socket?.close();
  }
}

/**
 * The application of examples/shop: a pool of workers, a websocket server, and a service with a password and data of
 * its own.
 */
describe("workers and services", function () {
  this.timeout(900_000);
  const clone = new Clone();
  const password = randomBytes(24).toString("hex");
  let status: Status;
  const pulumi = async (...args: string[]) => {
    const { code, stdout, stderr } = await clone.pulumi(["config", ...args]);
    assert.equal(code, 0, stdout + stderr);
  };
  const set = (path: string, value: string) => pulumi("set", "--path", `drydock:${path}`, value);
  const up = async (): Promise<Result> => {
    const result = await clone.drydock(["up"]);
    // Where the first one fails there is none.
    if (result.code === 0) status = await clone.status();
    return result;
  };
  const ok = ({ code, stdout, stderr }: Result) => assert.equal(code, 0, stdout + stderr);
  const named = (name: string) =>
    status.services.find((one) => one.name === name) ??
    assert.fail(`no ${name}: ${status.services.map((one) => one.name).join(" ")}`);
  const until = async (what: string, holds: () => boolean | Promise<boolean>) => {
    for (let times = 0; times < 240; times++) {
      if (await holds()) return;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
    assert.fail(`${what} did not come`);
  };
  const invoices = async () =>
    (await (await fetch(new URL("/api/invoices", status.url))).json()) as {
      id: string;
      begun: number;
      done: number;
      worker: string;
    }[];
  const search = (...words: string[]) =>
    docker(
      "exec",
      named("app-1").container,
      "php",
      "-r",
      '$r = new Redis; $r->connect("search", 7700); $r->auth($argv[1]); ' +
        "echo json_encode($r->rawCommand(...array_slice($argv, 2)));",
      password,
      ...words,
    );

  before(async () => {
    const created = await clone.pulumi(["stack", "select", "--create", "local"]);
    assert.equal(created.code, 0, created.stderr);
    const { php, redis } = imageTags();
    for (const [path, value] of [
      ["app.build.context", "examples/shop"],
      ["app.build.args.BASE", php],
      ["app.uid", "33"],
      ["app.gid", "33"],
      ["app.replicas", "2"],
      ['app.persistent["public/uploads"].visibility', "public"],
      ["horizon.enabled", "false"],
      ["env.CACHE_STORE", "database"],
      ["workers.queue.command", '["php","artisan","queue:work","--sleep=1"]'],
      ["workers.queue.replicas", "2"],
      ["workers.queue.longestJob", "20"],
      ["workers.sockets.command", '["php","artisan","sockets:start"]'],
      ["workers.sockets.http.port", "8081"],
      ["workers.sockets.http.paths", '["/sockets"]'],
      ["proxy.uploadLimit", "200"],
      ["services.search.image", redis],
      ["services.search.entrypoint", '["redis-server"]'],
      ["services.search.command", '["/run/search.conf"]'],
      ["services.search.volume", "/data"],
      ["services.search.uid", "999"],
      ["services.search.gid", "999"],
      ["services.search.memory", "64"],
      [
        "services.search.health",
        JSON.stringify([
          "sh",
          "-c",
          'REDISCLI_AUTH=$(sed -n "s/^requirepass //p" /run/search.conf) redis-cli -p 7700 ping | grep -q PONG',
        ]),
      ],
    ] as const)
      await set(path, value);
    const conf = [
      "port 7700\ndir /data\nappendonly yes\nappendfsync always",
      `protected-mode no\nrequirepass ${password}\n`,
    ].join("\n");
    await pulumi("set", "--secret", "--path", 'drydock:services.search.files["/run/search.conf"]', conf);
    ok(await up());
  });
  after(() => clone.remove());

  it("do each job once, over a release, and let websockets find the new release", async () => {
    const { url, release } = status;
    const follower = clone.start(["logs", "worker", "--follow", "--tail", "0"]);
    let followed = "";
    follower.stdout?.on("data", (chunk) => (followed += chunk));
    const load = new Load(url, { clients: 2, slowSeconds: 1 });
    const listeners = Array.from({ length: 10 }, () => new Listener(`${url.replace("http", "ws")}/sockets`));
    const visitor = new Browser(url);
    await until("all clients' connection", () => listeners.every(({ releases }) => releases.length === 1));
    listeners.forEach((one, index) => one.send(`echo ${index}`));
    await until("the echoes", () => listeners.every(({ echoes }, index) => echoes[0] === `echo ${index}`));
    let jobs = 0;
    const dispatch = setInterval(() => void visitor.json("/api/invoices", { id: `job-${jobs++}`, seconds: 1 }), 900);
    await set("env.SHOP_RUN", "2");
    ok(await up());
    await until("all clients on the new release", () =>
      listeners.every(({ releases }) => releases.at(-1) === status.release),
    );
    clearInterval(dispatch);
    for (const one of listeners) {
      assert.deepEqual(
        [one.releases, one.codes, one.failed],
        [[release, status.release], [1001], 0],
        "told goodbye once, and connected again at once",
      );
      one.stop();
    }
    assert.deepEqual((await load.stop()).reasons, {});
    await until("all jobs", async () => (await invoices()).filter(({ done }) => done === 1).length === jobs);
    const all = await invoices();
    assert.ok(jobs > 5 && all.every(({ begun, done }) => begun === 1 && done === 1), JSON.stringify(all));
    assert.ok(new Set(all.map(({ worker }) => worker)).size >= 2, "workers of both releases, or both of one pool");
    const before = await clone.drydock(["logs", "worker", "--before", "--tail", "all"]);
    assert.match(
      before.stdout,
      /^worker-sockets-1-\w+ \| .*websockets on port 8081/m,
      "what the old containers wrote is kept",
    );
    // The same by the number of the release; by its time there is nothing of a moment ago.
    const first = ["logs", "worker", "--release", "1", "--tail", "all"];
    assert.equal((await clone.drydock(first)).stdout, before.stdout);
    const late = await clone.drydock([...first, "--since", "1s"]);
    assert.deepEqual([late.code, late.stdout, late.stderr], [0, "", "drydock: no line of role worker fits\n"]);
    follower.kill("SIGINT");
    assert.match(followed, /^worker-sockets-1 +\| .*websockets on port 8081/m, "the new ones are followed");
  });

  it(
    "leave room for an upload that is larger than the memory for files, which all replicas and the next release " +
      "have",
    async () => {
      const visitor = new Browser(status.url);
      const token =
        /name="_token" value="([^"]+)"/.exec(await (await visitor.get("/form")).text())?.[1] ?? assert.fail("no token");
      const form = new FormData();
      form.set("_token", token);
      form.set("note", "large");
      form.set("picture", new Blob(["a line of text\n".repeat(10_000_000)], { type: "text/plain" }), "large.txt");
      const sent = await visitor.request("/form", { method: "POST", body: form });
      assert.equal(sent.status, 302);
      assert.match(await (await visitor.get("/form")).text(), /large/);
      const sizes = status.services
        .filter(({ role }) => role === "app")
        .map(({ container }) => docker("exec", container, "stat", "-c", "%s", "public/uploads/large.txt"));
      assert.deepEqual(sizes, ["150000000", "150000000"]);
      // Compressed, its length would not be known before.
      const asked = { method: "HEAD", headers: { "accept-encoding": "identity" } };
      const { headers } = await fetch(new URL("/uploads/large.txt", status.url), asked);
      assert.equal(headers.get("content-length"), "150000000");
    },
  );

  it("are reached by their name inside the stack", () => {
    const said = docker(
      "exec",
      named("app-1").container,
      "php",
      "-r",
      'echo file_get_contents("http://sockets:8081/");',
    );
    assert.equal(said, "up");
  });

  it("crash without harm: a server that does is noticed before the switch, and the old release serves on", async () => {
    const { release, url } = status;
    await set("workers.sockets.command", '["php","-r","sleep(1); exit(3);"]');
    await set("env.SHOP_RUN", "3");
    const load = new Load(url, { clients: 2, slowSeconds: 1 });
    const { code, stdout, stderr } = await clone.drydock(["up"]);
    assert.equal(code, 1);
    assert.match(stdout + stderr, /worker-sockets-1\S* .*(restarting|exit code 3|not healthy)/s);
    assert.deepEqual((await load.stop()).reasons, {});
    assert.equal(await (await fetch(new URL("/release", url))).text(), release);
    const listener = new Listener(`${url.replace("http", "ws")}/sockets`);
    await until("the old server", () => listener.releases[0] === release);
    listener.stop();
    await set("workers.sockets.command", '["php","artisan","sockets:start"]');
    ok(await up());
  });

  it("keep a service's data, and show its password nowhere", async () => {
    assert.equal(search("SET", "book", "1"), "true");
    const { container } = named("service-search");
    assert.ok(!docker("inspect", container).includes(password));
    await set("services.search.command", '["/run/search.conf","--loglevel","verbose"]');
    ok(await up());
    assert.notEqual(named("service-search").container, container);
    assert.equal(search("GET", "book"), '"1"');
    assert.throws(() =>
      docker(
        "run",
        "--rm",
        "--network",
        "bridge",
        "--entrypoint",
        "redis-cli",
        imageTags().redis,
        "-h",
        "search",
        "-p",
        "7700",
        "ping",
      ),
    );
  });

  it(
    "lose neither the data of a service nor a folder for good: " +
      "both are in the backup, and come back byte for byte",
    async () => {
      const names = ["it's $(x)", "--option", "line\nbreak", "日本語", "u".repeat(255)];
      const write = `foreach (json_decode($argv[1]) as $name) file_put_contents("public/uploads/$name", $name);
      file_put_contents("public/uploads/caf\\xe9", "not UTF-8"); chmod("public/uploads/--option", 0600);`;
      docker("exec", named("app-1").container, "php", "-r", write, "--", JSON.stringify(names));
      for (let id = 0; id < 50; id++) search("SET", `book-${id}`, "x".repeat(1000));
      const look =
        "find . -mindepth 1 ! -path './.drydock-*' ! -type d -printf '%m %s %U:%G %p\\0' | sort -z | tr '\\0' '|'; " +
        "find . ! -path './.drydock-*' -type f -print0 | sort -z | xargs -0 sha256sum -z | tr '\\0' '|'";
      const uploads = () =>
        docker("exec", "-w", "/var/www/html/public/uploads", named("app-1").container, "sh", "-c", look);
      const data = () => docker("exec", "-w", "/data", named("service-search").container, "sh", "-c", look);
      const before = [uploads(), data()];
      assert.match(before[0]!, /--option.*line\nbreak/s);
      const run = await clone.drydock(["backup", "run", "--type", "files", "--json"]);
      ok(run);
      const { backup } = JSON.parse(run.stdout.trim().split("\n").at(-1)!) as {
        backup: { id: string; verified: boolean; missing?: string[]; volumes: Record<string, { count: number }> };
      };
      assert.deepEqual([backup.verified, backup.missing], [true, undefined]);
      assert.deepEqual(Object.keys(backup.volumes), ["folder public/uploads", "service search"]);
      assert.deepEqual(JSON.parse((await clone.drydock(["backup", "status", "--json"])).stdout).left, []);

      search("FLUSHALL");
      search("SET", "other", "1");
      docker("exec", named("app-1").container, "sh", "-c", "rm -r public/uploads/*; echo other > public/uploads/other");
      const restore = [
        "backup",
        "restore",
        backup.id,
        "--folder",
        "public/uploads",
        "--service",
        "search",
        "--yes",
        "--json",
      ];
      const done = await clone.drydock(restore);
      ok(done);
      const { restored, previous, seconds } = JSON.parse(done.stdout) as {
        restored: string[];
        previous: string[];
        seconds: number;
      };
      assert.deepEqual(restored, ["folder public/uploads", "service search"]);
      assert.ok(seconds < 120, `${seconds} s`);
      assert.match(
        previous.join(),
        /^service search: \.drydock-before-\w+,folder public\/uploads: \.drydock-before-\w+$/,
      );
      assert.deepEqual([uploads(), data()], before);
      assert.deepEqual([search("GET", "book-49"), search("EXISTS", "other")], [`"${"x".repeat(1000)}"`, "0"]);
      const answer = await fetch(new URL("/uploads/large.txt", status.url), { method: "HEAD" });
      assert.equal(answer.status, 200);
      ok(await clone.drydock(["backup", "restore", "--forget-previous", "--yes"]));
      assert.doesNotMatch(docker("exec", named("service-search").container, "ls", "-A", "/data"), /drydock-/);
    },
  );
});
