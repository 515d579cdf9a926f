import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { imageTags } from "../../cli/setup/images.ts";
import { freePort } from "../../cli/setup/port.ts";
import type { Entry } from "../../contracts/entry.ts";
import { Browser } from "../support/browser.ts";
import { Clone, docker, type Status } from "../support/clone.ts";
import { Load } from "../support/load.ts";

/** Servers outside of the stack, which speak TLS alone, with certificates of an authority of their own. */
describe("a database and a Redis elsewhere", function () {
  this.timeout(900_000);
  const clone = new Clone();
  const id = `drydock-external-${randomBytes(4).toString("hex")}`;
  const folder = mkdtempSync(join(tmpdir(), `${id}-`));
  const password = () => randomBytes(24).toString("hex");
  const passwords = { root: password(), database: password(), redis: password() };
  const ports = { database: 0, redis: 0 };
  let address: string;
  let status: Status;

  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "pipe", "ignore"] });
  const authority = (name: string) =>
    openssl(
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "2",
      "-subj",
      `/CN=${name}`,
      "-keyout",
      `${name}.key`,
      "-out",
      `${name}.pem`,
    );
  const pem = (name: string) => readFileSync(join(folder, `${name}.pem`), "utf8");
  const set = async (path: string, value: string, secret = false) => {
    // On standard input: certificates begin as options do.
    const line =
      'eval "$(./drydock env 2>/dev/null)" && printf %s "$0" | pulumi config set --non-interactive --path "$@"';
    const { code, stderr } = await clone.run("bash", [
      "-c",
      line,
      value,
      `drydock:${path}`,
      ...(secret ? ["--secret"] : []),
    ]);
    assert.equal(code, 0, stderr);
  };
  const outside = (name: string, image: string, env: Record<string, string>, command: string[]) =>
    docker(
      "run",
      "--detach",
      "--name",
      `${id}-${name}`,
      "--label",
      "drydock.test=external",
      "--network",
      "host",
      "--user",
      "999:999",
      "--volume",
      `${folder}:/tls:ro`,
      ...(name === "database" ? ["--volume", `${id}:/var/lib/mysql`] : []),
      ...Object.entries(env).flatMap(([key, value]) => ["--env", `${key}=${value}`]),
      image,
      ...command,
    );
  const sql = (statement: string) =>
    execFileSync(
      "docker",
      [
        "exec",
        "-i",
        `${id}-database`,
        "sh",
        "-c",
        'exec mariadb -N --skip-ssl --protocol=socket --user=root --password="$MARIADB_ROOT_PASSWORD" laravel',
      ],
      { input: statement, encoding: "utf8", stdio: ["pipe", "pipe", "pipe"] },
    ).trim();

  const answers = async () => {
    for (let left = 150; ; left--, await sleep(1_000)) {
      try {
        return sql("SELECT 1");
      } catch (error) {
        assert.ok(left > 0, `${docker("logs", `${id}-database`)}${String(error)}`);
      }
    }
  };

  before(async () => {
    // An address of this machine that containers of all networks reach.
    docker("network", "create", "--label", "drydock.test=external", id);
    address = docker("network", "inspect", id, "--format", "{{(index .IPAM.Config 0).Gateway}}");
    for (const name of ["ours", "another"]) authority(name);
    openssl(
      "req",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-subj",
      "/CN=outside",
      "-keyout",
      "server.key",
      "-out",
      "server.csr",
    );
    writeFileSync(join(folder, "names"), `subjectAltName=IP:${address}\n`);
    openssl(
      "x509",
      "-req",
      "-in",
      "server.csr",
      "-CA",
      "ours.pem",
      "-CAkey",
      "ours.key",
      "-CAcreateserial",
      "-days",
      "2",
      "-extfile",
      "names",
      "-out",
      "server.pem",
    );
    chmodSync(folder, 0o755);
    chmodSync(join(folder, "server.key"), 0o644);
    ports.database = await freePort(33_060, address);
    ports.redis = await freePort(ports.database + 1, address);
    const { database, redis } = imageTags();
    const listens = [`--port=${ports.database}`, `--bind-address=${address}`];
    const env = {
      MARIADB_ROOT_PASSWORD: passwords.root,
      MARIADB_DATABASE: "laravel",
      MARIADB_USER: "shop",
      MARIADB_PASSWORD: passwords.database,
    };
    outside("database", database, env, listens);
    await answers();
    // What makes a new database asks it without a password, and so can't check a certificate.
    docker("rm", "--force", `${id}-database`);
    outside("database", database, env, [
      ...listens,
      "--ssl-cert=/tls/server.pem",
      "--ssl-key=/tls/server.key",
      "--require-secure-transport=ON",
    ]);
    outside("redis", redis, {}, [
      "--port",
      "0",
      "--tls-port",
      String(ports.redis),
      "--bind",
      address,
      "--requirepass",
      passwords.redis,
      "--tls-auth-clients",
      "no",
      "--tls-cert-file",
      "/tls/server.pem",
      "--tls-key-file",
      "/tls/server.key",
      "--tls-ca-cert-file",
      "/tls/ours.pem",
    ]);
    await answers();
    await clone.drydock(["env"]);
    await clone.pulumi(["stack", "init", "local"]);
    await set("app.replicas", "2");
    for (const name of ["database", "redis"] as const) {
      await set(`${name}.external.host`, address);
      await set(`${name}.external.port`, String(ports[name]));
    }
    await set("env.DB_USERNAME", "shop");
    await set("env.DB_PASSWORD", passwords.database, true);
    await set("env.REDIS_PASSWORD", password(), true);
    await set("database.external.ca", pem("another"));
    await set("redis.external.ca", pem("ours"));
  });
  after(async () => {
    await clone.remove();
    for (const name of ["database", "redis", "scheduler"]) docker("rm", "--force", "--volumes", `${id}-${name}`);
    docker("network", "rm", id);
    docker("volume", "rm", id);
    rmSync(folder, { recursive: true, force: true });
  });

  it("are refused with the reason, before anything is changed, where they can't be used", async () => {
    const { code, stdout, stderr } = await clone.drydock(["up"]);
    assert.notEqual(code, 0);
    assert.match(
      stdout + stderr,
      /drydock:database\.external can't be used: (TLS fails: )?its certificate is not signed by who is trusted here/,
    );
    assert.match(stdout + stderr, /drydock:redis\.external can't be used: it refuses REDIS_PASSWORD/);
    assert.equal(sql("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'laravel'"), "0");
  });

  it("are used by all of the stack, encrypted, and none is run beside them", async () => {
    await set("database.external.ca", pem("ours"));
    await set("env.REDIS_PASSWORD", passwords.redis, true);
    const { code, stdout, stderr } = await clone.drydock(["up"]);
    assert.equal(code, 0, stdout + stderr);
    status = await clone.status();
    assert.ok(
      status.services.every(({ health }) => health === "healthy"),
      JSON.stringify(status.services),
    );
    assert.deepEqual(
      status.services.filter(({ role }) => ["database", "redis", "cache"].includes(role)),
      [],
    );
    assert.match(sql("SELECT COUNT(*) FROM migrations"), /^[1-9]/);
    const visitor = new Browser(status.url);
    for (const count of [1, 2]) assert.deepEqual(await (await visitor.json("/api/session", {})).json(), { count });
    await visitor.json("/api/jobs", { id: "outside", seconds: 0 });
    const load = new Load(status.url, { clients: 2, slowSeconds: 1 });
    await sleep(5_000);
    const { rows, reasons } = await load.stop();
    assert.deepEqual([rows > 0, reasons], [true, {}]);
    assert.deepEqual(await (await visitor.get("/api/jobs/outside")).json(), { runs: 1 });
  });

  it("are backed up as a dump that is proven; a restore of files leaves them alone", async () => {
    const [replica] = status.services.filter(({ role }) => role === "app").map(({ container }) => container);
    const app = (script: string) => docker("exec", replica!, "sh", "-c", script);
    app("printf before > storage/app/kept.txt");
    const said = await clone.drydock(["backup", "run", "--json"]);
    assert.equal(said.code, 0, said.stdout + said.stderr);
    const { backup } = JSON.parse(said.stdout.trim().split("\n").at(-1)!) as { backup: Entry };
    assert.deepEqual([backup.verified, backup.database?.format, backup.verification?.problems], [true, "logical", []]);
    assert.ok(backup.verification!.rows > 0);
    const restore = await clone.drydock(["backup", "restore", "latest", "--db", "--yes"]);
    assert.equal(restore.code, 3, restore.stdout + restore.stderr);
    assert.match(
      restore.stderr,
      /is a server elsewhere \(drydock:database\.external\): nothing is put into it[^]*agent dump ID > database\.sql/,
    );
    app("printf after > storage/app/kept.txt");
    const rows = sql("SELECT COUNT(*) FROM migrations");
    const files = await clone.drydock(["backup", "restore", backup.id, "--files", "--yes"]);
    assert.equal(files.code, 0, files.stdout + files.stderr);
    assert.equal(app("cat storage/app/kept.txt"), "before");
    assert.equal(sql("SELECT COUNT(*) FROM migrations"), rows);
    const forgotten = await clone.drydock(["backup", "restore", "--forget-previous", "--yes"]);
    assert.match(forgotten.stdout, /^Removed: \.drydock-before-/, forgotten.stderr);
    assert.match((await clone.drydock(["backup", "restore", "--resume"])).stdout, /No restore was cut off/);
    const agent = status.services.find(({ role }) => role === "backup")!.container;
    assert.match(docker("exec", agent, "agent", "dump", backup.id), /-- Dump completed/);
    // A log that nobody follows is no alarm: so long it takes until a missing one would be.
    await sleep(75_000);
    assert.equal((await clone.drydock(["backup", "status"])).code, 0);
    // Another clone's stack of the same name has a scheduler of its own, on networks of its own.
    const labels = ["drydock.test=external", "drydock.role=scheduler", "drydock.stack=local"];
    docker(
      ...["run", "--detach", "--rm", "--init", "--name", `${id}-scheduler`, "--network", id],
      ...labels.flatMap((label) => ["--label", label]),
      ...["--entrypoint", "sleep", imageTags().redis, "600"],
    );
    const { stdout } = await clone.drydock(["doctor", "--json"]);
    const { checks } = JSON.parse(stdout) as { checks: { id: string; verdict: string; details: string[] }[] };
    assert.deepEqual(
      checks.filter(({ verdict }) => verdict !== "fine"),
      [],
    );
  });
});
