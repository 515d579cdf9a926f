import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { docker } from "../support/clone.ts";
import { containersOf } from "../support/containers.ts";
import { shared } from "../support/faults/subject.ts";

const APP_CONFIG = "examples/laravel/config/app.php";
/**
 * In an image's configuration: once, where a container that serves prepares its start; not in the one-off container of
 * the migrations.
 */
const atStart = (what: string) => (text: string) =>
  text.replace(
    "<?php",
    "<?php\nif (getenv('DRYDOCK_CACHE') === '1' && PHP_SAPI === 'cli' && !defined('FAULT')) { define('FAULT', " +
      `true); ${what} }`,
  );

describe("a release that goes wrong", function () {
  this.timeout(600_000);
  const subject = shared();
  const { clone } = subject;
  const drop = (file: string) => rmSync(join(clone.dir, file));

  it("lets one of two at once go on, and refuses the other", () =>
    subject.fault("second `up` at once", async () => {
      subject.change();
      const results = await Promise.all([clone.drydock(["up"]), clone.drydock(["up"])]);
      const [first, second] = results.sort((a, b) => a.code - b.code);
      assert.deepEqual([first!.code, second!.code], [0, 3], results.map(subject.said).join("\n"));
      assert.match(subject.said(second!), /is being changed by \S+ \(pid \d+, since/);
    }));

  it("refuses Pulumi's own `up` too, while one is under way", () =>
    subject.fault("second `up` at once, Pulumi's own", async () => {
      subject.change();
      const result = await subject.upWhile(
        (found) => found.some((one) => one.role === "app" && subject.isNew(one)),
        async () => {
          const other = await clone.pulumi(["up", "--yes", "--skip-preview"]);
          assert.notEqual(other.code, 0);
          assert.match(subject.said(other), /currently locked by 1 lock/);
        },
      );
      assert.equal(result.code, 0, subject.said(result));
    }));

  it("waits for a new image that is slow to start", () =>
    subject.fault("new image slow to start (20 s)", async () => {
      const back = subject.edit(APP_CONFIG, atStart("sleep(20);"));
      const began = performance.now();
      await subject.up();
      assert.ok(performance.now() - began > 20_000, "the image was not slow");
      back();
    }));

  it("leaves the old release in place when the new image is unhealthy", () =>
    subject.fault("new image unhealthy", async () => {
      await subject.set("app.startTimeout", "12");
      const back = subject.edit("examples/laravel/bootstrap/app.php", (text) =>
        text.replace("health: '/up'", "health: '/nowhere'"),
      );
      await subject.failingUp(/container app-\d-\S+ did not become healthy; what served before still serves/);
      back();
      await subject.unset("app.startTimeout");
    }));

  it("leaves the old release in place when the new image crashes at its start", () =>
    subject.fault("new image crashes at its start", async () => {
      const back = subject.edit(APP_CONFIG, atStart("fwrite(STDERR, 'a fault of the image'); exit(70);"));
      assert.match(
        await subject.failingUp(/did not become healthy; what served before still serves/),
        /a fault of the image/,
      );
      back();
    }));

  it("leaves the old release in place when a migration fails", () =>
    subject.fault("migration fails", async () => {
      const file = subject.migration("DB::statement('insert into no_such_table values (1)');");
      await subject.failingUp(/nothing was switched, the old release serves\. Fix the migration/);
      drop(file);
    }));

  const inMigration = (found: Awaited<ReturnType<typeof containersOf>>) =>
    found.find(({ name, state }) => name.endsWith("-migrate") && state === "running");

  it("frees the lock of a migration that was killed", () =>
    subject.fault("migration killed", async () => {
      const file = subject.migration("DB::statement('do sleep(30)');");
      let asleep = 0;
      const result = await subject.upWhile(
        (found) => inMigration(found) !== undefined && (asleep ||= sleeping() ? Date.now() : 0) > 0,
        async () => {
          docker("kill", inMigration(await containersOf(clone))!.id);
        },
      );
      assert.equal(result.code, 1, subject.said(result));
      assert.match(subject.said(result), /migrate: failed with exit code 137/);
      drop(file);
      subject.migration();
    }));

  it("ends a migration that hangs, and frees its lock", () =>
    subject.fault("migration hangs", async () => {
      await subject.set("migrate.timeout", "10");
      const file = subject.migration("DB::statement('do sleep(120)');");
      await subject.failingUp(/still running after 10 s, ended; the old release serves/);
      await subject.unset("migrate.timeout");
      drop(file);
      subject.migration();
    }));

  it("doesn't ship what an image has in its configuration cache, and takes no notice of a running replica's", () =>
    subject.fault("configuration cache poisoned", async () => {
      docker(
        "exec",
        subject.container("app-1"),
        "sh",
        "-c",
        "echo '<?php this is no PHP' > bootstrap/cache/config.php",
      );
      subject.edit("examples/laravel/.dockerignore", (text) => text.replace("bootstrap/cache\n", ""));
      await clone.run("sh", [
        "-c",
        "mkdir -p examples/laravel/bootstrap/cache && echo '<?php this is no PHP either' > " +
          "examples/laravel/bootstrap/cache/config.php",
      ]);
    }));

  it("sets aside what is malformed in the proxy's state", () =>
    subject.fault("maintenance state malformed", async () => {
      docker(
        "exec",
        subject.container("proxy"),
        "sh",
        "-c",
        "cd /var/lib/drydock && mkdir -p maintenance/current && cd maintenance/current && for file in http.conf " +
          "server.conf page.conf state.json; do echo 'nonsense {' > $file; done",
      );
      subject.change();
      assert.match(await subject.up(), /maintenance mode were damaged and are set aside/);
    }));

  const sleeping = () =>
    subject.sql("select count(*) from information_schema.processlist where info like 'do sleep%'") !== "0";
});
