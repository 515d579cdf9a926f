import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { ensureImages } from "../../cli/setup/images.ts";
import { SECRETS } from "../../contracts/agent.ts";
import type { Entry } from "../../contracts/entry.ts";
import { Rig } from "../support/backup/rig.ts";
import { docker } from "../support/clone.ts";
import { Moto } from "../support/moto.ts";

const OFF = { backup: "", health: "", cleanup: "" };
const BUCKET = { bucket: "shop-backups", region: "eu-central-1", prefix: "" };

/** Answers 403 to all. */
const FORBIDDEN =
  "require('http').createServer((q, r) => { q.resume(); r.writeHead(403, { 'content-type': 'application/xml' }); " +
  "r.end('<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'); }).listen(9000)";
/** Passes on to moto, 64 KiB and a tenth of a second at a time. */
const SLOW = `const net = require('net');
const pass = (from, to) => from.on('data', (d) => { from.pause(); to.write(d); setTimeout(() => from.resume(), 100);
  }).on('close', () => to.destroy()).on('error', () => to.destroy());
net.createServer((a) => { const b = net.connect(5000, 'moto'); pass(a, b); pass(b, a); }).listen(9000)`;
/** A mail server that keeps what it gets in its log. */
const MAIL = `require('net').createServer((s) => { let data = false; s.on('error', () => 0); s.write('220 mail\\r\\n');
require('readline').createInterface({ input: s }).on('line', (l) => {
  if (data) { console.log(l); if (l === '.') { data = false; s.write('250 taken\\r\\n'); } return; }
  if (/^DATA/i.test(l)) { data = true; s.write('354 go on\\r\\n'); } else if (/^QUIT/i.test(l)) s.end('221 bye\\r\\n');
  else s.write('250 mail\\r\\n');
}); }).listen(2525)`;

/**
 * What goes wrong around the agent: nothing partial is listed, what was there stays, it is told, and the next run is
 * fine.
 */
describe("a backup when things go wrong", function () {
  this.timeout(240_000);
  const rig = new Rig();
  let newest: Entry;
  const ids = async (): Promise<string[]> => ((await rig.agent("list")).last.backups as Entry[]).map(({ id }) => id);
  const change = async (what: Partial<Rig["configuration"]>): Promise<void> => {
    rig.configuration = { ...rig.configuration, ...what };
    await rig.startAgent();
  };

  before(async () => {
    await ensureImages({ log: () => undefined, host: process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock" });
    rig.disk = 320;
    rig.scratch = 1024;
    await rig.start();
    rig.sql(
      "CREATE TABLE fixed (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100)); INSERT INTO fixed (name) " +
        "SELECT CONCAT('name ', seq) FROM seq_1_to_5000",
    );
    rig.storage("mkdir -p app; head -c 200000 /dev/urandom > app/picture");
    newest = await rig.backup("full");
  });
  after(() => rig.stop());

  it("no room for another restore: what the last proof has left gives way, and no more is left", async () => {
    assert.equal(rig.kept(), `kept-${newest.id}`);
    // So much is free that a proof fits only in its place. Not written by the companion: what is in memory counts for
    // its limit.
    const inScratch = (script: string): string =>
      docker("exec", "--user", "0:0", rig.name("holder-scratch"), "sh", "-c", `cd /v && ${script}`);
    inScratch("head -c $(( $(df --output=avail -B1 . | tail -1) - 240000000 )) /dev/zero > filler");
    const { code, stdout, last } = await rig.agent("run", "--type", "full");
    assert.deepEqual([code, last.backup?.verified, rig.kept()], [0, true, ""], stdout);
    assert.match(stdout, /what was restored is not kept: there would not be room for another restore/);
    inScratch("rm filler");
    newest = await rig.backup("full");
    assert.equal(rig.kept(), `kept-${newest.id}`);
  });

  it("disk full: publishes nothing, keeps the newest, raises the alarm, and has room for the next one", async () => {
    // Not in the binary log, which would fill the disk first.
    rig.sql(
      "SET sql_log_bin = 0; CREATE TABLE large (id INT PRIMARY KEY AUTO_INCREMENT, body MEDIUMBLOB); " +
        "INSERT INTO large (body) SELECT RANDOM_BYTES(1024) FROM seq_1_to_400000",
    );
    const before = await ids();
    const { code, last } = await rig.agent("run", "--type", "full");
    assert.equal(code, 1);
    assert.match(last.message, /no space left/i);
    assert.deepEqual(await ids(), before);
    assert.equal((await rig.agent("verify", newest.id)).code, 0, "the one before");
    rig.sql("SET sql_log_bin = 0; DROP TABLE large");
    newest = await rig.backup("full");
    // Almost full: refused before anything is started, and told.
    rig.repository("head -c $(( $(df --output=avail -B1 /backups | tail -1) - 4000000 )) /dev/zero > filler");
    const refused = await rig.agent("run", "--type", "db");
    assert.match(refused.last.message, /has \d+ MiB left, and a backup may need \d+ MiB/);
    await rig.until("the alarm", () => rig.alarmed("disk"));
    rig.repository("rm filler");
    newest = await rig.backup("db");
    await rig.until("its end", async () => !(await rig.alarmed("disk")));
  });

  for (const [name, command, message] of [
    ["fails", ["sh", "-c", "echo because; echo why >&2; exit 3"], /hook pre: sh failed \(code 3\): why/],
    ["hangs", ["sleep", "600"], /hook pre: sleep took longer than 2 s/],
  ] as const) {
    it(`a hook pre that ${name}: nothing is started`, async () => {
      const before = await ids();
      await change({ hooks: { pre: { command: [...command], timeout: 2 } } });
      const { code, last } = await rig.agent("run", "--type", "db");
      assert.equal(code, 1);
      assert.match(last.message, message);
      assert.deepEqual(await ids(), before);
    });
  }

  it("a hook validate that fails: the backup is there, but not verified, and that is told", async () => {
    await change({ hooks: { validate: { command: ["sh", "-c", 'test -n "$BACKUP_ID" && exit 9'], timeout: 5 } } });
    const { code } = await rig.agent("run", "--type", "db");
    assert.equal(code, 1);
    const made = (await rig.agent("list")).last.backups[0] as Entry;
    assert.deepEqual([made.verified, made.verification!.problems.length], [false, 1]);
    assert.equal((await rig.agent("show", "latest")).last.backup.id, newest.id);
    await rig.until("the alarm", () => rig.alarmed("unverified"));
    await change({
      hooks: {
        pre: { command: ["sh", "-c", "echo $BACKUP_TYPE"], timeout: 5 },
        post: { command: ["sh", "-c", "echo after $BACKUP_ID"], timeout: 5 },
      },
    });
    newest = await rig.backup("db");
    await rig.until("its end", async () => !(await rig.alarmed("unverified")));
    await change({ hooks: {} });
  });

  it("goes back to a moment on the other side of a new file of the log, and of a restart of the agent", async () => {
    rig.sql(
      "INSERT INTO fixed (name) VALUES ('in the first file'); FLUSH BINARY LOGS; INSERT INTO fixed (name) " +
        "VALUES ('in the second')",
    );
    docker("kill", "--signal", "KILL", rig.name("agent"));
    rig.sql(
      "INSERT INTO fixed (name) VALUES ('while nobody followed'); FLUSH BINARY LOGS; INSERT INTO fixed (name) " +
        "VALUES ('in the third')",
    );
    const expected = rig.sql("SELECT COUNT(*) FROM fixed; CHECKSUM TABLE fixed").split(/\s/);
    await new Promise((wake) => setTimeout(wake, 2100));
    const mistake = rig.sql("DELETE FROM fixed; SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%dT%H:%i:%sZ')");
    docker("start", rig.name("agent"));
    await rig.until("the agent", async () => (await rig.agent("status")).last.rpoSeconds < 10);
    await new Promise((wake) => setTimeout(wake, 1500));
    const { code, last, stdout } = await rig.agent("dump", newest.id, "--to-time", mistake);
    assert.equal(code, 0, JSON.stringify(last));
    assert.deepEqual(last.sums["fixed"], { rows: Number(expected[0]), checksum: expected.at(-1) });
    assert.match(stdout, /while nobody followed/);
    rig.sql("INSERT INTO fixed (name) SELECT CONCAT('name ', seq) FROM seq_1_to_5000");
    newest = await rig.backup("full");
  });

  it("says which backups a damaged repository has spoilt, takes the damage out, backs up what was lost", async () => {
    rig.storage("head -c 3000000 /dev/urandom > app/large");
    rig.repository("touch started");
    const before = await rig.backup("files");
    rig.repository("touch ended");
    // The pack with the large file: the other backup doesn't need it.
    const pack = "$(find repository/data -type f -size +1M -newer started ! -newer ended | head -n 1)";
    rig.storage("rm app/large; head -c 2000000 /dev/urandom > app/other");
    const spared = await rig.backup("files");
    const picture = (): Promise<boolean> => rig.agent("verify", before.id).then(({ code }) => code === 0);
    assert.equal(await picture(), true);
    for (const damage of [
      "printf X | dd of=$f bs=1 seek=5000 conv=notrunc status=none",
      "truncate -s 90000 $f",
      "rm -f $f",
    ]) {
      rig.repository(`set -e; rm -rf kept; cp -a repository kept; f=${pack}; chmod u+w $f; ${damage}`);
      const { code, last } = await rig.agent("repair");
      assert.equal(code, 0, JSON.stringify(last));
      assert.equal(last.files, 1, damage);
      const { backups } = (await rig.agent("list")).last as { backups: Entry[] };
      const [spoilt, good] = [before, spared].map(({ id }) => backups.find((entry) => entry.id === id)!) as [
        Entry,
        Entry,
      ];
      assert.deepEqual(
        [last.affected.includes(before.id), spoilt.verified, good.verified],
        [true, false, true],
        damage,
      );
      assert.match(spoilt.verification!.problems.join(), /what it needs in the repository is damaged \([0-9a-f]{8}\)/);
      assert.equal((await rig.agent("verify", spared.id)).code, 0, damage);
      assert.match((await rig.agent("repair")).last.message, /nothing is damaged/);
      rig.repository("rm -rf repository damaged; mv kept repository");
      for (const id of last.affected as string[]) assert.equal((await rig.agent("verify", id)).code, 0, damage);
    }
    // What was in it is stored anew: the index doesn't believe any more that it is there.
    rig.repository(`rm ${pack}`);
    const checked = await rig.agent("check");
    assert.match(checked.last.message, new RegExp(`1 of its files, which \\d+ backups need: .*${before.id}`));
    assert.match(checked.last.remedy, /backup repair; then make a full backup/);
    assert.equal((await rig.agent("repair")).code, 0);
    newest = await rig.backup("full");
    rig.repository("rm -rf damaged started ended");
  });

  it("tells by mail when the check of the repository, at its time, finds damage, and when that is over", async () => {
    rig.serve("mail", MAIL);
    const due = () =>
      rig.repository(
        "echo '" +
          JSON.stringify({
            backup: new Date().toISOString(),
            cleanup: new Date().toISOString(),
            health: new Date(Date.now() - 8 * 86_400_000).toISOString(),
          }) +
          "' > state/schedules.json",
      );
    const mails = () => docker("logs", rig.name("mail"));
    rig.repository(
      "cp -a repository kept; f=$(ls -S repository/index/* | head -1); chmod u+w $f; " +
        "printf X | dd of=$f bs=1 seek=50 conv=notrunc status=none",
    );
    due();
    await change({
      schedule: { ...OFF, health: "0 1 * * 0" },
      email: { to: "ops@example.com", from: "drydock@example.com", host: "mail", port: 2525, security: "none" },
    });
    await rig.until("the mail", () => /Subject: \[drydock rig\] ALARM: health/.test(mails()), 90_000);
    assert.match(mails(), /\.\/drydock backup status/);
    rig.repository("rm -rf repository; mv kept repository");
    due();
    await rig.startAgent();
    await rig.until("the mail that it is over", () => /Subject: \[drydock rig\] over: health/.test(mails()), 90_000);
    assert.ok(!Object.values(rig.secrets).some((secret) => mails().includes(secret)));
    await change({ schedule: OFF });
  });

  it("the clock was a year ahead: the schedule goes on, it is told, and what was made is not the newest", async () => {
    const year = 365 * 86_400_000;
    const made = await rig.backup("db");
    rig.age([made.id], -365);
    newest = await rig.backup("db");
    const ahead = new Date(Date.now() + year).toISOString();
    rig.repository(
      `echo '${JSON.stringify({ backup: ahead, cleanup: ahead, health: ahead })}' > state/schedules.json; ` +
        "echo '{\"na' > state/alarms.json",
    );
    // Every minute: it has to come within that, not in a year.
    await change({ type: "db", schedule: { ...OFF, backup: "* * * * *" } });
    await rig.until("the alarms", async () => await rig.alarmed("clock"), 60_000);
    await rig.until(
      "the backup",
      async () => ((await rig.agent("list")).last.backups as Entry[])[0]!.reason === "scheduled",
      120_000,
    );
    await change({ type: "full", schedule: OFF });
    const { last } = await rig.agent("status");
    const { backups } = (await rig.agent("list")).last as { backups: Entry[] };
    assert.deepEqual([last.newest.id, backups.at(-1)!.id === made.id], [backups[0]!.id, false]);
    assert.ok(backups.findIndex(({ id }) => id === made.id) > backups.findIndex(({ id }) => id === newest.id));
    assert.ok(last.ageHours < 1);
    // Aged back, it is a backup like the others.
    rig.age([made.id], 365);
    await rig.until("its end", async () => !(await rig.alarmed("clock")), 60_000);
    newest = backups[0]!;
  });

  it(
    "a part of the binary log is gone before it was read: it is told, a backup is made, " +
      "and no moment behind it is promised",
    async () => {
      newest = await rig.backup("db");
      rig.remove("agent");
      rig.sql(
        "INSERT INTO fixed (name) VALUES ('nobody read it'); FLUSH BINARY LOGS; INSERT INTO fixed (name) " +
          "VALUES ('nor this'); FLUSH BINARY LOGS",
      );
      rig.sql(`PURGE BINARY LOGS TO '${rig.sql("SHOW BINARY LOGS").split("\n").at(-1)!.split("\t")[0]}'`);
      await change({ schedule: OFF });
      await rig.until("the alarm", () => rig.alarmed("binlog-hole"));
      const moment = rig.sql("SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%dT%H:%i:%sZ')");
      await new Promise((wake) => setTimeout(wake, 2_100));
      const { code, last, stdout } = await rig.agent("dump", newest.id, "--to-time", moment);
      assert.deepEqual([code, stdout], [3, ""]);
      assert.match(last.message, /the binary log in the repository has a hole: binlog\.\d+ is there as far as \d+/);
      // With a schedule, the agent makes the backup from which moments can be reached again.
      await change({ schedule: { ...OFF, backup: "0 0 29 2 *" } });
      await rig.until(
        "the backup",
        async () => ((await rig.agent("list")).last.backups as Entry[])[0]!.reason === "the binary log has a hole",
        90_000,
      );
      await rig.until("its end", async () => !(await rig.alarmed("binlog-hole")), 60_000);
      await change({ schedule: OFF });
      newest = ((await rig.agent("list")).last.backups as Entry[])[0]!;
    },
  );

  it(
    "files with names of any bytes, and some that nobody may read: " +
      "the rest counts, it is told, and the proof holds",
    async () => {
      rig.storage(
        'mkdir -p app/odd && cd app/odd && printf 1 > "$(printf \'caf\\351.txt\')" && printf 2 > "$(printf ' +
          "'line\\nbreak')\" && printf 3 > ./-rf && printf 4 > __proto__",
      );
      const all = await rig.backup("files");
      assert.deepEqual([all.verified, all.missing, all.files!.changed], [true, undefined, 0]);
      rig.storage(
        "cd app/odd && printf 5 > secret && chmod 000 secret && mkdir closed && printf 6 > closed/inner && chmod " +
          "000 closed",
      );
      const some = await rig.backup("full");
      assert.deepEqual([some.verified, some.database !== undefined], [true, true]);
      assert.deepEqual([...some.missing!].sort(), [
        "app/odd/closed can't be read: EACCES",
        "app/odd/secret can't be read: EACCES",
      ]);
      assert.equal(some.verification!.files, all.files!.count);
      await rig.until("the alarm", () => rig.alarmed("incomplete"));
      const left = rig.shell("ls /restore | grep -v -e template -e ^kept- || true", "restore");
      assert.equal(left, "", "what was restored is thrown away");
      rig.storage("cd app/odd && chmod 700 closed && rm -rf secret closed");
      newest = await rig.backup("full");
      await rig.until("its end", async () => !(await rig.alarmed("incomplete")));
    },
  );

  it("makes the first backup of a new stack soon, not only at its time", async () => {
    rig.repository("mv backups kept");
    rig.repository(
      `echo '${JSON.stringify({ backup: new Date(Date.now() - 11 * 60_000).toISOString() })}' > state/schedules.json`,
    );
    // Half a day away.
    await change({ type: "files", schedule: { ...OFF, backup: `0 ${(new Date().getUTCHours() + 12) % 24} * * *` } });
    await rig.until(
      "the backup",
      async () =>
        ((await rig.agent("list")).last.backups as Entry[]).some(
          ({ reason, verified }) => reason === "the first one" && verified,
        ),
      90_000,
    );
    await change({ type: "full", schedule: OFF });
    rig.repository("rm -rf backups; mv kept backups");
  });

  describe("with S3", () => {
    let moto: Moto;
    before(async () => {
      moto = await Moto.start();
      moto.join(rig.name("out"));
      assert.equal((await fetch(`${moto.url}/${BUCKET.bucket}`, { method: "PUT" })).status, 200);
      rig.outside = { [SECRETS.s3]: "[default]\naws_access_key_id=test\naws_secret_access_key=test-secret-of-s3\n" };
    });
    after(() => moto.remove());

    it("that answers 403: the backup counts here, it is told, and S3 gets it when it may be written", async () => {
      rig.serve("s3", FORBIDDEN);
      await change({ s3: { ...BUCKET, endpoint: "http://s3:9000" } });
      newest = await rig.backup("db");
      assert.deepEqual([newest.copies, newest.verified], [["local"], true]);
      await rig.until("the alarm", () => rig.alarmed("s3"), 90_000);
      assert.match((await rig.agent("status")).last.s3.error, /AccessDenied|403|Access Denied/i);
      rig.remove("s3");
      await change({ s3: { ...BUCKET, endpoint: moto.internal } });
      await rig.until(
        "the copy",
        async () => ((await rig.agent("show", newest.id)).last.backup as Entry).copies.includes("s3"),
        120_000,
      );
      await rig.until("its end", async () => !(await rig.alarmed("s3")));
    });

    it("that is slow: the log here is not late, and the backup is copied", async () => {
      rig.serve("s3", SLOW);
      await change({ s3: { ...BUCKET, endpoint: "http://s3:9000" } });
      rig.storage("head -c 3000000 /dev/urandom > app/new");
      const running = rig.agent("run", "--type", "files");
      await rig.until("the backup here, before it is there", async () => {
        const [entry] = (await rig.agent("list")).last.backups as Entry[];
        return entry!.id !== newest.id && entry!.verified && !entry!.copies.includes("s3");
      });
      rig.sql("INSERT INTO fixed (name) VALUES ('meanwhile')");
      assert.ok((await rig.agent("status")).last.rpoSeconds < 10);
      const { code, last } = await running;
      assert.deepEqual([code, last.backup.copies], [0, ["local", "s3"]]);
      rig.remove("s3");
    });

    for (const [how, leave, back] of [
      ["refuses connections", ["rm", "--force"], []],
      ["answers nothing any more", ["pause"], ["unpause"]],
    ] as const) {
      it(
        `that goes away in the middle of a copy (${how}): the backup counts here, it is told within a minute, ` +
          "and S3 gets it when it is back",
        async () => {
          rig.serve("s3", SLOW);
          await change({ s3: { ...BUCKET, endpoint: "http://s3:9000" } });
          rig.storage("head -c 30000000 /dev/urandom > app/new");
          const running = rig.agent("run", "--type", "files");
          await rig.until(
            "the copy",
            () => rig.shell("cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'restic copy' || true") !== "0",
          );
          await rig.until(
            "its data",
            () => Number(docker("exec", rig.name("s3"), "cat", "/proc/net/dev").match(/eth0:\s*(\d+)/)![1]) > 5_000_000,
          );
          const left = Date.now();
          docker(...leave, rig.name("s3"));
          const { code, last } = await running;
          assert.ok(Date.now() - left < 60_000, `${(Date.now() - left) / 1000} s`);
          assert.deepEqual([code, last.backup.verified, last.backup.copies], [0, true, ["local"]]);
          newest = last.backup;
          await rig.until("the alarm", () => rig.alarmed("s3"), 90_000);
          if (back.length > 0) docker(...back, rig.name("s3"));
          rig.remove("s3");
          await change({ s3: { ...BUCKET, endpoint: moto.internal } });
          await rig.until(
            "the copy, when it is back",
            async () => ((await rig.agent("show", newest.id)).last.backup as Entry).copies.includes("s3"),
            90_000,
          );
          await rig.until("its end", async () => !(await rig.alarmed("s3")));
        },
      );
    }

    it("cleans up there too, whatever the clock says, and keeps what is needed", async () => {
      await change({ s3: { ...BUCKET, endpoint: moto.internal } });
      newest = await rig.backup("full");
      const objects = async () =>
        [
          ...(
            await (await fetch(`${moto.url}/${BUCKET.bucket}?list-type=2&prefix=backups/catalogue/`)).text()
          ).matchAll(/<Key>([^<]*\.entry)<\/Key>/g),
        ].map(([, key]) => key!);
      assert.ok((await objects()).length > 1);
      for (const now of ["1999-01-01T00:00:00Z", "2099-01-01T00:00:00Z"]) {
        const wrong = await rig.agent("cleanup", "--dry-run", "--now", now);
        assert.deepEqual(wrong.last.removed, [], JSON.stringify(wrong.last));
      }
      // Here; in S3 they are not old.
      rig.age(
        (await ids()).filter((id) => id !== newest.id),
        8,
      );
      const cleaned = await rig.agent("cleanup");
      assert.equal(cleaned.code, 0, JSON.stringify(cleaned.last));
      assert.deepEqual(await ids(), [newest.id]);
      assert.ok((await objects()).length > 1);
      // From S3 alone.
      rig.repository("rm -rf repository backups binlogs; sync");
      await rig.startAgent();
      assert.ok((await rig.agent("adopt")).last.adopted > 1);
      assert.equal((await rig.agent("verify", newest.id)).code, 0);
    });
  });
});
