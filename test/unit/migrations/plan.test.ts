import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, it } from "mocha";
import {
  describePlan,
  judgeMigrations,
  type Migration,
  type Pending,
  planMigrations,
  refusal,
} from "../../../migrations/plan.ts";

const adds: Migration = { name: "2026_01_adds", statements: ["alter table `rows` add `note` varchar(255) null"] };
const drops: Migration = { name: "2026_02_drops", statements: ["alter table `rows` drop `n`"] };
const contracts: Migration = { ...drops, name: "2026_03_contracts", contract: true };
const pending = (migrations: readonly Migration[], tables = 3): Pending => ({
  pending: migrations.map(({ name }) => name),
  tables,
  migrations,
});

describe("the plan of a release's migrations", () => {
  it("runs what is additive", () => {
    const plan = planMigrations(pending([adds]), "refuse", []);
    assert.deepEqual([plan.run.map(({ name }) => name), plan.hold, plan.refused], [["2026_01_adds"], [], []]);
  });

  it("refuses what breaks the release that serves, and says what, why and what to do", () => {
    const plan = planMigrations(pending([adds, drops]), "refuse", []);
    assert.deepEqual(
      plan.refused.map(({ name }) => name),
      ["2026_02_drops"],
    );
    const text = refusal(plan.refused, "prod");
    assert.match(
      text,
      new RegExp(
        String.raw`^2026_02_drops breaks the release that still serves: it drops the column rows\.n \(alter ` +
          "table `rows` drop `n`\\)",
      ),
    );
    assert.match(text, /in two releases/);
    assert.match(text, /\$drydockContract = true/);
    assert.match(text, /pulumi config set -s prod --path drydock:migrate\.breaking warn/);
  });

  it("only warns where that is set, and never refuses what runs on an empty database", () => {
    assert.deepEqual(planMigrations(pending([drops]), "warn", []).refused, []);
    const first = planMigrations(pending([drops, contracts], 0), "refuse", []);
    assert.deepEqual([first.refused, first.hold, first.run.length], [[], [], 2]);
  });

  it("holds the second half of a change back until the code that serves contains it", () => {
    const now = planMigrations(pending([adds, contracts]), "refuse", ["2026_01_adds"]);
    assert.deepEqual(
      [now.run.map(({ name }) => name), now.hold, now.refused],
      [["2026_01_adds"], ["2026_03_contracts"], []],
    );
    const next = planMigrations(pending([contracts]), "refuse", ["2026_01_adds", "2026_03_contracts"]);
    assert.deepEqual([next.run.map(({ name }) => name), next.hold, next.refused], [["2026_03_contracts"], [], []]);
    assert.match(describePlan(now).at(-1)!, /2026_03_contracts: waits for the next release/);
    assert.match(describePlan(next)[0]!, /can do without/);
  });

  it("says that it can't judge what failed as a rehearsal, or says nothing", () => {
    const judged = judgeMigrations([
      {
        name: "a",
        statements: ["alter table `rows` add `x` int null"],
        error: 'Attempt to read property "id" on null',
      },
      { name: "b", statements: [] },
    ]);
    assert.deepEqual(
      judged.map(({ verdict }) => verdict),
      ["unknown", "unknown"],
    );
    assert.match(
      describePlan({ run: judged, hold: [], refused: [] }).join("\n"),
      /could not be run as a rehearsal: Attempt to read property/,
    );
  });

  it("is told to a person: each migration with its SQL in one line, and what is wrong with it", () => {
    const long = { name: "2026_05_long", statements: [`alter table \`rows\` add \`${"x".repeat(400)}\` int null`] };
    const spread = {
      name: "2026_06_spread",
      statements: ["  alter table `rows`\n  drop `n`  ", "update `rows` set `a` = 1"],
    };
    const all = planMigrations(pending([adds, long, spread, contracts]), "warn", ["2026_03_contracts"]);
    const cut = long.statements[0]!.slice(0, 300);
    assert.deepEqual(describePlan(all), [
      "  2026_01_adds: safe for the release that serves",
      "    alter table `rows` add `note` varchar(255) null",
      "  2026_05_long: safe for the release that serves",
      `    ${cut}…`,
      "  2026_06_spread: BREAKS the release that still serves",
      "    alter table `rows` drop `n`",
      "      ✗ drops the column rows.n",
      "    update `rows` set `a` = ?",
      "      ? changes rows that the serving release reads",
      "  2026_03_contracts: the second half of a change: the code that serves contains it, so it can do without",
      "    alter table `rows` drop `n`",
      "      ✗ drops the column rows.n",
    ]);
    assert.deepEqual(describePlan(planMigrations(pending([drops], 0), "refuse", []), { first: true }), [
      "  2026_02_drops: first release",
      "    alter table `rows` drop `n`",
    ]);
    const silent = judgeMigrations([{ name: "a", statements: [] }]);
    assert.deepEqual(describePlan({ run: silent, hold: [], refused: [] }), [
      "  a: can't be judged: look at it",
      "      ? says nothing of what it does, as it works on rows or asks the database first",
    ]);
    assert.equal(
      refusal(planMigrations(pending([drops, { ...drops, name: "again" }]), "refuse", []).refused, "prod").split("\n")
        .length,
      5,
    );
  });

  it("knows the columns of all migrations from before the first of them", () => {
    const columns = { rows: { n: { type: "int", nullable: true, hasDefault: false } } };
    const judged = judgeMigrations([
      adds,
      { name: "2", statements: ["alter table `rows` modify `n` bigint null"], columns },
    ]);
    assert.deepEqual(
      judged.map(({ verdict, contract }) => [verdict, contract]),
      [
        ["additive", false],
        ["additive", false],
      ],
    );
  });

  it("knows what an earlier pending migration makes", () => {
    const makes = { name: "1", statements: ["create table `posts` (`id` int)"] };
    assert.equal(
      judgeMigrations([makes, { name: "2", statements: ["alter table `posts` drop `id`"] }])[1]!.verdict,
      "additive",
    );
  });
});

describe("the step that judges", () => {
  const run = (input: Pending, env: Record<string, string>) =>
    spawnSync(process.execPath, ["--import", "tsx", "commands/parts/judge-migrations.ts"], {
      input: JSON.stringify(input),
      encoding: "utf8",
      env: { ...process.env, STACK: "unit", BREAKING: "refuse", ...env },
    });

  it("prints what waits, and what is known of the migrations that run", () => {
    const { status, stdout, stderr } = run(pending([adds, contracts]), {});
    assert.equal(status, 0, stderr);
    const [plan, ...lines] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    assert.deepEqual(plan, { hold: ["2026_03_contracts"] });
    assert.deepEqual(
      lines.map(({ name, statements }) => [name, statements]),
      [[adds.name, adds.statements]],
    );
    assert.match(stderr, /2026_01_adds: safe/);
  });

  it("keeps no value of a statement in the records, and shows none", () => {
    const { stdout, stderr } = run(
      pending([{ name: "m", statements: ["update `users` set `password` = 'hunter2' where `pin` = 4711"] }]),
      { BREAKING: "warn" },
    );
    const [, kept] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { statements: string[]; at: string });
    assert.deepEqual(kept?.statements, ["update `users` set `password` = '…' where `pin` = ?"]);
    assert.ok(!`${stdout}${stderr}`.includes("hunter2") && !stderr.includes("4711"), stderr);
    assert.match(stderr, /update `users` set `password` = '…'/);
    assert.ok(Math.abs(Date.parse(kept!.at) - Date.now()) < 600_000);
  });

  it("takes what serves from the last release's line, and exits with 3 where it refuses", () => {
    const serving = JSON.stringify({ sequence: 4, migrations: { contained: ["2026_03_contracts"] } });
    assert.match(run(pending([contracts]), { SERVING: serving }).stdout, /"hold":\[\]/);
    const refused = run(pending([drops]), {});
    assert.deepEqual([refused.status, refused.stdout], [3, ""]);
    assert.match(refused.stderr, /breaks the release/);
  });
});
