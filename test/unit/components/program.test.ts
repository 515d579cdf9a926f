import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { before, describe, it } from "mocha";
import { startOf } from "../../../components/app.ts";
import { verdict } from "../../../components/migrationBackup.ts";
import { recordedIn } from "../../../components/record.ts";
import { quote } from "../../../lib/shell.ts";
import { configuration, type Registered, runProgram } from "../../support/components/program.ts";

/** What a health check begins with; see servers/health.ts. */
const waiting = [
  "CMD",
  "/bin/sh",
  "-c",
  'rm /dev/shm/healthy 2>/dev/null && sleep 10; if "$@"; then touch /dev/shm/healthy || :; else sleep 0.75; exit 1; fi',
  "health",
];
const secretMark = "4dabf18193072939515e22adb298388d";

/** All that a resource waits for, directly or not. */
function closure(resources: Registered[], name: string): Set<string> {
  const found = new Set<string>();
  const visit = (one: string) => {
    for (const next of resources.filter((r) => r.name === one).flatMap((r) => r.after)) {
      if (!found.has(next)) {
        found.add(next);
        visit(next);
      }
    }
  };
  visit(name);
  return found;
}

const leaves = (resources: readonly Registered[]) => resources.filter((one) => !one.type.startsWith("drydock:"));
const leaf = (resources: readonly Registered[], name: string) => leaves(resources).find((one) => one.name === name)!;
const containers = (resources: Registered[]) =>
  resources.filter((one) => one.type === "docker:index/container:Container");

/** Takes Pulumi's wrapping off secret values. */
function revealed(value: any): any {
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object" || value === null) return value;
  if (secretMark in value) return revealed(value.value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revealed(inner)]));
}

describe("the stack", () => {
  const config = configuration();
  const env = config.env as Record<string, string>;
  let resources: Registered[];
  let outputs: Record<string, unknown>;
  before(async () => {
    ({ resources, outputs } = await runProgram(config));
  });

  it("has a graph without a cycle", () => {
    for (const { name } of leaves(resources))
      assert.ok(!closure(leaves(resources), name).has(name), `${name} waits for itself`);
  });

  it("releases in the order of the design", () => {
    const begin = ["backup", "migrate", "assets", "app-1", "switch"];
    // Workers have another OPcache than the replicas: they start while it is reset.
    for (const order of [
      ["database", ...begin, "opcache", "verify", "record"],
      ["redis", "redis-password", ...begin, "horizon", "verify", "redis-only-password"],
      [...begin, "switch-drained", "redis-only-password"],
    ]) {
      for (const [index, name] of order.entries()) {
        const waitsFor = closure(leaves(resources), name);
        for (const earlier of order.slice(0, index))
          assert.ok(waitsFor.has(earlier), `${name} does not wait for ${earlier}`);
        for (const later of order.slice(index + 1)) assert.ok(!waitsFor.has(later), `${name} waits for ${later}`);
      }
    }
  });

  it(
    "switches only when every replica is healthy, and has the proxy let go of the old ones, " +
      "which the engine deletes when all steps are done",
    () => {
      assert.deepEqual(leaf(resources, "switch").after, ["app-1", "app-2", "app-3", "assets", "network-app", "proxy"]);
      assert.deepEqual(leaf(resources, "switch-drained").after, [
        "app-1",
        "app-2",
        "app-3",
        "network-app",
        "proxy",
        "switch",
      ]);
      for (const replica of ["app-1", "app-2", "app-3"]) assert.equal(leaf(resources, replica).inputs.wait, true);
    },
  );

  it("says of every container whether it goes before or after its successor", () => {
    const succession = Object.fromEntries(containers(resources).map((one) => [one.name, one.deleteBeforeReplace]));
    assert.deepEqual(succession, {
      "app-1": false,
      "app-2": false,
      "app-3": false,
      horizon: false,
      scheduler: true,
      proxy: true,
      database: true,
      redis: true,
      "redis-cache": true,
      "backup-agent": true,
      "backup-restore": true,
    });
    // Nothing replaces a step: one that was to be deleted would hold up the old containers.
    for (const step of resources.filter((one) => one.type === "command:local:Command"))
      assert.equal(step.inputs.triggers, undefined, step.name);
  });

  it("gives a replica exactly these inputs", () => {
    const { uploads, envs, labels, ...inputs } = revealed(leaf(resources, "app-1").inputs);
    assert.deepEqual(inputs, {
      image: "registry.test/shop:1",
      user: "1000:1000",
      networksAdvanced: [
        { name: "network-app-abcdef0", aliases: [] },
        { name: "network-data-abcdef0", aliases: [] },
      ],
      mounts: [
        { type: "volume", source: "volumes-storage-abcdef0", target: "/var/www/html/storage/app" },
        { type: "volume", source: "volumes-logs-abcdef0", target: "/var/www/html/storage/logs" },
        { type: "volume", source: "volumes-runtime-abcdef0", target: "/drydock", readOnly: true },
      ],
      tmpfs: {
        "/var/www/html/bootstrap/cache": "rw,noexec,nosuid,uid=1000,gid=1000,mode=700,size=16m",
        "/var/www/html/storage/framework": "rw,noexec,nosuid,uid=1000,gid=1000,mode=700,size=128m",
        "/tmp": "rw,noexec,nosuid,uid=1000,gid=1000,mode=700,size=128m",
      },
      readOnly: false,
      entrypoints: ["/bin/sh", "/drydock/start.sh"],
      command: ["php-fpm", "-F", "-y", "/run/drydock/fpm.conf"],
      init: false,
      memory: 512,
      memorySwap: 1024,
      cpus: "1.0",
      restart: "unless-stopped",
      capabilities: { drops: ["ALL"] },
      securityOpts: ["no-new-privileges:true"],
      ulimits: [{ name: "core", soft: 0, hard: 0 }],
      logDriver: "json-file",
      logOpts: { "max-size": "10m", "max-file": "3" },
      ports: [],
      stopSignal: "SIGQUIT",
      stopTimeout: 30,
      destroyGraceSeconds: 30,
      wait: true,
      waitTimeout: 60,
      healthcheck: {
        tests: [
          ...waiting,
          "php",
          "-n",
          "/drydock/ready.php",
          "127.0.0.1:9000",
          "/up",
          "/var/www/html/public/index.php",
        ],
        interval: "250ms",
        timeout: "16s",
        startPeriod: "1m0s",
        retries: 5,
      },
    });
    assert.deepEqual(labels, [
      { label: "drydock.role", value: "app" },
      { label: "drydock.stack", value: "unit" },
      { label: "drydock.release", value: outputs.release },
    ]);
    assert.deepEqual(
      uploads.map(({ file, owner, group, permissions }: any) => [file, owner, group, permissions]),
      [
        ["/var/www/html/.env", "1000", "1000", "0400"],
        ["/var/www/html/.env.local", "1000", "1000", "0400"],
        ["/run/drydock/php/drydock.ini", "0", "0", "0444"],
        ["/run/drydock/fpm.conf", "0", "0", "0444"],
      ],
    );
    assert.ok(
      envs.includes("DB_CONNECTION=mariadb") &&
        envs.includes("REDIS_CLIENT=phpredis") &&
        envs.includes(`DRYDOCK_RELEASE=${outputs.release}`),
    );
  });

  it("puts its own files into a volume that is made anew for other files, before a container has it", () => {
    const { labels } = leaf(resources, "volumes-runtime").inputs;
    assert.deepEqual(
      labels.map(({ label }: any) => label),
      ["drydock.stack", "drydock.runtime"],
    );
    assert.match(labels[1].value, /^[0-9a-f]{12}$/);
    for (const name of ["app-1", "horizon", "scheduler"]) {
      assert.ok(closure(leaves(resources), name).has("volumes-delivery"), name);
      const mount = leaf(resources, name).inputs.mounts.find(({ target }: any) => target === "/drydock");
      assert.equal(mount.readOnly, true, name);
    }
  });

  it("gives app, horizon and scheduler one and the same environment (known issues 1 to 4)", () => {
    const of = (name: string) => {
      const { envs, uploads } = revealed(leaf(resources, name).inputs);
      return { envs, file: uploads.find(({ file }: any) => file === "/var/www/html/.env").content };
    };
    for (const name of ["app-2", "app-3", "horizon", "scheduler"]) assert.deepEqual(of(name), of("app-1"));
    for (const variable of ["APP_KEY", "DB_PASSWORD", "REDIS_PASSWORD"])
      assert.ok(of("horizon").file.includes(`${variable}="${env[variable]}"\n`));
  });

  it("gives migrations the same, with files and networks; a rehearsal can write no file and send nothing", () => {
    const [migrate, rehearsal] = ["migrate", "backup"].map(
      (name) => revealed(leaf(resources, name).inputs).environment,
    );
    for (const one of leaf(resources, "app-1").inputs.envs.filter((line: string) => !line.startsWith("DRYDOCK_CACHE")))
      for (const { MORE } of [migrate, rehearsal]) assert.ok(` ${MORE} `.includes(` --env ${quote(one)} `), one);
    const storage = "--mount type=volume,source=volumes-storage-abcdef0,target=/var/www/html/storage/app,volume-nocopy";
    assert.ok(` ${migrate.MORE} `.includes(`${storage} `) && rehearsal.MORE.includes(`${storage},readonly`));
    const logs = "target=/var/www/html/storage/logs,volume-nocopy";
    assert.ok(migrate.MORE.includes(logs) && rehearsal.MORE.includes(logs));
    assert.deepEqual(
      [migrate.NETWORK, migrate.ALSO, rehearsal.ALSO],
      ["network-data-abcdef0", "network-app-abcdef0", undefined],
    );
    const files = Buffer.from(revealed(leaf(resources, "migrate").inputs).stdin, "base64").toString();
    for (const file of ["var/www/html/.env\0", "var/www/html/.env.local\0", "drydock/migrate.php\0"])
      assert.ok(files.includes(file), file);
  });

  it("keeps every secret out of container variables, labels, command lines and plain inputs", () => {
    const secrets = [env.APP_KEY!, env.DB_PASSWORD!, env.REDIS_PASSWORD!, (config.database as any).rootPassword];
    const plain = (value: any): any => {
      if (Array.isArray(value)) return value.map(plain);
      if (typeof value !== "object" || value === null) return value;
      return secretMark in value
        ? "[secret]"
        : Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
    };
    for (const one of resources) {
      const text = JSON.stringify(plain(one.inputs));
      for (const secret of secrets) {
        assert.ok(!text.includes(secret), `${one.name} shows a secret`);
        const { envs, labels, command, environment } = revealed(one.inputs);
        assert.ok(
          !JSON.stringify([envs, labels, command, environment]).includes(secret),
          `${one.name} has a secret in the wrong place`,
        );
      }
    }
    assert.ok(!secrets.some((secret) => JSON.stringify(outputs).includes(secret)));
  });

  it("protects and keeps the volumes that hold data, and only those", () => {
    const kept = resources
      .filter((one) => one.protect || one.retainOnDelete)
      .map(({ name, protect, retainOnDelete }) => [name, protect, retainOnDelete]);
    assert.deepEqual(kept.sort(), [
      ["volumes-backups", true, true],
      ["volumes-database", true, true],
      ["volumes-records", true, true],
      ["volumes-redis", true, true],
      ["volumes-storage", true, true],
    ]);
  });

  it("publishes one port, of the proxy, on one interface; database and Redis are on the internal network only", () => {
    const published = containers(resources).filter((one) => one.inputs.ports.length > 0);
    assert.deepEqual(
      published.map((one) => [one.name, one.inputs.ports]),
      [["proxy", [{ internal: 8080, external: 8080, ip: "127.0.0.1", protocol: "tcp" }]]],
    );
    assert.equal(leaf(resources, "network-data").inputs.internal, true);
    for (const name of ["database", "redis", "redis-cache"])
      assert.deepEqual(leaf(resources, name).inputs.networksAdvanced, [
        { name: "network-data-abcdef0", aliases: [name] },
      ]);
    const onPublic = containers(resources).filter((one) =>
      one.inputs.networksAdvanced.some((n: any) => n.name === "network-public-abcdef0"),
    );
    assert.deepEqual(
      onPublic.map((one) => one.name),
      ["proxy"],
    );
  });

  it("gives no step a variable that a site with thousands of redirects would make too long for a program", async () => {
    const redirects = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, index) => [`/articles/of-the-shop-before/number-${index}`, `/news/${index}`]),
    );
    const { resources } = await runProgram({ ...config, proxy: { ...(config.proxy as object), redirects } });
    assert.ok(revealed(leaf(resources, "switch").inputs).stdin.length > 200_000);
    for (const { name, type, inputs } of resources.filter((one) => one.type === "command:local:Command"))
      for (const [variable, value] of Object.entries(revealed(inputs).environment as Record<string, string>))
        assert.ok(value.length < 65_536, `${type} ${name}: ${variable} has ${value.length} characters`);
  });

  it("has a place for maintenance mode in every site, and a way around it for the probes (incident 12)", () => {
    const site: string = revealed(leaf(resources, "switch").inputs).stdin;
    for (const kind of ["http", "server", "page", "status"]) {
      assert.equal(site.split(`include /var/lib/drydock/maintenance/current/${kind}*.conf;`).length, 2, kind);
    }
    assert.match(site, /listen 8080 default_server;\n(.*\n)*  listen 8091;/);
    for (const script of ["switch", "verify"]) {
      const text = readFileSync(`commands/${script}.sh`, "utf8");
      assert.ok(/http:\/\/\$(PROXY|\{PROXY:-proxy\}):8091\$HEALTH_PATH/.test(text) && !text.includes(":8080"), script);
    }
    assert.deepEqual(
      leaf(resources, "proxy").inputs.ports.map((port: any) => port.internal),
      [8080],
      "the way around is not published",
    );
  });

  it("repeats no POST, cuts no request of an old replica, and loses no row of a server that crashes", () => {
    const site: string = revealed(leaf(resources, "switch").inputs).stdin;
    // What is passed on to another replica is decided by what was sent; nginx itself passes nothing on.
    assert.deepEqual([...new Set(site.match(/\w+_next_upstream [^;]*;/g))], ["fastcgi_next_upstream off;"]);
    const { uploads } = revealed(leaf(resources, "app-1").inputs);
    const fpm: string = uploads.find(({ file }: any) => file.endsWith("fpm.conf")).content;
    assert.match(fpm, /^process_control_timeout = 25s$/m);
    const { command } = leaf(resources, "database").inputs;
    assert.deepEqual(
      command.filter((word: string) => /sync-binlog|flush-log-at-trx-commit/.test(word)).includes("--sync-binlog=1"),
      true,
    );
  });

  it("limits the processes of all containers, those of a release before they get traffic", () => {
    const words = (name: string, key: string): string[] =>
      revealed(leaf(resources, name).inputs).environment[key].split(" ");
    const limited = [...words("limits", "CONTAINERS"), ...words("switch", "REPLICAS"), ...words("verify", "WORKERS")];
    assert.deepEqual(
      limited.sort(),
      containers(resources)
        .map(({ name }) => `${name}-abcdef0`)
        .sort(),
    );
    for (const name of ["limits", "switch", "verify"])
      assert.equal(revealed(leaf(resources, name).inputs).environment.PROCESSES, "1024", name);
  });

  it(
    "looks at the database's image and data before the server that serves is stopped, " +
      "with the words that it is started with",
    () => {
      const check = revealed(leaf(resources, "database-check").inputs).environment;
      assert.ok(leaf(resources, "database").after.includes("database-check"));
      assert.deepEqual(check.OPTIONS.split("\n"), leaf(resources, "database").inputs.command);
      assert.deepEqual(
        [check.IMAGE, check.ENGINE, check.VOLUME, check.BACKUPS],
        ["mariadb:11.8", "mariadb", "volumes-database-abcdef0", "volumes-backups-abcdef0"],
      );
    },
  );

  it("makes Redis persistent, and never lets it evict a queued job (incident 13)", () => {
    const [file] = revealed(leaf(resources, "redis").inputs).uploads;
    for (const line of ["save 3600 1 300 100 60 10000", "appendonly yes", "maxmemory-policy noeviction"]) {
      assert.ok(file.content.split("\n").includes(line), line);
    }
  });

  it("has another Redis for the cache, which forgets, has the same password, and is there before them", async () => {
    const server = revealed(leaf(resources, "redis-cache").inputs);
    const lines = server.uploads[0].content.split("\n");
    for (const line of ['save ""', "appendonly no", "maxmemory 64mb", "maxmemory-policy allkeys-lru"])
      assert.ok(lines.includes(line), line);
    assert.deepEqual(
      [server.memory, server.mounts],
      [96, [{ type: "volume", source: "volumes-cache-abcdef0", target: "/data" }]],
    );
    assert.ok(closure(leaves(resources), "migrate").has("redis-cache-password"));
    const stdin = (name: string) => revealed(leaf(resources, name).inputs).stdin;
    assert.deepEqual(
      [stdin("redis-cache-password"), stdin("redis-cache-only-password")],
      [stdin("redis-password"), stdin("redis-only-password")],
    );
    const alone = await runProgram({ ...config, redis: { image: "redis:8.0", cache: { enabled: false } } });
    assert.deepEqual(
      leaves(alone.resources).filter(({ name }) => /redis-cache|volumes-cache/.test(name)),
      [],
    );
    const replica: string[] = revealed(leaf(alone.resources, "app-1").inputs).envs;
    assert.ok(replica.includes("REDIS_CACHE_HOST=redis"));
  });

  it("runs no server where one is elsewhere, and lets everybody reach it who needs it", async () => {
    const ca = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
    const { resources: all } = await runProgram({
      ...config,
      database: { external: { host: "db.example.com", port: 3307, ca } },
      redis: { external: { host: "redis.example.com" } },
    });
    assert.deepEqual(
      containers(all)
        .map(({ name }) => name)
        .filter((name) => /database|redis/.test(name)),
      [],
    );
    assert.deepEqual(
      leaves(all).filter(({ name }) => /redis-(cache-)?(only-)?password|backup-user|(database|redis)-image/.test(name)),
      [],
    );
    const replica = revealed(leaf(all, "app-1").inputs);
    for (const line of [
      "DB_HOST=db.example.com",
      "DB_PORT=3307",
      "MYSQL_ATTR_SSL_CA=/run/drydock/tls/database.crt",
      "REDIS_HOST=redis.example.com",
      "REDIS_CACHE_HOST=redis.example.com",
      "REDIS_SCHEME=tls",
      "REDIS_CAFILE=/etc/ssl/certs/ca-certificates.crt",
    ])
      assert.ok(replica.envs.includes(line), line);
    const pem = { file: "/run/drydock/tls/database.crt", content: ca, owner: "0", group: "0", permissions: "0444" };
    assert.deepEqual(
      replica.uploads.find(({ file }: any) => file === pem.file),
      pem,
    );
    const agent = revealed(leaf(all, "backup-agent").inputs);
    assert.deepEqual(
      agent.networksAdvanced.map(({ name }: any) => name),
      ["network-data-abcdef0", "network-restore-abcdef0", "network-app-abcdef0"],
    );
    const file = (name: string) => agent.uploads.find(({ file }: any) => file === `/run/drydock/${name}`).content;
    assert.match(
      file("database.cnf"),
      new RegExp(
        String.raw`^\[client\]\nhost=db\.example\.com\nport=3307\nuser="shop"\npassword="[^"]+"\n` +
          String.raw`ssl-ca=/run/drydock/tls/database\.crt\nssl-verify-server-cert\n$`,
      ),
    );
    const { external, physical } = JSON.parse(file("backup.json"));
    assert.deepEqual([external, physical], [true, false]);
    const step = (name: string) => revealed(leaf(all, name).inputs).environment;
    for (const name of ["preflight", "backup", "migrate"]) assert.equal(step(name).ALSO, "network-app-abcdef0", name);
    assert.equal(step("backup").DATABASE_IMAGE, "");
    assert.equal(revealed(leaf(resources, "preflight").inputs).environment.ALSO, undefined);
  });

  it(
    "tells Redis another password while it runs, and takes the one before away whenever one was added and the " +
      "release is proven",
    async () => {
      const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
      const steps = (all: Registered[]) =>
        ["redis-password", "redis-only-password"].map((name) => revealed(leaf(all, name).inputs));
      const [added, only] = steps(resources);
      assert.deepEqual(
        [added.create, added.environment],
        ["sh commands/redis-password.sh", { REDIS: "redis-abcdef0" }],
      );
      // The mocks' steps print nothing.
      assert.deepEqual(
        [only.create, only.environment],
        [added.create, { ...added.environment, NETWORK: "network-data-abcdef0", APP_PATH: "/var/www/html", ADDED: "" }],
      );
      assert.ok(leaf(resources, "redis-only-password").after.includes("redis-password"));
      for (const { stdin } of [added, only]) assert.equal(stdin.split("\n")[0], `#${sha256(env.REDIS_PASSWORD!)}`);
      const next = await runProgram({
        ...config,
        env: { ...env, REDIS_PASSWORD: env.DB_PASSWORD!.split("").reverse().join("") },
      });
      assert.deepEqual(leaf(next.resources, "redis").inputs, leaf(resources, "redis").inputs);
      assert.notEqual(steps(next.resources)[0].stdin, added.stdin);
      const same = await runProgram({ ...config, env: { ...env, MAIL_FROM_NAME: "Shop" } });
      assert.deepEqual(steps(same.resources), [added, only]);
    },
  );

  it("puts out the URL, the release, the services and the env hash", () => {
    assert.equal(outputs.url, "http://127.0.0.1:8080");
    assert.match(String(outputs.release), /^[0-9a-f]{12}$/);
    assert.match(String(outputs.envHash), /^[0-9a-f]{64}$/);
    assert.deepEqual(
      (outputs.services as any[]).map(({ name, role, container }) => [name, role, container]),
      [
        ["proxy", "proxy", "proxy-abcdef0"],
        ...[1, 2, 3].map((n) => [`app-${n}`, "app", `app-${n}-abcdef0`]),
        ["horizon", "horizon", "horizon-abcdef0"],
        ["scheduler", "scheduler", "scheduler-abcdef0"],
        ["database", "database", "database-abcdef0"],
        ["redis", "redis", "redis-abcdef0"],
        ["redis-cache", "cache", "redis-cache-abcdef0"],
        ["backup-agent", "backup", "backup-agent-abcdef0"],
        ["backup-restore", "restore", "backup-restore-abcdef0"],
      ],
    );
  });

  it("asks whether the published port is free before the proxy gives way, and only when it is another", () => {
    assert.ok(leaf(resources, "proxy").after.includes("proxy-port"));
    assert.equal(revealed(leaf(resources, "proxy-port").inputs).environment.ADDRESS, "127.0.0.1:8080");
  });

  it("doesn't restart the database for other passwords in the settings: it has its own", () =>
    assert.deepEqual(leaf(resources, "database").ignoreChanges, ["uploads"]));

  it("never lets a release touch proxy, database or Redis", async () => {
    const next = await runProgram({
      ...config,
      app: { image: "registry.test/shop:2", replicas: 5 },
      env: { ...env, MAIL_FROM_NAME: "Shop" },
    });
    assert.notEqual(next.outputs.release, outputs.release);
    for (const name of ["proxy", "database", "redis"])
      assert.deepEqual(leaf(next.resources, name).inputs, leaf(resources, name).inputs);
  });

  it("names the same release for the same image and environment, whatever the sizes", async () => {
    const next = await runProgram({ ...config, app: { ...(config.app as object), replicas: 2, memory: 300 } });
    assert.equal(next.outputs.release, outputs.release);
  });

  it("runs a pinned image instead of the built or named one, under the current environment", async () => {
    const app = { ...(config.app as object), pinned: "registry.test/shop:0" };
    const next = await runProgram({ ...config, app });
    assert.equal(leaf(next.resources, "app-image").inputs.name, "registry.test/shop:0");
    for (const name of ["app-1", "horizon", "scheduler"])
      assert.equal(leaf(next.resources, name).inputs.image, "registry.test/shop:0");
    assert.equal(
      leaf(next.resources, "app-1").inputs.envs.filter((one: string) => !one.startsWith("DRYDOCK_RELEASE")).length,
      leaf(resources, "app-1").inputs.envs.length - 1,
    );
    const built = await runProgram({
      ...config,
      app: { build: { context: "examples/laravel" }, pinned: "drydock/app:0123456789ab" },
    });
    assert.deepEqual(
      [leaf(built.resources, "app-image").type, leaf(built.resources, "app-image").inputs.name],
      ["docker:index/remoteImage:RemoteImage", "drydock/app:0123456789ab"],
    );
  });

  it("refuses breaking migrations unless the stack is local or says otherwise", async () => {
    const breaking = async (overrides: Record<string, unknown>) =>
      revealed(leaf((await runProgram({ ...config, ...overrides })).resources, "backup").inputs).environment.BREAKING;
    assert.equal(await breaking({}), "warn");
    assert.equal(await breaking({ migrate: { breaking: "refuse" } }), "refuse");
    assert.equal(await breaking({ env: { ...env, APP_ENV: "staging" }, proxy: { image: "nginx:1.30" } }), "refuse");
  });

  it("lets migrations wait that the backup's step says so of", () => {
    assert.deepEqual(verdict('no migration is pending\n{"hold":[],"pending":0}'), { hold: [], pending: false });
    assert.deepEqual(verdict('backup: …\n{"hold":["2026_a","2026_b"]}'), { hold: ["2026_a", "2026_b"], pending: true });
    assert.deepEqual(verdict(""), { hold: [], pending: true }, "what is not known is run");
    assert.ok(leaf(resources, "migrate").after.includes("backup"));
  });

  it("records the release without variables or secrets, again only where something of it changed", async () => {
    const input = ({ resources }: { readonly resources: readonly Registered[] }) =>
      revealed(leaf(resources, "record").inputs).environment;
    const environment = input({ resources });
    const record = JSON.parse(environment.RECORD);
    assert.deepEqual(Object.keys(record), ["key", "release", "image", "pinned", "env", "settings"]);
    assert.deepEqual(
      [record.release, record.image, environment.KEY],
      [outputs.release, "registry.test/shop:1", record.key],
    );
    assert.deepEqual(input(await runProgram(config)), environment);
    assert.deepEqual(
      input(
        await runProgram({
          ...config,
          database: { ...(config.database as object), rootPassword: "another-password-of-enough-characters-123" },
        }),
      ),
      environment,
    );
    assert.notEqual(
      input(await runProgram({ ...config, app: { ...(config.app as object), replicas: 5 } })).KEY,
      environment.KEY,
    );
    assert.equal(
      recordedIn('{"sequence":3,"key":"k","release":"r","image":"i","id":"d","migrations":{}}')?.sequence,
      3,
    );
    assert.equal(recordedIn(""), null);
    assert.equal(
      recordedIn('{"sequence":1,}'),
      null,
      "what an earlier version has left of a noisy application stops no preview",
    );
  });

  it("starts as many successors at once as app.startTogether says", async () => {
    const next = await runProgram({ ...config, app: { ...(config.app as object), replicas: 4, startTogether: 2 } });
    const waitsFor = (name: string) => leaf(next.resources, name).after.filter((one) => /^app-\d/.test(one));
    assert.deepEqual(["app-1", "app-2", "app-3", "app-4"].map(waitsFor), [[], [], ["app-1"], ["app-2"]]);
  });

  it("has an image that serves HTTP start as it would by itself, after what Laravel needs", async () => {
    const next = await runProgram({ ...config, app: { ...(config.app as object), server: "http" } });
    const { inputs } = leaf(next.resources, "app-1");
    // The mocks' steps print nothing.
    assert.deepEqual(
      [inputs.entrypoints, inputs.command, inputs.stopSignal],
      [["/bin/sh", "/drydock/start.sh"], undefined, "SIGTERM"],
    );
    assert.deepEqual(inputs.capabilities, { drops: ["ALL"], adds: ["NET_BIND_SERVICE"] });
    for (const role of ["app-1", "horizon", "scheduler"])
      assert.ok(leaf(next.resources, role).inputs.envs.includes("DRYDOCK_BEHIND_PROXY=1"), role);
    assert.deepEqual(inputs.healthcheck.tests.slice(5), ["php", "-n", "/drydock/http.php", "http://127.0.0.1:80/up"]);
    assert.equal(leaf(next.resources, "opcache"), undefined);
    assert.ok(revealed(leaf(next.resources, "switch").inputs).stdin.includes("proxy_pass http://app;"));
    assert.ok(revealed(inputs).uploads.some(({ file }: any) => file === "/run/drydock/start"));
    assert.equal(startOf('{"Entrypoint":["entry"],"Cmd":["it\'s","-p","80"]}'), "'entry' 'it'\\''s' '-p' '80'");
    assert.equal(startOf('{"Entrypoint":null,"Cmd":["server"]}'), "'server'");
    const named = await runProgram({
      ...config,
      app: { ...(config.app as object), server: "http", command: ["php", "artisan", "serve"] },
    });
    assert.deepEqual(
      [leaf(named.resources, "app-1").inputs.entrypoints, leaf(named.resources, "app-1").inputs.command],
      [
        ["/bin/sh", "/drydock/start.sh"],
        ["php", "artisan", "serve"],
      ],
    );
    assert.equal(leaf(named.resources, "app-start"), undefined);
  });

  it("gives PHP the stack's settings in each container of the application, with what a release needs", async () => {
    const next = await runProgram({
      ...config,
      app: {
        ...(config.app as object),
        php: { memory_limit: "256M", "date.timezone": "Europe/Berlin", error_reporting: "E_ALL & ~E_DEPRECATED" },
      },
    });
    const ini = (name: string) =>
      revealed(leaf(next.resources, name).inputs).uploads.find(
        ({ file }: any) => file === "/run/drydock/php/drydock.ini",
      ).content;
    assert.deepEqual(ini("app-1").trim().split("\n"), [
      'expose_php = "0"',
      'display_errors = "0"',
      'display_startup_errors = "0"',
      'log_errors = "1"',
      'upload_max_filesize = "32M"',
      'post_max_size = "33M"',
      'upload_tmp_dir = "/var/www/html/storage/app/.drydock-uploads"',
      'opcache.enable = "1"',
      'opcache.validate_timestamps = "0"',
      'memory_limit = "256M"',
      'date.timezone = "Europe/Berlin"',
      "error_reporting = E_ALL & ~E_DEPRECATED",
    ]);
    assert.deepEqual([ini("horizon"), ini("scheduler")], [ini("app-1"), ini("app-1")]);
    assert.notEqual(next.outputs.release, outputs.release);
  });

  it("looks into the image before anything is changed", () => {
    for (const name of ["backup", "migrate", "assets", "app-1"])
      assert.ok(closure(leaves(resources), name).has("preflight"), name);
    assert.ok(
      closure(leaves(resources), "preflight").has("app-image") &&
        !closure(leaves(resources), "preflight").has("database"),
    );
  });

  describe("in staging or production, also where no policy pack was given", () => {
    const digest = (name: string) => `registry.test/${name}@sha256:${"1".repeat(64)}`;
    const images = {
      app: { image: digest("shop"), replicas: 1 },
      database: { ...(config.database as object), image: digest("mariadb") },
      redis: { image: digest("redis") },
      proxy: { image: digest("nginx") },
      backup: { ...(config.backup as object), image: digest("backup") },
    };
    for (const stage of ["staging", "production"]) {
      const guarded = { ...config, ...images, env: { ...env, APP_ENV: stage, APP_URL: "https://shop.test" } };

      it(`creates no unsafe container in ${stage}`, async () => {
        const safe = await runProgram(guarded);
        assert.equal(containers(safe.resources).length, 9);
        await assert.rejects(
          runProgram({ ...guarded, horizon: { command: ["php", "artisan", "migrate:fresh"] } }),
          (error: Error) => {
            assert.match(
              error.message,
              new RegExp(
                `^horizon would be unsafe in ${stage}, so it was not created:\n\n\\[no-destructive-artisan\\]`,
              ),
            );
            assert.ok(!error.message.includes(env.APP_KEY!) && !error.message.includes(env.DB_PASSWORD!));
            return true;
          },
        );
      });

      const off = { enabled: false };
      const ways: readonly (readonly [string, object])[] = [
        [
          "another user, port and path",
          { app: { ...images.app, uid: 33, gid: 33, server: "http", port: 8000, healthPath: "/status" } },
        ],
        [
          "other users of the servers",
          {
            database: { ...images.database, uid: 1001, gid: 1001 },
            redis: { ...images.redis, uid: 1002 },
            proxy: { ...images.proxy, uid: 82, gid: 82 },
          },
        ],
        ["no scheduler and no workers", { scheduler: off, horizon: off }],
        ["no migrations and no backups", { migrate: off, backup: off }],
        ["no backups", { backup: off }],
        [
          "MySQL",
          { database: { ...images.database, engine: "mysql" }, env: { ...guarded.env, DB_CONNECTION: "mysql" } },
        ],
        [
          "a database and Redis elsewhere",
          {
            database: {
              external: {
                host: "db.example.com",
                ca: "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
              },
            },
            redis: { external: { host: "redis.example.com" } },
          },
        ],
        ["a bucket of its own", { bucket: { name: "shop-backups", region: "eu-central-1" } }],
      ];
      // What staging refuses, production does as well.
      for (const [title, way] of stage === "production" ? ways : [])
        it(`accepts in ${stage} what the settings accept: ${title}`, async () =>
          void (await runProgram({ ...guarded, ...way })));
    }
  });

  it("can do without Horizon, scheduler and migrations", async () => {
    const off = { enabled: false };
    const next = await runProgram({ ...config, horizon: off, scheduler: off, migrate: off });
    for (const name of ["horizon", "scheduler", "migrate", "backup"])
      assert.equal(leaf(next.resources, name), undefined);
    assert.ok(closure(leaves(next.resources), "verify").has("database"));
  });
});
