import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { Clone, docker, type Result, type Status } from "../support/clone.ts";
import { Load } from "../support/load.ts";
import { Moto } from "../support/moto.ts";

const said = ({ stdout, stderr }: Result) => stdout + stderr;

/** A stack whose backups go to S3 as well; moto is on its network. */
async function deploy(clone: Clone, moto: Moto, key?: string): Promise<Status> {
  assert.equal((await clone.drydock(["env"])).code, 0);
  await clone.pulumi(["stack", "init", "local"]);
  const set = (path: string, value: string, ...flags: string[]) => clone.set(`backup.${path}`, value, ...flags);
  for (const [path, value] of [
    ["bucket", "shop"],
    ["region", "eu-central-1"],
    ["endpoint", moto.internal],
    ["accessKeyId", "test"],
  ] as const)
    await set(`s3.${path}`, value);
  await set("s3.secretAccessKey", randomBytes(12).toString("hex"), "--secret");
  if (key !== undefined) await set("key", key, "--secret");
  const up = await clone.drydock(["up"]);
  assert.equal(up.code, 0, said(up));
  const status = await clone.status();
  const networks = docker(
    "inspect",
    "--format",
    "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}",
    container(status, "backup"),
  ).split(" ");
  moto.join(networks.find((name) => name.startsWith("network-app"))!);
  return status;
}

const container = ({ services }: Status, role: string): string =>
  services.find((service) => service.role === role)!.container;
const sql = (status: Status, statements: string): string =>
  docker(
    "exec",
    container(status, "database"),
    "sh",
    "-c",
    'MYSQL_PWD=$(cat /run/drydock/root-password) mariadb -uroot -N laravel -e "$1"',
    "sql",
    statements,
  );

describe("restoring backups", function () {
  this.timeout(900_000);
  let moto: Moto;
  let clone: Clone;
  let status: Status;
  const backup = async (...args: string[]): Promise<Result> => clone.drydock(["backup", ...args]);
  const ok = async (...args: string[]): Promise<Result> => {
    const result = await backup(...args);
    assert.equal(result.code, 0, said(result));
    return result;
  };
  const last = ({ stdout }: Result): any => JSON.parse(stdout.trim().split("\n").at(-1)!);
  const app = (script: string): string => docker("exec", container(status, "app"), "sh", "-c", script);
  const sums = () => sql(status, "CHECKSUM TABLE `rows`, migrations, kept; SELECT COUNT(*) FROM `rows`");

  before(async () => {
    moto = await Moto.start();
    await new S3Client({
      endpoint: moto.url,
      region: "eu-central-1",
      forcePathStyle: true,
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    }).send(
      new CreateBucketCommand({ Bucket: "shop", CreateBucketConfiguration: { LocationConstraint: "eu-central-1" } }),
    );
    clone = new Clone();
    status = await deploy(clone, moto);
    sql(
      status,
      "CREATE TABLE kept (id INT PRIMARY KEY, name VARCHAR(20)); INSERT INTO kept VALUES (1, 'one'), (2, 'two'); " +
        "CREATE VIEW both_rows AS SELECT name FROM kept",
    );
    docker(
      "exec",
      container(status, "database"),
      "sh",
      "-c",
      'MYSQL_PWD=$(cat /run/drydock/root-password) mariadb -uroot laravel -e "CREATE TRIGGER upper_name BEFORE ' +
        'INSERT ON kept FOR EACH ROW SET NEW.name = UPPER(NEW.name)"',
    );
  });
  /** The networks of a stack can't be removed while moto is in them. */
  const leave = (): void => {
    const networks =
      moto === undefined
        ? []
        : docker(
            "inspect",
            "--format",
            "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}",
            moto.container,
          ).split(" ");
    for (const name of networks.filter((name) => name.startsWith("network-")))
      docker("network", "disconnect", name, moto.container);
  };
  after(async () => {
    leave();
    await clone?.remove();
    moto?.remove();
  });

  it("has every row that was acknowledged before, with triggers and views, and keeps what was live", async () => {
    const load = new Load(status.url, { clients: 2 });
    await sleep(4_000);
    const acknowledged = load.count.rows;
    const { backup: made } = last(await ok("run", "--json"));
    assert.equal(made.verified, true);
    await load.stop();
    assert.ok(acknowledged > 0);
    const restored = last(await ok("restore", made.id, "--db", "--yes", "--json", "--no-backup"));
    assert.equal(restored.schema, "laravel");
    assert.ok(Number(sql(status, "SELECT COUNT(*) FROM `rows`")) >= acknowledged);
    assert.equal(Number(sql(status, `SELECT COUNT(*) FROM ${restored.previous[0]}.\`rows\``)), load.count.rows);
    sql(status, "INSERT INTO kept VALUES (3, 'three')");
    assert.equal(sql(status, "SELECT GROUP_CONCAT(name ORDER BY name) FROM both_rows"), "one,THREE,two");
    assert.equal((await fetch(status.url)).status, 200);
  });

  it("goes back to the second before a mistake, into a schema beside and in place", async () => {
    await ok("run", "--type", "db");
    sql(status, "INSERT INTO kept VALUES (10, 'ten'), (11, 'eleven')");
    await sleep(2_100);
    const time = new Date().toISOString().slice(0, 19);
    await sleep(2_100);
    sql(status, "DELETE FROM kept");
    await ok("restore", "latest", "--db", "--to-time", time, "--into", "look");
    assert.equal(sql(status, "SELECT GROUP_CONCAT(id ORDER BY id) FROM look.kept"), "1,2,3,10,11");
    assert.equal(sql(status, "SELECT COUNT(*) FROM kept"), "0");
    await ok("restore", "latest", "--db", "--to-time", time, "--yes", "--no-backup");
    assert.equal(sql(status, "SELECT GROUP_CONCAT(id ORDER BY id) FROM kept"), "1,2,3,10,11");
  });

  const beside = (): string =>
    docker(
      "exec",
      container(status, "database"),
      "sh",
      "-c",
      "cd /var/lib/mysql && ls -d .drydock/*/ 2>/dev/null || true",
    );
  const companions = (): string =>
    docker("ps", "--all", "--quiet", "--filter", `name=^${container(status, "restore")}-beside$`);

  it("puts the server's files in place, keeps the earlier ones beside them, and backups go on", async () => {
    await ok("run");
    const before = sums();
    sql(status, "DELETE FROM kept; DROP VIEW both_rows");
    const restored = await ok("restore", "latest", "--db", "--physical", "--yes", "--json", "--no-backup");
    const { previous } = last(restored);
    assert.match(restored.stderr, /prepared in [\d.]+ s: copied from what its proof has left$/m);
    assert.equal(sums(), before);
    assert.equal(sql(status, "SELECT COUNT(*) FROM both_rows"), sql(status, "SELECT COUNT(*) FROM kept"));
    assert.match(beside(), new RegExp(`^${previous[0]}/$`, "m"));
    assert.doesNotMatch(sql(status, "SHOW SCHEMAS"), /drydock/);
    assert.equal(companions(), "");
    // What is kept is in no backup, and no increment builds on what was made before: the server counts otherwise now.
    const [full, next] = [
      last(await ok("run", "--type", "incremental", "--json")).backup,
      last(await ok("run", "--type", "incremental", "--json")).backup,
    ];
    assert.deepEqual(
      [full.verified, full.database.base, next.verified, next.database.base],
      [true, undefined, true, full.id],
    );
    // An older one, from the repository; then the newest, compared once more.
    assert.match(
      (await ok("restore", full.id, "--db", "--physical", "--yes", "--no-backup")).stderr,
      /prepared in [\d.]+ s$/m,
    );
    assert.equal(sums(), before);
    assert.match(
      (await ok("restore", next.id, "--db", "--physical", "--compare", "--yes", "--no-backup")).stderr,
      /has left, compared$/m,
    );
    assert.equal(sums(), before);
    await ok("restore", "--forget-previous", "--yes");
    assert.doesNotMatch(beside(), /before/);
  });

  it("goes back to a second with the server's files too", async () => {
    const { backup: made } = last(await ok("run", "--json"));
    sql(status, "DELETE FROM kept WHERE id > 1");
    await sleep(2_100);
    const time = new Date().toISOString().slice(0, 19);
    await sleep(2_100);
    sql(status, "DELETE FROM kept");
    await ok("restore", made.id, "--db", "--physical", "--to-time", time, "--yes", "--no-backup");
    assert.equal(sql(status, "SELECT GROUP_CONCAT(id ORDER BY id) FROM kept"), "1");
    // What the log says from here on is of other data than that backup: no moment behind the restore, each before it.
    sql(status, "INSERT INTO kept VALUES (77, 'later')");
    await sleep(2_100);
    const now = new Date().toISOString().slice(0, 19);
    await sleep(1_100);
    const refused = await backup("restore", made.id, "--db", "--into", "look2", "--to-time", now);
    assert.equal(refused.code, 3, said(refused));
    assert.match(
      said(refused),
      /the server's files were replaced by a restore after .*backup that was made after that restore/s,
    );
    await ok("restore", made.id, "--db", "--into", "look2", "--to-time", time);
    assert.equal(sql(status, "SELECT GROUP_CONCAT(id ORDER BY id) FROM look2.kept"), "1");
    sql(status, "DELETE FROM kept WHERE id = 77; DROP DATABASE look2");
  });

  it("takes all of it back where the restored files are not what they should be", async () => {
    const { backup: made } = last(await ok("run", "--json"));
    const [before, kept] = [sums(), beside()];
    // The server that starts on them refuses them.
    const child = clone.start(["backup", "restore", made.id, "--db", "--physical", "--yes", "--no-backup"]);
    let said = "";
    let damaged = false;
    child.stderr!.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (damaged || !/prepared in/.test(said)) return;
      damaged = true;
      docker(
        "exec",
        `${container(status, "restore")}-beside`,
        "sh",
        "-c",
        "for one in /var/lib/mysql/.drydock/restores/*/data; do head -c 100 /dev/urandom > $one/ibdata1; done",
      );
    });
    const code = await new Promise((resolve) => child.once("close", resolve));
    assert.notEqual(code, 0, said);
    assert.match(said, /taking it back/);
    assert.equal(sums(), before);
    assert.equal(beside(), kept);
    assert.equal((await fetch(status.url)).status, 200);
  });

  it("restores files, and keeps those that were there", async () => {
    app("mkdir -p storage/app/up && echo hello > storage/app/up/a.txt && echo two > storage/app/b.txt");
    await ok("run", "--type", "files");
    app("rm -r storage/app/up && echo changed > storage/app/b.txt");
    const { previous } = last(await ok("restore", "latest", "--files", "--yes", "--json"));
    assert.equal(app("cat storage/app/up/a.txt storage/app/b.txt"), "hello\ntwo");
    assert.equal(app(`cat storage/app/${previous[0]}/b.txt`), "changed");
  });

  for (const [how, started, after] of [
    ["table by table", /loading backup/, 1_500],
    ["physically", /preparing the server's files/, 300],
  ] as const) {
    it(`leaves the live database alone when it is killed halfway: ${how}`, async () => {
      await ok("run");
      const before = sums();
      const args = ["latest", "--db", "--yes", ...(how === "physically" ? ["--physical"] : [])];
      const child = clone.start(["backup", "restore", ...args]);
      await new Promise<void>((resolve, reject) => {
        child.stderr!.on("data", (chunk: Buffer) => {
          if (started.test(chunk.toString())) setTimeout(resolve, after);
        });
        child.once("exit", (code) => reject(new Error(`it ended before it could be killed: ${code}`)));
      });
      child.kill("SIGKILL");
      await sleep(2_000);
      assert.equal(sums(), before);
      assert.equal((await fetch(status.url)).status, 200);
      // Nobody has to clear up after it.
      for (let end = Date.now() + 60_000; companions() !== "" && Date.now() < end; ) await sleep(1_000);
      assert.equal(companions(), "");
      assert.equal(
        docker(
          "exec",
          container(status, "database"),
          "sh",
          "-c",
          "ls /var/lib/mysql/.drydock/restores 2>/dev/null || true",
        ),
        "",
      );
      await ok("restore", ...args, "--no-backup");
      assert.equal(sums(), before);
      assert.doesNotMatch(sql(status, "SHOW SCHEMAS"), /_restore_/);
    });
  }

  it("closes the site again as it was closed when the backup was made", async () => {
    const maintenance = async (...args: string[]): Promise<string> => {
      const result = await clone.drydock(["maintenance", ...args]);
      assert.equal(result.code, 0, said(result));
      return result.stdout;
    };
    await maintenance(
      "on",
      "--message",
      "The stock is counted.",
      "--allow",
      "203.0.113.7",
      "--retry-after",
      "1234",
      "--secret",
    );
    const { backup: made } = last(await ok("run", "--json"));
    const closed = await maintenance("export");
    await maintenance("off");
    assert.equal((await fetch(status.url)).status, 200);
    await ok("restore", made.id, "--yes", "--no-backup");
    const response = await fetch(status.url);
    assert.deepEqual([response.status, response.headers.get("retry-after")], [503, "1234"]);
    assert.match(await response.text(), /The stock is counted\./);
    // With its secret, and for the same addresses.
    assert.equal(await maintenance("export"), closed);
    await maintenance("off");
  });

  it("asks before it overwrites, and needs --yes where it can't", async () => {
    const refused = await backup("restore", "latest", "--db");
    assert.equal(refused.code, 3);
    assert.match(said(refused), /add --yes/);
  });

  it("refuses a damaged backup before anything is touched", async () => {
    const before = sums();
    const agent = container(status, "backup");
    const { backup: made } = last(await ok("run", "--type", "db", "--json"));
    docker(
      "exec",
      agent,
      "sh",
      "-c",
      'for pack in $(find /backups/repository/data -type f); do chmod u+w "$pack"; ' +
        'printf broken | dd of="$pack" bs=1 seek=40 conv=notrunc 2>/dev/null; done',
    );
    const broken = await backup("restore", made.id, "--db", "--yes");
    assert.notEqual(broken.code, 0);
    assert.equal(sums(), before);
    assert.doesNotMatch(sql(status, "SHOW SCHEMAS"), /_restore_/);
  });

  it("rebuilds everything on an empty machine from the key and the bucket, and nothing with another key", async () => {
    await ok("key", "export", join(clone.dir, "the.key"));
    const key = readFileSync(join(clone.dir, "the.key"), "utf8").trim();
    const inS3 = async (): Promise<any> =>
      last(await ok("list", "--json")).backups.find(
        (entry: any) => entry.verified && entry.type === "full" && entry.copies.includes("s3"),
      );
    if ((await inS3()) === undefined) await ok("run");
    const newest = await inS3();
    assert.ok(newest);
    const elsewhere = async (own: string): Promise<Result> => {
      // One stack at a time has the published port, as on a machine that is gone.
      leave();
      await clone.remove();
      clone = new Clone();
      status = await deploy(clone, moto, own);
      return await backup("restore", newest.id, "--from-s3", "--yes", "--no-backup");
    };
    const refused = await elsewhere(randomBytes(24).toString("hex"));
    assert.equal(refused.code, 3, said(refused));
    assert.match(said(refused), /can be read with this key/);
    assert.doesNotMatch(sql(status, "SHOW TABLES"), /kept/);

    const restored = await elsewhere(key);
    assert.equal(restored.code, 0, said(restored));
    assert.equal(sql(status, "SELECT COUNT(*) FROM kept"), String(newest.database.sums.kept.rows));
    assert.equal(sql(status, "SELECT COUNT(*) FROM `rows`"), String(newest.database.sums.rows.rows));
    // What there is, is in S3 alone.
    const stats = last(await ok("stats", "--json"));
    assert.ok(stats.backups > 0 && stats.repositoryBytes > 10_000 && stats.binlogSegments > 0, JSON.stringify(stats));
  });
});
