import assert from "node:assert/strict";
import { beforeEach, describe, it } from "mocha";
import { JOURNAL } from "../../../../cli/backup/journal.ts";
import { unlike } from "../../../../cli/backup/making.ts";
import { readSchema } from "../../../../cli/backup/objects.ts";
import { bytes, quoted } from "../../../../cli/backup/sql.ts";
import { settle, swap } from "../../../../cli/backup/swap.ts";
import { Unsettled } from "../../../../cli/backup/unsettled.ts";
import { CliError, Exit } from "../../../../cli/shared/errors.ts";
import { MemoryServer } from "../../../support/backup/memoryServer.ts";

const RESTORED = "shop_restore_20260101_000000_0a1b2c3d";
const PREVIOUS = "shop_before_20260101_000000";
const WHO = "DEFINER=`shop`@`%`";

/** One of each, and tables that only one of the two schemas has; names as hostile as they may be. */
const HOSTILE = "a`b'\"; -- $(x)";

describe("a swap of two schemas", function () {
  this.timeout(120_000);
  let server: MemoryServer;
  let said: string[];
  const say = (line: string, level = "info"): void => void said.push(`${level}: ${line}`);

  const add = (schema: string, mark: string, tables: readonly string[], objects: readonly string[]): void => {
    const own = server.schemas.get(schema) ?? server.schema(schema, `${schema.split("_")[0]}_${mark}_ci`);
    for (const table of tables)
      own.tables.set(bytes(table), { kind: table.startsWith("v_") ? "SYSTEM VERSIONED" : "BASE TABLE", rows: mark });
    for (const create of objects) {
      const [, kind, name] = /\b(TRIGGER|VIEW|PROCEDURE|FUNCTION|PACKAGE BODY|PACKAGE|EVENT) `((?:[^`]|``)*)`/.exec(
        create,
      )!;
      const on = / ON `((?:[^`]|``)*)` FOR /.exec(create)?.[1];
      own.objects.set(`${kind!.toLowerCase()} ${bytes(name!.replaceAll("``", "`"))}`, {
        ...{ kind: kind!.toLowerCase(), name: bytes(name!.replaceAll("``", "`")), create: bytes(create) },
        table: kind === "TRIGGER" ? bytes(on!.replaceAll("``", "`")) : undefined,
        ...{ sqlMode: kind === "VIEW" ? "" : "ANSI", client: "utf8mb4", connection: "utf8mb4_bin" },
        ...{ schemaCollation: own.collation, timeZone: "SYSTEM" },
      });
    }
  };
  const procedure = (name: string, text: string) => `CREATE ${WHO} PROCEDURE ${quoted(name)}()\nSELECT '${text}'`;
  const view = (name: string, from: string) => `CREATE ${WHO} VIEW ${quoted(name)} AS SELECT 1 FROM ${from}`;
  const trigger = (name: string, on: string, text = "") =>
    `CREATE ${WHO} TRIGGER ${quoted(name)} BEFORE INSERT ON ${quoted(on)} FOR EACH ROW SET @a = '${text}'`;
  const event = (name: string, text: string) =>
    `CREATE ${WHO} EVENT ${quoted(name)} ON SCHEDULE EVERY 1 DAY STARTS '2026-01-01' ON COMPLETION PRESERVE ENABLE ` +
    `DO SET @a = '${text}'`;

  const fill = (): void => {
    add(
      "shop",
      "live",
      ["both", "old", "v_rows", HOSTILE],
      [
        trigger("up", "old"),
        trigger(HOSTILE, HOSTILE, "live"),
        view("becomes_table", "`both`"),
        view("same", "`both`"),
        view("named", "`shop`.`old`"),
        procedure("keep", "live"),
        procedure("gone", "live"),
        event("nightly", "live"),
      ],
    );
    add(
      RESTORED,
      "backup",
      ["both", "v_rows", "new", "becomes_table", HOSTILE],
      [
        trigger("up", "new"),
        trigger(HOSTILE, HOSTILE, "backup"),
        view("old", "`both`"),
        view("same", "`new`"),
        // Made before the one that it needs: views come in any order.
        view("a_first", `${quoted(RESTORED)}.\`z_second\``),
        view("z_second", "`both`"),
        procedure("keep", "backup"),
        event("nightly", "backup"),
        event("weekly", "backup"),
      ],
    );
  };

  beforeEach(() => {
    server = new MemoryServer();
    said = [];
    fill();
  });
  const carriedOut = async (): Promise<void> =>
    await swap(
      server,
      { restored: await readSchema(server, RESTORED), live: "shop", previous: PREVIOUS, backup: "b1" },
      say,
    );

  const texts = (schema: string): string[] =>
    [...server.schemas.get(schema)!.objects.values()].map(({ create }) => create).sort();
  const rows = (schema: string): unknown => Object.fromEntries(server.schemas.get(schema)!.tables);

  /** What is in place is the restored, and what was live is beside it, doing nothing by itself. */
  const isInPlace = (
    of: { readonly live: MemoryServer; readonly also?: readonly string[] } = { live: pristine() },
  ): void => {
    const [live, restored] = [of.live.schemas.get("shop")!, of.live.schemas.get(RESTORED)!];
    assert.deepEqual([...server.schemas.keys()].sort(), ["shop", PREVIOUS].sort());
    assert.deepEqual(rows("shop"), Object.fromEntries(restored.tables));
    assert.deepEqual(
      texts("shop"),
      [...restored.objects.values()].map(({ create }) => create.replaceAll(`\`${RESTORED}\``, "`shop`")).sort(),
    );
    assert.equal(server.schemas.get("shop")!.collation, live.collation);
    assert.deepEqual(rows(PREVIOUS), Object.fromEntries(live.tables));
    assert.deepEqual(
      texts(PREVIOUS),
      [...live.objects.values()].map(({ create }) => create.replace(" ENABLE DO", " DISABLE DO")).sort(),
    );
    assert.equal(server.schemas.get(PREVIOUS)!.collation, live.collation);
  };
  const pristine = (): MemoryServer => {
    const [own, mine] = [server, said];
    server = new MemoryServer();
    fill();
    const answer = server;
    [server, said] = [own, mine];
    return answer;
  };
  /** As it was, with or without what was restored beside it. */
  const isAsBefore = (): void => {
    const before = pristine().schemas.get("shop")!;
    assert.deepEqual(rows("shop"), Object.fromEntries(before.tables));
    assert.deepEqual(
      [...server.schemas.get("shop")!.objects.values()].sort(byName),
      [...before.objects.values()].sort(byName),
    );
    assert.equal(server.schemas.get("shop")!.collation, before.collation);
    assert.ok(!server.schemas.has(PREVIOUS) && !server.schemas.has(JOURNAL), [...server.schemas.keys()].join());
  };
  const byName = (a: { kind: string; name: string }, b: { kind: string; name: string }): number =>
    `${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1;

  it("puts all of the restored in place, and keeps what was live beside it", async () => {
    await carriedOut();
    isInPlace();
    assert.deepEqual(said, [
      "info: setting triggers and events aside",
      "info: putting the tables in place",
      "info: making views, triggers, routines and events",
    ]);
  });

  it("makes each object with the mode, the character sets and the zone that it was made with", async () => {
    await carriedOut();
    for (const schema of ["shop", PREVIOUS])
      for (const { kind, sqlMode, client, connection, schemaCollation, timeZone } of server.schemas
        .get(schema)!
        .objects.values())
        assert.deepEqual(
          [sqlMode, client, connection, schemaCollation, timeZone],
          [
            kind === "view" ? "" : "ANSI",
            "utf8mb4",
            "utf8mb4_bin",
            kind === "view" || schema === PREVIOUS ? "shop_live_ci" : "shop_backup_ci",
            "SYSTEM",
          ],
          `${schema} ${kind}`,
        );
  });

  it("moves all tables with one statement, which waits half a minute and no longer", async () => {
    await carriedOut();
    const name = (schema: string, table: string) => `${quoted(schema)}.${quoted(table)}`;
    const renames = server.said.filter((statement) => statement.startsWith("RENAME"));
    assert.deepEqual(renames, [
      `RENAME TABLE ${[
        ...[HOSTILE, "both", "old", "v_rows"].map((table) => `${name("shop", table)} TO ${name(PREVIOUS, table)}`),
        ...[HOSTILE, "becomes_table", "both", "new", "v_rows"].map(
          (table) => `${name(RESTORED, table)} TO ${name("shop", table)}`,
        ),
      ].join(", ")}`,
    ]);
    assert.equal(
      server.said[server.said.indexOf(renames[0]!) - 1],
      "SET SESSION foreign_key_checks = 0, lock_wait_timeout = 30",
    );
  });

  it("has the server to itself for what it changes, and its journal is not in the binary log", async () => {
    await carriedOut();
    assert.ok(server.locks.filter((lock) => lock === "drydock_restore").length >= 10);
    assert.deepEqual(
      server.logged.filter((statement) => statement.includes(JOURNAL)),
      [],
    );
    assert.ok(server.logged.some((statement) => statement.startsWith("RENAME")));
  });

  it("says in words what of the live can't be read, and goes on without it", async () => {
    const { objects } = server.schemas.get("shop")!;
    objects.set("procedure keep", { ...objects.get("procedure keep")!, create: "NULL" });
    await carriedOut();
    assert.deepEqual(said[0], "warn: of what is live, procedure keep can't be read: it is not kept");
    assert.equal(server.schemas.get("shop")!.objects.get("procedure keep")!.create, procedure("keep", "backup"));
    assert.ok(!server.schemas.get(PREVIOUS)!.objects.has("procedure keep"));
  });

  it("refuses, before anything was touched, what can't be moved", async () => {
    const before = JSON.stringify(server.picture());
    const refused = async (change: () => void, undo: () => void, what: RegExp): Promise<void> => {
      change();
      const changed = JSON.stringify(server.picture());
      await assert.rejects(carriedOut(), (error: CliError) => {
        assert.match(error.what, what);
        assert.match(error.what, /; nothing was touched$/);
        assert.equal(error.code, Exit.refused);
        assert.equal(error.remedy, "restore the server's files as a whole: --physical, of a full backup");
        return true;
      });
      assert.equal(JSON.stringify(server.picture()), changed);
      undo();
      assert.equal(JSON.stringify(server.picture()), before);
    };
    for (const schema of ["shop", RESTORED]) {
      const { tables } = server.schemas.get(schema)!;
      await refused(
        () => void tables.set("odd", { kind: "TEMPORARY", rows: "" }),
        () => void tables.delete("odd"),
        /put in place table by table: odd is a temporary, which can't be moved; nothing/,
      );
    }
    const { objects } = server.schemas.get(RESTORED)!;
    await refused(
      () => void objects.set("procedure lost", { ...objects.get("procedure keep")!, name: "lost", create: "NULL" }),
      () => void objects.delete("procedure lost"),
      /procedure lost can't be read; nothing/,
    );
  });

  it("refuses where neither has a table, and takes one that is empty", async () => {
    server.schemas.get("shop")!.tables.clear();
    server.schemas.get("shop")!.objects.clear();
    const restored = server.schemas.get(RESTORED)!;
    const tables = new Map(restored.tables);
    const objects = new Map(restored.objects);
    restored.tables.clear();
    restored.objects.clear();
    await assert.rejects(carriedOut(), new RegExp(`neither shop nor ${RESTORED} has a table; nothing was touched`));
    for (const [name, table] of tables) restored.tables.set(name, table);
    for (const [name, object] of objects) restored.objects.set(name, object);
    await carriedOut();
    assert.deepEqual([...server.schemas.get("shop")!.tables.keys()].sort(), [...tables.keys()].sort());
    assert.equal(server.schemas.get(PREVIOUS)!.tables.size, 0);
  });

  it("moves a single table, into an empty schema and back out of it, and keeps the collation beside it", async () => {
    const single = (): void => {
      anew();
      server.schemas.clear();
      server.schema("shop", "utf8mb4_live_ci");
      add(RESTORED, "backup", ["only"], []);
    };
    single();
    await carriedOut();
    assert.deepEqual(rows("shop"), { only: { kind: "BASE TABLE", rows: "backup" } });
    assert.deepEqual(server.schemas.get(PREVIOUS)!.collation, "utf8mb4_live_ci");
    single();
    server.fails = (statement) => (statement.includes("'proven', X") ? "no" : undefined);
    await assert.rejects(carriedOut(), /what was live still is/);
    assert.deepEqual([rows("shop"), [...server.schemas.keys()]], [{}, ["shop"]]);
  });

  it("names a single object, too, that the kept schema has to do without", async () => {
    add("shop", "live", [], [view("unmakable", "`nowhere`")]);
    await carriedOut();
    assert.match(said.at(-1)!, /is without: view unmakable; the backups have them$/);
  });

  it("empties a live schema for a backup that had no table", async () => {
    server.schemas.get(RESTORED)!.tables.clear();
    server.schemas.get(RESTORED)!.objects.clear();
    await carriedOut();
    assert.deepEqual([server.schemas.get("shop")!.tables.size, server.schemas.get("shop")!.objects.size], [0, 0]);
    assert.equal(server.schemas.get(PREVIOUS)!.tables.size, 4);
  });

  it("gives what is kept a usual collation where the live one's is no word", async () => {
    server.schemas.get("shop")!.collation = "x; DROP DATABASE `shop`";
    await carriedOut();
    assert.equal(server.schemas.get(PREVIOUS)!.collation, "utf8mb4_unicode_ci");
  });

  it("names what the kept schema has to do without", async () => {
    const { objects } = server.schemas.get("shop")!;
    objects.set("view elsewhere", {
      ...objects.get("view same")!,
      name: "elsewhere",
      create: `CREATE ${WHO} VIEW \`shop\`.\`elsewhere\` AS SELECT 1 FROM \`both\``,
    });
    objects.set("event odd", {
      ...objects.get("event nightly")!,
      name: "odd",
      create: `CREATE ${WHO} EVENT \`odd\` DO 1`,
    });
    objects.set("view unmakable", {
      ...objects.get("view same")!,
      name: "unmakable",
      create: `CREATE ${WHO} VIEW \`unmakable\` AS SELECT 1 FROM \`nowhere\``,
    });
    await carriedOut();
    assert.deepEqual(
      said.at(-1),
      `warn: the schema that is kept, ${PREVIOUS}, is without: view elsewhere, event odd, ` +
        "view unmakable; the backups have them",
    );
    assert.ok(!server.schemas.get("shop")!.objects.has("view elsewhere"));
  });

  it("puts back what was live, to the last object, where anything fails on the way", async () => {
    await carriedOut();
    const all = server.said;
    const last = all.findLastIndex((statement) => /'proven'/.test(statement));
    let tried = 0;
    for (const [index, failing] of all.entries()) {
      if (index > last || /^(?:SET|USE|DO|SELECT|SHOW)\b/.test(failing)) continue;
      if (failing.includes(JOURNAL) || failing === "START TRANSACTION" || failing === "COMMIT") continue;
      server = new MemoryServer();
      fill();
      said = [];
      let back = false;
      server.fails = (statement) => {
        back ||= statement.includes("'back', X");
        return statement === failing && !back ? "no" : undefined;
      };
      await assert.rejects(
        carriedOut(),
        (error: CliError) => {
          assert.ok(error instanceof CliError && !(error instanceof Unsettled));
          assert.match(error.what, /^the restored schema could not be put in place: .*no.*; what was live still is$/s);
          assert.match(error.remedy!, /run the same command again.*--physical/);
          return true;
        },
        failing,
      );
      isAsBefore();
      assert.ok(!server.schemas.has(RESTORED));
      tried++;
    }
    assert.ok(tried > 15, `${tried} statements`);
  });

  it("leaves it unsettled, with its journal, where what was live can't be put back either", async () => {
    let broken = false;
    server.fails = (statement) => {
      broken ||= statement.startsWith("CREATE DEFINER") && statement.includes("TRIGGER `up`");
      return broken && !/^(?:SELECT|DO|SET|USE|SHOW|INSERT)/.test(statement) ? "the disk is full" : undefined;
    };
    await assert.rejects(carriedOut(), (error: Error) => {
      assert.ok(error instanceof Unsettled);
      assert.match(
        error.what,
        /could not be put in place \(.*the disk is full.*\), and what was live could not be put back \(/s,
      );
      assert.equal(error.remedy, "./drydock backup restore --resume");
      return true;
    });
    server.fails = () => undefined;
    assert.deepEqual((await settle(server, say))?.ended, "back");
    assert.match(
      said.at(-1)!,
      /^warn: the restore of backup b1 \(\S+\) was cut off while its tables were put in place; it is taken back$/,
    );
    isAsBefore();
  });

  it("is done where only the clearing up fails, and says what is left to do", async () => {
    server.fails = (statement) => (statement === `DROP DATABASE IF EXISTS ${quoted(RESTORED)}` ? "no" : undefined);
    await carriedOut();
    assert.match(
      said.at(-1)!,
      /^warn: what was restored is live, but the rest .*\(\.\/drydock backup restore --resume\): .*no$/,
    );
    server.fails = () => undefined;
    assert.deepEqual((await settle(server, say))?.ended, "finished");
    assert.match(said.at(-1)!, /was cut off after the tables had changed places; it is finished$/);
    isInPlace();
  });

  it("takes nothing back that visitors have written to since: what was proven is finished", async () => {
    server.fails = (statement) => (statement === `DROP DATABASE IF EXISTS ${quoted(RESTORED)}` ? "no" : undefined);
    await carriedOut();
    server.fails = () => undefined;
    // What a visitor has made meanwhile.
    server.schemas.get("shop")!.tables.set("fresh", { kind: "BASE TABLE", rows: "visitor" });
    assert.deepEqual((await settle(server, say))?.ended, "finished");
    assert.deepEqual(server.schemas.get("shop")!.tables.get("fresh"), { kind: "BASE TABLE", rows: "visitor" });
  });

  it("drops no schema that still has a table", async () => {
    const restored = await readSchema(server, RESTORED);
    server.schemas.get(RESTORED)!.tables.set("late\ncomer", { kind: "BASE TABLE", rows: "precious" });
    await swap(server, { restored, live: "shop", previous: PREVIOUS, backup: "b1" }, say);
    assert.match(
      said.at(-1)!,
      new RegExp(`the schema ${RESTORED} still has late\\\\u\\{a\\}comer, and is left as it is`),
    );
    assert.deepEqual(server.schemas.get(RESTORED)!.tables.get("late\ncomer"), { kind: "BASE TABLE", rows: "precious" });
    await assert.rejects(settle(server, say), Unsettled);
    assert.ok(server.schemas.has(RESTORED));
  });

  it("drops no kept schema that still has a table, when it is taken back", async () => {
    server.fails = (statement) => {
      if (!statement.startsWith("RENAME")) return undefined;
      server.schemas.get(PREVIOUS)!.tables.set("somebody's", { kind: "BASE TABLE", rows: "precious" });
      return "no";
    };
    await assert.rejects(carriedOut(), (error: Error) => {
      assert.ok(error instanceof Unsettled);
      assert.match(error.message, new RegExp(`the schema ${PREVIOUS} still has somebody's, and is left as it is`));
      return true;
    });
    assert.ok(server.schemas.get(PREVIOUS)!.tables.has("somebody's"));
  });

  it("says which of the live was broken before, where it can't be made again", async () => {
    // A view of a table that is gone: it is there, and nobody could make it.
    add("shop", "live", [], [view("dead", "`nowhere`")]);
    server.fails = (statement) => (/TRIGGER `up`.* ON `new`/s.test(statement) ? "no" : undefined);
    add(RESTORED, "backup", ["dead"], []);
    await assert.rejects(carriedOut(), /what was live still is/);
    assert.match(said.at(-1)!, /^warn: view dead was broken before, and could not be made again \(.*nowhere.*\)$/);
  });

  it("finds a table that is missing or that was not restored, and takes it back", async () => {
    server.fails = (statement) => {
      if (statement.startsWith("RENAME"))
        server.schemas.get("shop")!.objects.set("procedure stranger", {
          ...server.schemas.get("shop")!.objects.get("procedure gone")!,
          name: "stranger",
        });
      return undefined;
    };
    await assert.rejects(
      carriedOut(),
      /what is in place now is not what was restored: procedure stranger was not in it; what was live still is/,
    );
  });

  it("puts packages in place with their bodies", async () => {
    const package_ = `CREATE ${WHO} PACKAGE \`kit\` AS PROCEDURE p(); END`;
    const body = `CREATE ${WHO} PACKAGE BODY \`kit\` AS PROCEDURE p() AS BEGIN SELECT 1; END; END`;
    add(RESTORED, "backup", [], [package_, body]);
    await carriedOut();
    for (const [key, create] of [
      ["package kit", package_],
      ["package body kit", body],
    ] as const)
      assert.equal(server.schemas.get("shop")!.objects.get(key)?.create, create);
  });

  it("finds whatever is missing or not in it, but for an event of a single moment that has passed", async () => {
    const once =
      `CREATE ${WHO} EVENT \`once\` ON SCHEDULE AT '2026-01-01 00:00:00' ` +
      "ON COMPLETION NOT PRESERVE ENABLE DO SELECT 1";
    add(RESTORED, "backup", [], [once, procedure("talks", "of ON SCHEDULE AT ")]);
    const wanted = await readSchema(server, RESTORED);
    assert.deepEqual(await unlike(server, RESTORED, wanted), []);
    const { tables, objects } = server.schemas.get(RESTORED)!;
    tables.delete("new");
    for (const key of ["event once", "event weekly", "procedure talks"]) objects.delete(key);
    add(RESTORED, "backup", ["line\nbreak"], []);
    assert.deepEqual(await unlike(server, RESTORED, wanted), [
      "table new is missing",
      "procedure talks is missing",
      "event weekly is missing",
      "table line\\u{a}break was not in it",
    ]);
  });

  it("settles nothing where nothing was cut off, and clears a journal that was never written", async () => {
    const before = JSON.stringify(server.picture());
    assert.equal(await settle(server, say), undefined);
    assert.equal(JSON.stringify(server.picture()), before);
    server.schema(JOURNAL).tables.set("entries", { kind: "BASE TABLE", rows: "" });
    assert.equal(await settle(server, say), undefined);
    assert.equal(JSON.stringify(server.picture()), before);
  });

  /** Runs a part of it and kills the command line before the call after this one. Answers whether it was killed. */
  const killedAfter = async (
    last: number,
    work: () => Promise<unknown>,
    counts: () => boolean = () => true,
  ): Promise<boolean> => {
    let calls = 0;
    let killed = (): void => undefined;
    const dead = new Promise<boolean>((resolve) => {
      killed = () => resolve(true);
    });
    server.before = async () => {
      if (!counts() || ++calls <= last) return;
      killed();
      await new Promise(() => undefined);
    };
    const cut = await Promise.race([
      work().then(
        () => false,
        () => false,
      ),
      dead,
    ]);
    server.before = async () => undefined;
    return cut;
  };
  const anew = (): void => {
    server = new MemoryServer();
    said = [];
    fill();
  };

  it("is brought to one of two ends wherever the command line was killed", async () => {
    const ends = { back: 0, finished: 0, neither: 0 };
    for (let last = 1, cut = true; cut; last++) {
      anew();
      cut = await killedAfter(last, carriedOut);
      const renamed = server.said.some((statement) => statement.startsWith("RENAME"));
      const settled = await settle(server, say);
      ends[settled?.ended ?? "neither"]++;
      // Until the tables have changed places it is taken back, and from then on never.
      if (settled !== undefined) assert.equal(settled.ended === "finished", renamed, `killed after ${last} calls`);
      if (settled?.ended === "finished" || !cut) isInPlace();
      else isAsBefore();
      if (settled !== undefined) {
        assert.equal(settled.plan.backup, "b1");
        assert.ok(!server.schemas.has(RESTORED));
        assert.equal(await settle(server, say), undefined);
      }
    }
    assert.ok(ends.back > 4 && ends.finished > 4 && ends.neither > 0, JSON.stringify(ends));
  });

  it("is brought to the same end where what brings it there was killed as well", async () => {
    let twice = 0;
    for (let first = 4, cut = true; cut; first += 3)
      for (let second = 1 + (first % 2), again = true; again && cut; second += 2) {
        anew();
        cut = await killedAfter(first, carriedOut);
        again = cut && (await killedAfter(second, async () => await settle(server, say)));
        const why = `killed after ${first} calls, then after ${second}`;
        await settle(server, say).catch((error: Error) => assert.fail(`${why}: ${error.message}`));
        if (!server.schemas.has(PREVIOUS)) isAsBefore();
        else isInPlace();
        if (again) twice++;
      }
    assert.ok(twice > 50, `${twice}`);
  });

  it("is taken back to its end where even that was killed", async () => {
    for (let last = 1, cut = true; cut; last++) {
      anew();
      server.fails = (statement) => (/TRIGGER `up`.* ON `new`/s.test(statement) ? "no" : undefined);
      cut = await killedAfter(last, carriedOut, () => server.said.some((statement) => statement.includes("'back', X")));
      server.fails = () => undefined;
      await settle(server, say);
      isAsBefore();
      assert.ok(!server.schemas.has(RESTORED));
    }
  });
});
