import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { Clone, type Status } from "../support/clone.ts";
import { RoleWatch } from "../support/containers.ts";
import { Load } from "../support/load.ts";
import { sqlIn } from "../support/sql.ts";

const APP_CONFIG = "examples/laravel/config/app.php";

/**
 * What may be there once and no more: jobs, sessions, POSTs, the scheduler; and what must never be missing: a worker.
 */
describe("across a release", function () {
  this.timeout(900_000);
  const clone = new Clone();
  let status: Status;
  let dispatched = 0;

  const ok = async (...args: string[]) => {
    const result = await clone.drydock(args);
    assert.equal(result.code, 0, result.stdout + result.stderr);
    status = await clone.status();
  };
  const set = (path: string, value: string) => clone.set(path, value);
  const sql = (query: string) => sqlIn(status.services.find(({ role }) => role === "database")!.container, query);

  /** Numbered jobs for as long as a release takes: most are quick, each tenth works for four seconds. */
  const dispatching = () => {
    const first = dispatched;
    let running = true;
    const work = (async () => {
      while (running) {
        const id = dispatched++;
        const answer = await fetch(new URL("/api/jobs", status.url), {
          method: "POST",
          headers: { "Content-Type": "application/json", Accept: "application/json", Connection: "close" },
          body: JSON.stringify({ id: `once-${id}`, seconds: id % 10 === 0 ? 4 : 0.02 }),
        });
        assert.equal(answer.status, 202, await answer.text());
        await sleep(150);
      }
    })();
    return async () => {
      running = false;
      await work;
      return { first, count: dispatched - first };
    };
  };

  const counted = async (release: () => Promise<void>) => {
    const url = status.url;
    const load = new Load(url, { clients: 4 });
    const watch = new RoleWatch(clone);
    const stop = dispatching();
    let jobs: { first: number; count: number } | undefined;
    try {
      await release();
    } finally {
      jobs = await stop();
      const { reasons } = await load.stop();
      const { looks, fewestWorkers, mostSchedulers } = await watch.stop();
      assert.deepEqual(reasons, {});
      assert.ok(looks > 20, `looked ${looks} times only`);
      assert.ok(fewestWorkers >= 1, "there was no worker");
      assert.ok(mostSchedulers === 1, `there were ${mostSchedulers} schedulers`);
    }
    const range = `id like 'once-%' and cast(substr(id, 6) as unsigned) >= ${jobs.first}`;
    for (
      const end = Date.now() + 120_000;
      Number(sql(`select count(*) from job_runs where ${range} and finished > 0`)) < jobs.count;
      await sleep(1000)
    ) {
      assert.ok(
        Date.now() < end,
        `of ${jobs.count} jobs these have run: ${sql(`select count(*) from job_runs where ${range} and finished > 0`)}`,
      );
    }
    assert.equal(
      sql(`select count(*) from job_runs where ${range} and (started <> 1 or finished <> 1)`),
      "0",
      "jobs were started or finished more than once",
    );
    assert.ok(jobs.count > 50, `only ${jobs.count} jobs`);
    assert.equal(
      Number(sql(`select count(distinct n) from \`rows\` where n in (${load.count.written.join(",")})`)),
      load.count.written.length,
      "acknowledged rows are missing",
    );
    assert.equal(
      Number(sql(`select count(*) from \`rows\` where n in (${load.count.written.join(",")})`)),
      load.count.written.length,
      "rows are there twice",
    );
  };

  before(async () => {
    await ok("up");
  });
  after(() => clone.remove());

  it("to a new image, all jobs run once, and requests and sessions are kept", () =>
    counted(async () => {
      clone.edit("examples/laravel/resources/views/home.blade.php", (page) => page.replace("<h1", '<h1 lang="en"'));
      await ok("up");
    }));

  it("to a changed variable", () =>
    counted(async () => {
      await set("env.APP_NAME", "Another name");
      await ok("up");
    }));

  it("from three replicas to five, and to two", () =>
    counted(async () => {
      await set("app.replicas", "5");
      await ok("up");
      await set("app.replicas", "2");
      await ok("up");
    }));

  it("that fails, and the one after", () =>
    counted(async () => {
      const before = clone.read(APP_CONFIG);
      clone.edit(APP_CONFIG, (text) =>
        text.replace("<?php", "<?php\nif (getenv('DRYDOCK_CACHE') === '1' && PHP_SAPI === 'cli') { exit(70); }"),
      );
      assert.equal((await clone.drydock(["up"])).code, 1);
      clone.edit(APP_CONFIG, () => before.replace("<?php", "<?php\n"));
      await ok("up");
    }));

  it("no minute was scheduled twice", async () => {
    const { count, doubled } = (await (await fetch(new URL("/api/schedule", status.url))).json()) as {
      count: number;
      doubled: number;
    };
    assert.ok(count > 0, "the schedule has not run");
    assert.equal(doubled, 0);
  });
});
