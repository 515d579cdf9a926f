import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "mocha";
import { Clone, docker, type Status } from "../support/clone.ts";
import { Load } from "../support/load.ts";
import { sqlIn } from "../support/sql.ts";

const MIGRATIONS = "examples/laravel/database/migrations";

/** A migration of the clone's application. */
const migration = (up: string, down: string, more = "") => `<?php

use Illuminate\\Database\\Migrations\\Migration;
use Illuminate\\Database\\Schema\\Blueprint;
use Illuminate\\Support\\Facades\\DB;
use Illuminate\\Support\\Facades\\Schema;

return new class extends Migration
{
    ${more}
    public function up(): void
    {
        ${up}
    }

    public function down(): void
    {
        ${down}
    }
};
`;

interface Listed {
  readonly sequence: number;
  readonly current: boolean;
  readonly release: string;
  readonly image: string;
  readonly pinned: boolean;
  readonly seconds: number | null;
  readonly probes: { readonly requests: number; readonly failed: number };
  readonly migrations: {
    readonly contained: string[];
    readonly applied: Record<string, number>;
    readonly ran: Record<string, number>;
  };
}

describe("releases that can be taken back", function () {
  this.timeout(900_000);
  const clone = new Clone();
  let status: Status;

  const ok = async (args: string[]) => {
    const result = await clone.drydock(args);
    assert.equal(result.code, 0, `./drydock ${args.join(" ")}\n${result.stdout}\n${result.stderr}`);
    return result.stdout + result.stderr;
  };
  const set = (path: string, value: string) => clone.set(path, value);
  const write = (name: string, text: string) => {
    const file = join(clone.dir, MIGRATIONS, `${name}.php`);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  const drop = (name: string) => clone.run("rm", [join(MIGRATIONS, `${name}.php`)]);
  const title = (text: string) =>
    clone.edit("examples/laravel/resources/views/home.blade.php", (page) =>
      page.replace(/<h1[^>]*>/, `<h1 data-release="${text}">`),
    );
  const listed = async () => JSON.parse((await clone.drydock(["releases", "--json"])).stdout) as Listed[];
  const sql = (query: string) => sqlIn(status.services.find(({ role }) => role === "database")!.container, query);
  const columns = () =>
    sql(
      "select column_name from information_schema.columns where table_schema = database() " +
        "and table_name = 'rows' order by 1",
    ).split("\n");
  const tables = () => sql("show tables").split("\n");
  const served = async () => (await (await fetch(`${status.url}/release`)).text()).trim();
  const underLoad = async (work: () => Promise<void>) => {
    const load = new Load(status.url, { clients: 4 });
    try {
      await work();
    } finally {
      assert.deepEqual((await load.stop()).reasons, {});
    }
    assert.ok(load.count.total > 50, `only ${load.count.total} requests`);
  };

  before(async () => {
    await ok(["up"]);
    await set("app.replicas", "2");
    await set("migrate.breaking", "refuse");
    status = await clone.status();
  });
  after(() => clone.remove());

  it("shows an additive migration with its SQL, backs up, and runs it without a failed request", async () => {
    write(
      "2026_03_01_000001_add_note",
      migration(
        "Schema::table('rows', fn (Blueprint $t) => $t->string('note')->nullable());",
        "Schema::table('rows', fn (Blueprint $t) => $t->dropColumn('note'));",
      ),
    );
    const preview = await ok(["preview"]);
    assert.match(
      preview,
      new RegExp(
        "2026_03_01_000001_add_note: safe for the release that serves\\n {4}alter table `rows` add " +
          "`note` varchar\\(255\\) null",
      ),
    );
    assert.ok(!columns().includes("note"), "the preview changed nothing");
    await underLoad(async () => assert.match(await ok(["up"]), /is verified: \d+ tables, \d+ rows/));
    assert.ok(columns().includes("note"));
    status = await clone.status();
  });

  it("refuses a migration that breaks the release that serves, before anything is changed", async () => {
    write(
      "2026_03_02_000001_drop_n",
      migration(
        "Schema::table('rows', fn (Blueprint $t) => $t->dropColumn('n'));",
        "Schema::table('rows', fn (Blueprint $t) => $t->integer('n')->default(0));",
      ),
    );
    await underLoad(async () => {
      const refused = await clone.drydock(["up"]);
      assert.equal(refused.code, 3, refused.stdout + refused.stderr);
      assert.match(
        refused.stderr,
        new RegExp(
          "2026_03_02_000001_drop_n breaks the release that still serves: it drops the column " +
            "rows\\.n \\(alter table `rows` drop `n`\\)",
        ),
      );
      assert.match(refused.stderr, /in two releases/);
      const plain = await clone.pulumi(["up", "--yes"]);
      assert.notEqual(plain.code, 0, "Pulumi's own `up` meets the same judgement, as a step of the release");
      assert.match(plain.stdout + plain.stderr, /2026_03_02_000001_drop_n breaks the release/);
    });
    assert.equal(await served(), status.release);
    assert.ok(columns().includes("n"));
    await drop("2026_03_02_000001_drop_n");
  });

  it("goes on after a migration that failed, once it is fixed; the second half of a change waits", async () => {
    write("2026_03_03_000001_extras", migration("DB::statement('insert into no_such_table values (1)');", ""));
    write(
      "2026_03_03_000002_drop_note",
      migration(
        "Schema::table('rows', fn (Blueprint $t) => $t->dropColumn('note'));",
        "Schema::table('rows', fn (Blueprint $t) => $t->string('note')->nullable());",
        "public bool $drydockContract = true;",
      ),
    );
    await underLoad(async () => {
      const failed = await clone.drydock(["up"]);
      assert.equal(failed.code, 1, failed.stdout + failed.stderr);
      assert.match(failed.stdout + failed.stderr, /no_such_table/);
      assert.equal(await served(), status.release);
      write(
        "2026_03_03_000001_extras",
        migration("Schema::create('extras', fn (Blueprint $t) => $t->id());", "Schema::dropIfExists('extras');"),
      );
      assert.match(await ok(["up"]), /2026_03_03_000002_drop_note: waits for the next release/);
    });
    assert.ok(tables().includes("extras"));
    assert.ok(columns().includes("note"), "the second half must wait");
    status = await clone.status();
  });

  it("runs the second half with the release after", async () => {
    title("four");
    await ok(["up"]);
    assert.ok(!columns().includes("note"));
    status = await clone.status();
  });

  it("lists the releases, with what each migrated", async () => {
    const releases = await listed();
    assert.deepEqual(
      releases.map(({ sequence, current }) => [sequence, current]),
      [
        [4, true],
        [3, false],
        [2, false],
        [1, false],
      ],
    );
    assert.deepEqual(
      releases.map(({ migrations }) => Object.keys(migrations.ran).length),
      [1, 1, 1, 2],
    );
    assert.equal(releases[0]!.release, status.release);
    for (const { probes, seconds } of releases)
      assert.ok(probes.failed === 0 && probes.requests > 0 && typeof seconds === "number");
    const output = JSON.parse((await clone.pulumi(["stack", "output", "--json"])).stdout);
    assert.equal(output.record.sequence, 4);
    assert.match(await ok(["releases"]), /\* 4 {2}[0-9a-f]{12}/);
  });

  it("goes back to the release before under load, as its code contains every migration that ran", async () => {
    const [, third] = await listed();
    await underLoad(async () => {
      await ok(["rollback"]);
    });
    status = await clone.status();
    assert.ok(
      status.services
        .filter(({ role }) => ["app", "horizon", "scheduler"].includes(role))
        .every(({ image }) => image === third!.image),
    );
    const [now] = await listed();
    assert.deepEqual([now!.sequence, now!.image, now!.pinned], [5, third!.image, true]);
  });

  it("refuses to go back to code that can't run on today's schema, and says what can be done", async () => {
    const refused = await clone.drydock(["rollback", "2"]);
    assert.equal(refused.code, 3, refused.stdout + refused.stderr);
    assert.match(refused.stderr, /2026_03_03_000002_drop_note drops the column rows\.note/);
    assert.match(refused.stderr, /\.\/drydock rollback 2 --migrations/);
    assert.match(refused.stderr, /backup restore \d{8}T\d{6}Z-[0-9a-f]{4} --db/);
    assert.equal(await served(), status.release);
  });

  it("rolls migrations back with it: what the old code needs before the switch, the rest after", async () => {
    const second = (await listed()).find(({ sequence }) => sequence === 2)!;
    const plan = JSON.parse((await clone.drydock(["rollback", "2", "--migrations", "--dry-run", "--json"])).stdout);
    assert.deepEqual(plan.rolledBack, { beforeSwitch: 1, afterSwitch: 1 });
    await underLoad(async () => {
      await ok(["rollback", "2", "--migrations"]);
    });
    status = await clone.status();
    assert.equal(status.services.find(({ role }) => role === "app")!.image, second.image);
    assert.ok(columns().includes("note"));
    assert.ok(!tables().includes("extras"));
    assert.deepEqual(
      Object.keys((await listed())[0]!.migrations.applied).filter((name) => name.startsWith("2026_03_03")),
      [],
    );
  });

  it("goes forward again to what the settings say", async () => {
    await ok(["rollback", "--forward"]);
    status = await clone.status();
    assert.ok(tables().includes("extras"));
    assert.match(await (await fetch(status.url)).text(), /data-release="four"/);
  });

  it("has written down who did what, and how it ended", async () => {
    await clone.drydock(["artisan", "--", "tinker", "--execute=echo 'secret thing';"]);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const lines = JSON.parse((await clone.drydock(["audit", "--json"])).stdout) as {
      verb: string;
      args: string[];
      result: string;
      by: string;
    }[];
    assert.deepEqual([lines[0]!.verb, lines[0]!.args], ["artisan", ["tinker", "***"]]);
    const verbs = lines.map(({ verb, args, result }) => [verb, ...args, result].join(" "));
    for (const line of [
      "rollback done",
      "rollback 2 refused",
      "rollback 2 --migrations done",
      "rollback --forward done",
      "up refused",
      "up failed (1)",
    ])
      assert.ok(verbs.includes(line), `${line} is not in:\n${verbs.join("\n")}`);
    assert.ok(lines.every(({ by }) => /^\S+@\S+$/.test(by)));
  });

  it("keeps the images of its releases from others who tidy up", () => {
    const kept = docker("images", "--format", "{{.Repository}}:{{.Tag}}", "drydock/kept").split("\n");
    assert.ok(kept.length >= 4);
  });
});
