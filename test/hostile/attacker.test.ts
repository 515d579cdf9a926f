import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "mocha";
import { answered } from "../../lib/answer.ts";
import { Clone, docker, type Status } from "../support/clone.ts";

const APP = "/var/www/html";
const PROCESSES = 300;

interface Said {
  readonly got: Readonly<Record<string, string>>;
  readonly refused: Readonly<Record<string, string>>;
  readonly controls: Readonly<Record<string, unknown>>;
  readonly processes: { readonly made: number; readonly why: string };
  readonly filled: Readonly<Record<string, number>>;
  readonly writable: Readonly<Record<string, { readonly type: string; readonly bytes: number }>>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** The application was broken into: what its uid, on its networks, with its passwords, does not get. */
describe("the application as the attacker", function () {
  this.timeout(900_000);
  const clone = new Clone();
  let status: Status;
  let rootPassword: string;
  const container = (name: string) =>
    status.services.find((one) => one.name === name)?.container ?? assert.fail(`no ${name}`);
  const exec = (name: string, ...words: string[]) => docker("exec", container(name), ...words);
  const address = (name: string, network: string): string => {
    const networks = JSON.parse(
      docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", container(name)),
    ) as Record<string, { IPAddress: string }>;
    const [, found] = Object.entries(networks).find(([one]) => one.startsWith(`network-${network}`)) ?? [];
    return found?.IPAddress ?? assert.fail(`${name} is not on ${network}`);
  };

  const blockSize = (): number => Number(exec("backup-agent", "stat", "-f", "-c", "%S", "/backups"));

  before(async () => {
    // The usual trust in all proxies, and a page that says who Laravel takes a visitor for.
    clone.edit("examples/laravel/bootstrap/app.php", (php) =>
      php.replace(
        "$middleware->preventRequestForgery",
        "$middleware->trustProxies(at: '*');\n        $middleware->preventRequestForgery",
      ),
    );
    clone.edit(
      "examples/laravel/routes/api.php",
      (php) => `${php}
Route::get('/who', fn (Illuminate\\Http\\Request $request) => [
    'ip' => $request->ip(), 'host' => $request->getHost(), 'port' => $request->getPort(),
      'secure' => $request->secure(), 'url' => url('/reset'),
    'server' => array_filter($request->server(), fn ($value, $key) => preg_match('/^(HTTP_|REMOTE_|HTTPS)/', $key),
      ARRAY_FILTER_USE_BOTH),
]);
`,
    );
    clone.write("Pulumi.local.yaml", `config:\n  drydock:limits:\n    processes: ${PROCESSES}\n`);
    const up = await clone.drydock(["up"]);
    assert.equal(up.code, 0, up.stdout + up.stderr);
    status = await clone.status();
    const { stdout } = await clone.pulumi(["config", "get", "--path", "drydock:database.rootPassword"]);
    rootPassword = stdout.trim();
    assert.ok(rootPassword.length >= 32, "no root password");
  });
  after(() => clone.remove());

  for (const role of ["app-1", "horizon", "scheduler"]) {
    it(`gets nothing of the host, other containers, or Redis's and the database's administration from ${role}`, () => {
      const others = ["app-1", "app-2", "app-3"].filter((name) => name !== role);
      const known = {
        processes: PROCESSES,
        accounts: [
          ["root", rootPassword],
          ["root", ""],
          ["mysql", ""],
          ["drydock_backup", ""],
          ["mariadb.sys", ""],
        ],
        closed: {
          ...Object.fromEntries(
            others.map((name) => [`PHP-FPM of ${name} on the database's network`, [address(name, "data"), 9000]]),
          ),
          ...Object.fromEntries(
            ["backup-agent", "backup-restore"].flatMap((name) =>
              [9180, 9181].map((port) => [`${name}:${port} on its own network`, [address(name, "restore"), port]]),
            ),
          ),
          "the proxy's own health": [address("proxy", "app"), 8089],
          "the proxy on the network of its port": [address("proxy", "public"), 8089],
        },
        open: { "the database": ["database", 3306], Redis: ["redis", 6379], "the proxy": ["proxy", 8080] },
      };
      const script = readFileSync(new URL("../support/hostile/attack.php", import.meta.url));
      const said = docker(
        "exec",
        container(role),
        "sh",
        "-c",
        `printf %s "$1" | base64 -d > /tmp/attack.php && php /tmp/attack.php ${APP} "$2"; rm -f /tmp/attack.php`,
        "attack",
        script.toString("base64"),
        JSON.stringify(known),
      );
      const answer = JSON.parse(answered(said) ?? assert.fail(said)) as Said;
      const { got, refused, controls, processes, filled, writable } = answer;
      assert.deepEqual(Object.entries(got), [], "what it got");
      assert.deepEqual(
        Object.entries(controls).filter(([, works]) => works !== true && works !== "+PONG"),
        [],
        "what ought to work",
      );
      assert.ok(Object.keys(refused).length > 120, "all of it was tried");
      assert.ok(
        processes.made > PROCESSES / 2 && processes.made < PROCESSES,
        `${processes.made} processes: ${processes.why}`,
      );
      for (const [folder, size] of Object.entries({
        "/tmp": 128,
        "/dev/shm": 64,
        [`${APP}/storage/framework`]: 128,
        [`${APP}/bootstrap/cache`]: 16,
      })) {
        assert.ok(filled[folder]! > 0 && filled[folder]! <= size, `${folder}: ${filled[folder]} MiB`);
      }
      // What is no memory of a fixed size is on the disk that the alarm of a full one is about: see docs/security.md.
      const memory = Object.keys(writable).filter((folder) => writable[folder]!.type === "tmpfs");
      assert.deepEqual(memory.sort(), Object.keys(filled).sort());
      const disks = Object.entries(writable).filter(([folder]) => !memory.includes(folder));
      assert.deepEqual(
        disks.map(([folder]) => folder).sort(),
        ["/", "/dev/mqueue", `${APP}/storage/app`, `${APP}/storage/logs`].sort(),
      );
      const watched = Number(exec("backup-agent", "stat", "-f", "-c", "%b", "/backups")) * blockSize();
      for (const [folder, { type, bytes }] of disks.filter(([folder]) => folder !== "/dev/mqueue"))
        assert.equal(bytes, watched, `${folder} (${type}) is on another disk than what is watched`);
    });
  }

  it("leaves Redis's accounts, the site and every container as they were", async () => {
    const users = exec("redis", "sh", "/run/drydock/redis-cli.sh", "acl", "list")
      .split("\n")
      .map((line) => line.split(" ")[1]);
    assert.deepEqual(users.sort(), ["default", "drydock"]);
    assert.equal((await ask("/up")).status, 200);
    const { services } = await clone.status();
    assert.deepEqual(
      services.filter(({ state, health }) => state !== "running" || health !== "healthy"),
      [],
    );
  });

  it("has a limit of processes in every container, no core dump, no capability", () => {
    for (const { name, container: id } of status.services) {
      const [host] = JSON.parse(docker("inspect", "--format", "[{{json .HostConfig}}]", id)) as Record<string, any>[];
      const {
        PidsLimit,
        Ulimits,
        CapDrop,
        CapAdd,
        Privileged,
        SecurityOpt,
        Memory,
        LogConfig,
        PidMode,
        IpcMode,
        NetworkMode,
      } = host!;
      assert.deepEqual(
        { PidsLimit, Ulimits, CapDrop, CapAdd: CapAdd ?? [], Privileged, SecurityOpt },
        {
          PidsLimit: PROCESSES,
          Ulimits: [{ Name: "core", Hard: 0, Soft: 0 }],
          CapDrop: ["ALL"],
          CapAdd: [],
          Privileged: false,
          SecurityOpt: ["no-new-privileges:true"],
        },
        name,
      );
      assert.ok(
        Memory > 0 &&
          LogConfig.Config["max-size"] !== undefined &&
          PidMode === "" &&
          IpcMode === "private" &&
          NetworkMode !== "host",
        name,
      );
    }
  });

  it("has no link of its served by the proxy, whose volume holds what is secret", async () => {
    const secret = randomBytes(16).toString("hex");
    docker("exec", container("proxy"), "sh", "-c", `echo ${secret} > /var/lib/drydock/attack`);
    const here = `${APP}/storage/app/public`;
    exec(
      "app-1",
      "sh",
      "-c",
      `mkdir -p ${APP}/storage/app/private; echo ${secret} > /tmp/own; ` +
        `echo ${secret} > ${APP}/storage/app/private/own; ` +
        `mkdir -p ${here}/closed; echo good > ${here}/good.txt; echo good > ${here}/closed/good.txt; ` +
        `chmod 700 ${here}/closed`,
    );
    assert.deepEqual(
      [await ask("/storage/good.txt"), await ask("/storage/closed/good.txt")].map(({ status, body }) => [status, body]),
      [
        [200, "good\n"],
        [200, "good\n"],
      ],
    );
    const targets = {
      volume: "/var/lib/drydock/attack",
      folder: "/var/lib/drydock",
      site: "/var/lib/drydock/site.conf",
      environ: "/proc/self/environ",
      pid1: "/proc/1/environ",
      maps: "/proc/self/maps",
      bodies: "/proc/self/fd",
      passwd: "/etc/passwd",
      up: "../../../../../../../etc/passwd",
      own: "/tmp/own",
      dotenv: `${APP}/.env`,
      private: "../private/own",
      privately: "../private",
      chain: "passwd",
      root: "/",
      dev: "/dev/stdin",
      releases: "/srv/public/releases",
    };
    for (const [name, target] of Object.entries(targets)) exec("app-1", "ln", "-sfn", target, `${here}/${name}.txt`);
    exec(
      "app-1",
      "sh",
      "-c",
      `cd ${here} && ln -f ${APP}/.env hard.txt 2>/dev/null; ln -f ../private/own linked.txt; ln -sfn . loop; true`,
    );
    const asked = Object.keys(targets).flatMap((name) => [
      `/storage/${name}.txt`,
      `/storage/${name}.txt/`,
      `/storage/${name}.txt/attack`,
      `/storage/${name}.txt/own`,
      `/storage/loop/${name}.txt`,
      `/storage/${name}.txt/0`,
      `/storage/closed/../${name}.txt`,
      `/storage//${name}.txt`,
    ]);
    for (const path of [
      ...asked,
      "/storage/hard.txt",
      "/storage/../.env",
      "/storage/%2e%2e/%2e%2e/.env",
      "/storage/..%2f..%2f.env",
      "/.env",
      "/storage/.env",
    ]) {
      const { status, body } = await ask(path);
      assert.ok(status >= 300, `${path}: ${status}`);
      for (const found of [secret, "root:x:", "APP_KEY", "fastcgi_pass", "PATH="])
        assert.ok(!body.includes(found), `${path} shows ${found}`);
    }
  });

  const claims = {
    "X-Forwarded-For": "198.51.100.7",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Port": "8443",
    "X-Forwarded-Prefix": "/evil",
    Forwarded: 'for=198.51.100.7;host="evil.example";proto=https',
    "X-Real-IP": "198.51.100.7",
    "Client-IP": "198.51.100.7",
    "True-Client-IP": "198.51.100.7",
    "CF-Connecting-IP": "198.51.100.7",
    "X-Cluster-Client-IP": "198.51.100.7",
    "X-Original-URL": "/evil",
    "X-Rewrite-URL": "/evil",
    "X-HTTP-Host-Override": "evil.example",
    "X-Original-Host": "evil.example",
    "X-Host": "evil.example",
    "X-Forwarded-Server": "evil.example",
    "X-Forwarded-Ssl": "on",
    "Front-End-Https": "on",
    Proxy: "http://evil.example",
    X_Forwarded_For: "198.51.100.7",
    "X-FORWARDED-FOR": "198.51.100.7",
  };
  const believed = /198\.51\.100\.7|evil|8443|https:/;

  it("lets no visitor say who he is, by a header or a host, through the published port", async () => {
    const plain = JSON.parse((await ask("/api/who")).body) as { ip: string; host: string };
    for (const [header, value] of Object.entries(claims)) {
      const { status, body } = await ask("/api/who", { [header]: value });
      assert.equal(status, 200, header);
      assert.doesNotMatch(body.replaceAll("\\/", "/"), believed, header);
      assert.deepEqual([JSON.parse(body).ip, JSON.parse(body).host], [plain.ip, plain.host], header);
    }
    assert.doesNotMatch((await ask("/api/who", claims)).body.replaceAll("\\/", "/"), believed);
    for (const host of [
      "evil.example",
      "evil.example:80",
      "127.0.0.1.evil.example",
      "evil.example#127.0.0.1",
      "127.0.0.1@evil.example",
    ]) {
      const { status, body } = await ask("/api/who", { Host: host });
      assert.ok(status >= 400 && !body.includes("evil"), `${host}: ${status} ${body}`);
    }
    const whole = JSON.parse((await ask("http://evil.example/api/who")).body) as { host: string; url: string };
    assert.deepEqual([whole.host, JSON.stringify(whole).includes("evil")], [plain.host, false]);
  });

  it("lets no container of the application say so either, through any port of the proxy", () => {
    const ask = (port: number, headers: Readonly<Record<string, string>>): Answer => {
      const lines = Object.entries({ Host: new URL(status.url).host, ...headers }).map(
        ([name, value]) => `${name}: ${value}`,
      );
      const php = `$c = stream_context_create(['http' => ['header' =>
        json_decode(base64_decode('${Buffer.from(JSON.stringify(lines)).toString("base64")}')), 'ignore_errors' => true,
          'timeout' => 10]]);
        $body = @file_get_contents('http://proxy:${port}/api/who', false, $c);
        echo json_encode(['status' => (int) (explode(' ', $http_response_header[0] ?? '0 0')[1]),
          'body' => (string) $body]);`;
      return JSON.parse(exec("horizon", "php", "-d", "error_reporting=0", "-r", php)) as Answer;
    };
    const own = address("horizon", "app");
    for (const port of [8080, 8091]) {
      const { status, body } = ask(port, claims);
      assert.equal(status, 200, body);
      assert.doesNotMatch(body.replaceAll("\\/", "/"), believed);
      assert.equal(JSON.parse(body).ip, own);
      const other = ask(port, { Host: "evil.example" });
      assert.ok(other.status >= 400 && !other.body.includes("evil"), `${port}: ${other.status} ${other.body}`);
    }
    assert.deepEqual(
      [8089, 8090].map((port) => ask(port, claims).status),
      [0, 404],
    );
  });

  it("is reached by no PHP of who has the database, Redis or the backups", () => {
    for (const from of ["database", "redis", "backup-restore", "backup-agent"]) {
      for (const to of ["app-1", "app-2", "app-3"]) {
        for (const target of [address(to, "data"), address(to, "app")]) {
          const tried = docker(
            "exec",
            container(from),
            "sh",
            "-c",
            `if command -v bash >/dev/null; then timeout 1 bash -c 'exec 3<>/dev/tcp/${target}/9000' 2>&1 && ` +
              "echo connected || echo refused; else echo no bash; fi",
          );
          assert.equal(tried.split("\n").at(-1), "refused", `${from} to ${to} at ${target}: ${tried}`);
        }
      }
    }
  });

  function ask(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const { hostname, port, host } = new URL(status.url);
    return new Promise((resolve, reject) => {
      const sent = request(
        { hostname, port, path, headers: { Host: host, ...headers }, timeout: 20_000 },
        (response) => {
          text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
        },
      );
      sent.on("error", reject).end();
    });
  }
});
