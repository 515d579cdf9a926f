import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, it } from "mocha";
import { docker } from "../support/clone.ts";
import { type Found, resourcesOf } from "../support/containers.ts";
import { shared } from "../support/faults/subject.ts";

/** These need root here: they touch processes and mounts of the machine. */
const asRoot = process.getuid?.() === 0;

describe("a release while something else breaks", function () {
  this.timeout(600_000);
  const subject = shared();
  const { clone } = subject;
  const newReplica = (found: readonly Found[]) => found.some((one) => one.role === "app" && subject.isNew(one));
  const post = (path: string, body: unknown) =>
    fetch(new URL(path, subject.status.url), {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json" },
      body: JSON.stringify(body),
    });

  it("comes back when the database is stopped by force in its midst", () =>
    subject.fault(
      "database killed, and not started again",
      async () => {
        subject.change();
        await subject.upWhile(newReplica, () => void docker("kill", subject.container("database")));
      },
      { mayFail: { match: /^\/(slow|api)/, why: "what needs the database, until the next `up`" } },
    ));

  it("comes back when the database crashes in its midst", function () {
    if (!asRoot) this.skip();
    return subject.fault(
      "database crashes",
      async () => {
        subject.change();
        await subject.upWhile(newReplica, () => subject.crash("database"));
      },
      { mayFail: { match: /^\/(slow|api)/, why: "what needs the database, until it is up again" } },
    );
  });

  it("loses no queued job when Redis crashes in its midst", function () {
    if (!asRoot) this.skip();
    const ids = Array.from({ length: 60 }, (_, index) => `redis-${index}`);
    return subject.fault(
      "Redis crashes, with jobs queued",
      async () => {
        subject.change();
        await subject.upWhile(newReplica, async () => {
          for (const id of ids) assert.equal((await post("/api/jobs", { id, seconds: 0.3 })).status, 202);
          // The append-only file is written through to the disk every second.
          await sleep(1500);
          await subject.crash("redis");
        });
        for (const end = Date.now() + 120_000; ; await sleep(1000)) {
          const done = subject.sql("select count(*) from job_runs where id like 'redis-%' and finished > 0");
          if (Number(done) === ids.length) break;
          assert.ok(Date.now() < end, `${done} of ${ids.length} queued jobs have run`);
        }
      },
      {
        mayFail: {
          match: /^\/(api\/session)? /,
          why: "what has a session, until Redis has loaded its file; sessions of its last second",
        },
      },
    );
  });

  it("serves on when the new settings have another password than the database", () =>
    subject.fault("wrong database password", async () => {
      const before = clone.read("Pulumi.local.yaml");
      await subject.set("env.DB_PASSWORD", randomBytes(24).toString("hex"), "--secret");
      await subject.failingUp(/[Aa]ccess denied/);
      writeFileSync(`${clone.dir}/Pulumi.local.yaml`, before);
    }));

  const passwords = () =>
    docker("exec", subject.container("redis"), "sh", "/run/drydock/redis-cli.sh", "acl", "list")
      .match(/^user default .*$/m)![0]
      .match(/#[0-9a-f]{64}/g) ?? [];
  const anotherPassword = () => subject.set("env.REDIS_PASSWORD", randomBytes(24).toString("hex"), "--secret");

  it("takes another Redis password", () =>
    subject.fault("another Redis password", async () => {
      const [redis, [before]] = [subject.container("redis"), passwords()];
      await anotherPassword();
      await subject.up();
      assert.equal(subject.container("redis"), redis, "Redis was replaced");
      assert.equal(passwords().length, 1);
      assert.notEqual(passwords()[0], before);
    }));

  it(
    "takes both Redis passwords where the release with another one fails, and the one before alone when that is " +
      "set again",
    async () => {
      const [settings, before] = [clone.read("Pulumi.local.yaml"), passwords()];
      await subject.fault("another Redis password, the release fails, and it is taken back", async () => {
        await anotherPassword();
        await subject.set("app.startTimeout", "12");
        const back = subject.edit("examples/laravel/bootstrap/app.php", (text) =>
          text.replace("health: '/up'", "health: '/nowhere'"),
        );
        await subject.failingUp(/what served before still serves/);
        assert.equal(passwords().length, 2);
        back();
        writeFileSync(`${clone.dir}/Pulumi.local.yaml`, settings);
      });
      assert.deepEqual(passwords(), before);
    },
  );

  it("replaces the requests of a replica that runs out of memory, and takes it back", function () {
    if (!asRoot) this.skip();
    return subject.fault(
      "replica killed for its memory",
      async () => {
        subject.change();
        await subject.upWhile(newReplica, async () => {
          const name = subject.container("app-1");
          // The kernel ends the process that stands out; here PHP-FPM itself is made to.
          writeFileSync(`/proc/${docker("inspect", "--format", "{{.State.Pid}}", name)}/oom_score_adj`, "1000");
          try {
            docker(
              "exec",
              name,
              "php",
              "-d",
              "memory_limit=-1",
              "-r",
              "$all = []; while (true) { $all[] = random_bytes(1 << 20); }",
            );
          } catch {
            /* it was killed with it */
          }
          await subject.restarted("app-1");
        });
      },
      { mayFail: { match: / 50[24]$/, why: "what that replica was answering" } },
    );
  });

  it("leaves the proxy where it is when another port is wanted that somebody has", () =>
    subject.fault("published port taken", async () => {
      const squatter = createServer().listen(0, "127.0.0.1");
      await once(squatter, "listening");
      const { port } = squatter.address() as { port: number };
      const before = clone.read("Pulumi.local.yaml");
      await subject.set("proxy.port", String(port));
      await subject.set("env.APP_URL", `http://127.0.0.1:${port}`);
      await subject.failingUp(new RegExp(`port ${port} on this machine is already in use`));
      writeFileSync(`${clone.dir}/Pulumi.local.yaml`, before);
      squatter.close();
    }));

  it("leaves the old release in place when the disk for the assets is full", function () {
    if (!asRoot) this.skip();
    return subject.fault("disk full for the assets", async () => {
      const volume =
        resourcesOf(clone).find(
          ({ type, outputs }) => type === "docker:index/volume:Volume" && outputs?.name?.startsWith("volumes-public"),
        )?.outputs?.name ?? assert.fail("no volume for the assets");
      const folder = docker("volume", "inspect", "--format", "{{.Mountpoint}}", volume);
      // What is started from here on finds a full disk in its place; the proxy keeps what it has mounted.
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k,mode=777", "full", folder]);
      try {
        try {
          execFileSync("dd", ["if=/dev/zero", `of=${folder}/filled`, "bs=1k"], { stdio: "ignore" });
        } catch {
          /* full */
        }
        subject.change();
        await subject.failingUp(/No space left on device/i);
      } finally {
        execFileSync("umount", [folder]);
      }
    });
  });

  it("refuses to destroy production", () =>
    subject.fault("`destroy` on production", async () => {
      const refused = await clone.drydock(["destroy", "-s", "prod", "--yes"]);
      assert.equal(refused.code, 3, subject.said(refused));
      assert.match(refused.stderr, /stack prod is in production .*Drydock does not destroy it/);
      const volumes = await clone.drydock(["destroy", "-s", "prod", "--yes", "--volumes"]);
      assert.equal(volumes.code, 3, subject.said(volumes));
    }));
});
