import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import type { Migration } from "../../../migrations/plan.ts";
import { judgeMigrations } from "../../../migrations/plan.ts";
import { artisanWithoutSecrets, parseAudit, resultOf, withoutSecrets } from "../../../records/audit.ts";
import {
  findRelease,
  outdated,
  parseMigrations,
  parseReleases,
  previousRelease,
  type Release,
  ranWith,
} from "../../../records/release.ts";
import { inOrder, rollbackSteps, situation } from "../../../records/rollback.ts";

const release = (sequence: number, image: string, applied: Record<string, number> = {}): Release => ({
  sequence,
  release: `${image}aaaaaaaaaaa`.slice(0, 12),
  image: `drydock/app:${image}`,
  id: `sha256:${image}`,
  env: "e",
  settings: "s",
  by: "me@here",
  at: "2026-01-01T00:00:00Z",
  migrations: { contained: Object.keys(applied), applied },
});
const lines = (...values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");

describe("the record of releases", () => {
  it("reads lines, leaves a cut one out, and lets later lines add to a release", () => {
    const text = `${lines(release(1, "one1"), release(2, "two2"), { sequence: 2, seconds: 9 })}{"sequence":3,"rel`;
    assert.deepEqual(
      parseReleases(text).map(({ sequence, seconds }) => [sequence, seconds]),
      [
        [1, undefined],
        [2, 9],
      ],
    );
  });

  it("says which migrations ran with a release", () => {
    const releases = [release(1, "one1", { a: 1 }), release(2, "two2", { a: 1, b: 2, c: 2 })];
    assert.deepEqual(ranWith(releases, releases[0]!), { a: 1 });
    assert.deepEqual(ranWith(releases, releases[1]!), { b: 2, c: 2 });
  });

  it("finds a release by number or by the beginning of its id, and the one before", () => {
    const releases = [release(1, "beef"), release(2, "cafe"), release(3, "cafe")];
    assert.equal(findRelease(releases, "1")?.sequence, 1);
    assert.equal(findRelease(releases, "#2")?.sequence, 2);
    assert.equal(findRelease(releases, "cafea")?.sequence, 3);
    assert.equal(findRelease(releases, "ca"), undefined);
    assert.equal(findRelease(releases, "9"), undefined);
    assert.equal(previousRelease(releases)?.sequence, 1);
    assert.equal(previousRelease([release(1, "beef")]), undefined);
  });

  it("goes back from a rollback to what it went back from", () => {
    assert.equal(previousRelease([release(1, "beef"), release(2, "cafe"), release(3, "beef")])?.sequence, 2);
  });

  it("names the images that are too old to be kept, oldest first, and never one that came back", () => {
    const releases = ["aaaa", "bbbb", "cccc", "dddd", "aaaa", "eeee"].map((image, index) => release(index + 1, image));
    assert.deepEqual(
      outdated(releases, 3).map(({ image }) => image),
      ["drydock/app:bbbb", "drydock/app:cccc"],
    );
    assert.deepEqual(outdated(releases, 5), []);
  });

  it("takes no line for a release that lacks its image or its migrations", () => {
    const { image: _, ...bare } = release(1, "beef");
    const { migrations: __, ...other } = release(2, "beef");
    assert.deepEqual(
      parseReleases(lines(bare, other, release(3, "cafe"))).map(({ sequence }) => sequence),
      [3],
    );
  });

  it("takes no image for another one that has the same id, or the same name", () => {
    assert.equal(
      previousRelease([
        release(1, "beef"),
        { ...release(2, "cafe"), id: "sha256:dead" },
        { ...release(3, "dead"), image: "drydock/app:cafe" },
      ])?.sequence,
      1,
    );
    assert.equal(previousRelease([{ ...release(1, "beef"), id: "sha256:cafe" }, release(2, "cafe")]), undefined);
  });

  it("takes the last line of a migration, which may have been fixed", () => {
    assert.deepEqual(
      parseMigrations(lines({ name: "a", statements: ["x"] }, { name: "a", statements: ["y"] })).get("a")?.statements,
      ["y"],
    );
  });
});

describe("the way back", () => {
  const known = new Map<string, Migration>([
    ["add", { name: "add", statements: ["alter table `rows` add `note` varchar(255) null"] }],
    ["drop", { name: "drop", statements: ["alter table `rows` drop `n`"] }],
    ["make", { name: "make", statements: ["create table `posts` (`id` int)"] }],
  ]);
  const target = release(1, "one1", { base: 1 });
  const down = (name: string, ...statements: string[]) => judgeMigrations([{ name, statements }])[0]!;
  const undo = {
    add: down("add", "alter table `rows` drop `note`"),
    drop: down("drop", "alter table `rows` add `n` int null"),
    make: down("make", "drop table if exists `posts`"),
  };

  it("is free where everything that came since was additive", () => {
    const found = situation({ base: 1, add: 2, make: 3 }, target, known);
    assert.deepEqual([found.since, found.obstacles], [["add", "make"], []]);
  });

  it("is barred by a migration that the earlier code can't run with, or of which nothing is known", () => {
    assert.deepEqual(
      situation({ base: 1, drop: 2 }, target, known).obstacles.map(({ name }) => name),
      ["drop"],
    );
    assert.deepEqual(
      situation({ base: 1, old: 2 }, target, known).obstacles.map(({ name }) => name),
      ["old"],
    );
  });

  it("rolls back after the switch what the earlier code can run with", () => {
    const applied = { base: 1, add: 2, make: 3 };
    assert.deepEqual(rollbackSteps(applied, situation(applied, target, known), [undo.make, undo.add]), {
      before: 0,
      after: 2,
    });
  });

  it("rolls back before the switch what it can't run with, and what is newer", () => {
    const applied = { base: 1, add: 2, drop: 3 };
    assert.deepEqual(rollbackSteps(applied, situation(applied, target, known), [undo.drop, undo.add]), {
      before: 1,
      after: 1,
    });
  });

  it("refuses where the code that serves would not survive what has to come first", () => {
    const applied = { base: 1, drop: 2, add: 3 };
    const found = rollbackSteps(applied, situation(applied, target, known), [undo.add, undo.drop]);
    assert.match((found as { refused: string }).refused, /add: drops the column rows\.note/);
  });

  it("refuses where an older migration would have to be left out between newer ones", () => {
    const applied = { add: 1, base: 2 };
    assert.match(
      (rollbackSteps(applied, situation(applied, target, known), [undo.add]) as { refused: string }).refused,
      /base, which the earlier release contains as well, ran after add/,
    );
  });

  it("says of each that would not survive what is wrong with it, with its statements, and only that", () => {
    const applied = { base: 1, drop: 2, add: 3 };
    const [bad] = judgeMigrations([
      {
        name: "add",
        statements: [
          "alter table `rows` drop `note`",
          "alter table `rows` drop `more`",
          "alter table `rows` add `x` int null",
        ],
      },
    ]);
    const found = rollbackSteps(applied, situation(applied, target, known), [bad!, undo.drop]) as { refused: string };
    assert.match(
      found.refused,
      new RegExp(
        "\\n {2}add: drops the column rows\\.note \\(alter table `rows` drop `note`\\); drops the column " +
          "rows\\.more \\(alter table `rows` drop `more`\\)$",
      ),
    );
  });

  it("rolls all of several obstacles back before the switch, from the oldest of them on", () => {
    const applied = { base: 1, drop: 2, drop2: 3 };
    const more = new Map([...known, ["drop2", { name: "drop2", statements: ["alter table `rows` drop `m`"] }]] as [
      string,
      Migration,
    ][]);
    const back = judgeMigrations([{ name: "drop2", statements: ["alter table `rows` add `m` int null"] }])[0]!;
    assert.deepEqual(rollbackSteps(applied, situation(applied, target, more), [back, undo.drop]), {
      before: 2,
      after: 0,
    });
  });

  it("goes by batch, then by name", () => {
    assert.deepEqual(inOrder({ b: 2, a: 2, c: 1, d: 10 }), ["c", "a", "b", "d"]);
  });

  it("has nothing to roll back where nothing came since", () => {
    assert.deepEqual(rollbackSteps({ base: 1 }, situation({ base: 1 }, target, known), []), { before: 0, after: 0 });
  });
});

describe("the audit log", () => {
  it("joins beginning and end, and shows what never ended", () => {
    const line = (id: string, at: string, result: string) => ({ id, at, by: "me@here", verb: "up", args: [], result });
    const found = parseAudit(
      lines(
        line("a", "2026-01-01T00:00:00Z", "started"),
        line("b", "2026-01-01T00:01:00Z", "started"),
        // As earlier versions have written it.
        line("c", "2026-01-01T00:02:00Z", "begun"),
        line("a", "2026-01-01T00:00:00Z", "done"),
      ),
    );
    assert.deepEqual(
      found.map(({ id, at, result }) => [id, at, result]),
      [
        ["a", "2026-01-01T00:00:00Z", "done"],
        ["b", "2026-01-01T00:01:00Z", "started"],
        ["c", "2026-01-01T00:02:00Z", "started"],
      ],
    );
    assert.deepEqual(
      parseAudit(lines(line("a", "2026-01-01T00:00:00Z", "done"), line("a", "2026-01-01T00:00:00Z", "begun")))[0]!
        .result,
      "done",
    );
  });

  it("keeps no secret, no code and nobody's data", () => {
    assert.deepEqual(
      withoutSecrets([
        "user:make",
        "--password=hunter2",
        "--token",
        "abc",
        "--name",
        "x",
        "DB_PASSWORD=a",
        "base64:AAAA",
        "mysql://a:b@c/d",
      ]),
      ["user:make", "--password=***", "--token", "***", "--name", "x", "DB_PASSWORD=***", "***", "***"],
    );
    assert.deepEqual(withoutSecrets(["tinker", "--execute=User::create(['a' => 'b'])", "a".repeat(64), "--force"]), [
      "tinker",
      "--execute=***",
      "***",
      "--force",
    ]);
  });

  for (const [args, kept] of [
    [
      ["user:password", "5", "hunter2"],
      ["user:password", "***", "***"],
    ],
    [
      ["user:create", "-p", "Sommer2026"],
      ["user:create", "***", "***"],
    ],
    [
      ["app:unlock", "--pin", "4711"],
      ["app:unlock", "***", "***"],
    ],
    [
      ["app:unlock", "--pin=4711", "--force"],
      ["app:unlock", "***", "--force"],
    ],
    [
      ["user:create", "-pSommer2026", "-v"],
      ["user:create", "***", "-v"],
    ],
    [
      ["-v", "user:create", "ann"],
      ["-v", "user:create", "***"],
    ],
    [
      ["--pin", "4711", "app:unlock"],
      ["***", "***", "***"],
    ],
    [["user:password 5 hunter2"], ["***"]],
    [
      ["tinker", "--execute=x"],
      ["tinker", "***"],
    ],
    [
      ["down", "--secret", "open"],
      ["down", "***", "***"],
    ],
    [
      ["migrate", "--force", "--path=database/migrations/x.php"],
      ["migrate", "--force", "--path=database/migrations/x.php"],
    ],
    [
      ["queue:retry", "5", "--password", "x"],
      ["queue:retry", "5", "--password", "***"],
    ],
    [
      ["migrate:fresh-x", "a"],
      ["migrate:fresh-x", "***"],
    ],
    [
      ["Migrate", "hunter2"],
      ["Migrate", "***"],
    ],
    [["--force"], ["--force"]],
    [[], []],
  ] as const) {
    it(`keeps of artisan ${args.join(" ")} no more than ${kept.join(" ")}`, () => {
      assert.deepEqual(artisanWithoutSecrets(args), kept);
    });
  }

  const names = [
    "about",
    "list",
    "help",
    "env",
    "up",
    "optimize",
    "optimize:clear",
    "migrate",
    "migrate:status",
    "migrate:rollback",
    "migrate:reset",
    "migrate:refresh",
    "migrate:install",
    "queue:work",
    "queue:restart",
    "queue:retry",
    "queue:failed",
    "queue:forget",
    "queue:flush",
    "queue:clear",
    "queue:monitor",
    "queue:listen",
    "queue:pause",
    "queue:resume",
    "queue:prune-batches",
    "queue:prune-failed",
    "queue:retry-batch",
    "horizon",
    "horizon:pause",
    "schedule:run",
    "schedule:list",
    "schedule:work",
    "schedule:interrupt",
    "schedule:finish",
    "schedule:clear-cache",
    "cache:clear",
    "config:cache",
    "event:list",
    "route:list",
    "view:clear",
    "config:show",
    "storage:link",
    "storage:unlink",
    "db:show",
    "db:table",
    "db:monitor",
    "model:prune",
    "model:show",
    "package:discover",
    "auth:clear-resets",
  ];
  it("keeps what Laravel's own commands are given: names and numbers", () => {
    for (const name of names) assert.deepEqual(artisanWithoutSecrets([name, "word", "5"]), [name, "word", "5"], name);
    // Not the beginning of one, nor more than one.
    for (const name of ["abou", "aboutx", "xabout", "migrate:", "db:wipe", "storage:links"])
      assert.equal(artisanWithoutSecrets([name, "word"])[1], "***", name);
  });

  it("keeps the options without a value that everybody knows", () => {
    for (const flag of [
      "--force",
      "--seed",
      "--step",
      "--pretend",
      "--graceful",
      "--isolated",
      "--all",
      "--help",
      "--version",
      "--quiet",
      "--silent",
      "--verbose",
      "--no-interaction",
      "--ansi",
      "--no-ansi",
      "--json",
      "-h",
      "-q",
      "-n",
      "-v",
      "-vv",
      "-vvv",
      "-V",
    ])
      assert.deepEqual(artisanWithoutSecrets(["own:command", flag]), ["own:command", flag]);
  });

  it("takes no line for one that lacks its id or its verb, and sorts by time", () => {
    const good = { id: "a", at: "2026-01-02", by: "me", verb: "up", args: [], result: "done" };
    const found = parseAudit(
      lines({ ...good, id: undefined }, { ...good, verb: undefined }, good, { ...good, id: "b", at: "2026-01-01" }),
    );
    assert.deepEqual(
      found.map(({ id }) => id),
      ["b", "a"],
    );
  });

  it("says the exit code in a word", () => {
    assert.deepEqual([0, 3, 130, 143, 7].map(resultOf), [
      "done",
      "refused",
      "interrupted",
      "interrupted",
      "failed (7)",
    ]);
  });

  it("keeps nothing that an application's own command is given, whatever it is and wherever it stands", () => {
    const word = fc.string({ minLength: 3 }).filter((text) => !text.startsWith("-") && text !== "app:own");
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 1, maxLength: 6 }),
        fc.constantFrom("--pin", "-p", "--x=", ""),
        (words, option) => {
          const given = words.flatMap((one) =>
            option === "" ? [one] : option.endsWith("=") ? [option + one] : [option, one],
          );
          const kept = artisanWithoutSecrets(["app:own", ...given]);
          assert.deepEqual(kept, ["app:own", ...given.map(() => "***")]);
        },
      ),
    );
  });

  it("says an exit code in a word", () => {
    assert.deepEqual([0, 1, 3, 130].map(resultOf), ["done", "failed (1)", "refused", "interrupted"]);
  });
});
