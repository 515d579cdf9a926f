import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { ensureImages } from "../../cli/setup/images.ts";
import type { Entry } from "../../contracts/entry.ts";
import { describeSchema, EVERYTHING } from "../support/backup/everything.ts";
import { Rig } from "../support/backup/rig.ts";
import { Moto } from "../support/moto.ts";

/** What is in the server's memory alone is in no copy of its files. */
const isInMemory = (name: string): boolean => name === "table in_memory";

/** Each kind of backup, restored in each way, beside what was live at that second: object by object. */
describe("a backup of a schema with everything", function () {
  this.timeout(600_000);
  const rig = new Rig();
  let moto: Moto;

  before(async () => {
    await ensureImages({ log: () => undefined, host: process.env.DOCKER_HOST ?? "unix:///var/run/docker.sock" });
    await rig.start();
    moto = await Moto.start();
    await rig.copyTo(moto);
    await rig.startAgent();
    rig.sql(`CREATE USER shop_user@'%' IDENTIFIED BY '${rig.secrets.account}'; GRANT ALL ON shop.* TO shop_user@'%'`);
    rig.sql(EVERYTHING);
    rig.storage("mkdir -p app; echo 1 > app/one");
  });
  after(() => {
    moto?.remove();
    rig.stop();
  });

  /** As a restore by tables does it: the dump into a new schema beside the live one. */
  const restored = (id: string, ...more: string[]): Record<string, string> => {
    rig.load("look", id, ...more);
    const found = describeSchema(rig, "look");
    rig.sql("DROP DATABASE look");
    return found;
  };
  /** As a physical restore does it: a server that runs on the prepared files. */
  const prepared = async (id: string, ...more: string[]): Promise<Record<string, string>> => {
    const { code, last, stderr } = await rig.agent("prepare", id, ...more);
    assert.equal(code, 0, stderr + JSON.stringify(last));
    return await rig.onFiles(last.folder, (server) => describeSchema(server, "shop"));
  };
  const live = (): Record<string, string> => describeSchema(rig, "shop");
  const same = (
    found: Record<string, string>,
    expected: Record<string, string>,
    but: (name: string) => boolean = () => false,
  ): void => {
    const kept = (of: Record<string, string>) =>
      Object.fromEntries(
        Object.entries(of)
          .filter(([name]) => !but(name))
          .sort(),
      );
    assert.deepEqual(kept(found), kept(expected));
  };
  const write = (id: number): void => {
    rig.sql(`INSERT INTO plain (id, body, data) VALUES (${1000 + id}, 'later ', 'x');
    UPDATE versioned SET v = ${id} WHERE id = 1; INSERT INTO parted VALUES (${10 + id}, 5);
      INSERT INTO generated (id, a) VALUES (${10 + id}, 1); INSERT INTO keyless VALUES (${id}, 'later');
      DO NEXTVAL(counter);
      INSERT INTO in_aria VALUES (${10 + id}, 'x'); INSERT INTO in_myisam VALUES (${10 + id}, 'x');`);
  };

  let round = 0;
  for (const type of ["full", "db", "incremental"] as const) {
    for (const physical of type === "incremental" ? [true] : [true, false]) {
      describe(`${type}, ${physical ? "of the server's files" : "as a dump"}`, () => {
        let entry: Entry;
        let then: Record<string, string>;
        const but = (name: string): boolean => physical && isInMemory(name);

        before(async () => {
          rig.configuration = { ...rig.configuration, physical };
          await rig.startAgent();
          write(++round);
          entry = await rig.backup(type);
          then = live();
        });

        it("is verified, and says what it could not prove", () => {
          assert.deepEqual([entry.verified, entry.verification!.problems, entry.missing], [true, [], undefined]);
          assert.equal(entry.database!.format, physical ? "physical" : "logical");
          const memory =
            "table in_memory: its rows are in the server's memory alone (MEMORY), and so in no copy of its files";
          const account = "the account nobody@%, which views, triggers, routines or events run as, does not exist";
          assert.deepEqual(entry.unproven, physical ? [memory, account] : [account]);
          assert.deepEqual(entry.database!.definers, ["nobody@%", "root@localhost", "shop_user@%"]);
          for (const table of ["versioned", "parted", "in_aria", "in_myisam", "generated", "keyless"]) {
            const { unproven, checksum } = entry.database!.sums[table]!;
            assert.ok(unproven === undefined && checksum !== null, table);
          }
        });

        it("restores by tables to what was live", () => same(restored(entry.id), then, but));

        it("restores to the second before a mistake, from before and behind DDL from outside the schema", async () => {
          write(++round);
          rig.sql(
            `ALTER TABLE shop.plain ADD COLUMN extra${round} INT; INSERT INTO shop.plain (id, extra${round}) ` +
              `VALUES (${5000 + round}, 9)`,
            "mysql",
          );
          rig.sql(`CREATE DEFINER=shop_user@'%' VIEW made_later${round} AS SELECT id FROM plain`);
          const before = live();
          await sleep(2_100);
          const mistake = rig.sql(
            "DELETE FROM plain; DELETE FROM versioned; DROP VIEW simple; SELECT DATE_FORMAT(UTC_TIMESTAMP(), " +
              "'%Y-%m-%dT%H:%i:%sZ')",
          );
          await sleep(1_100);
          const found = restored(entry.id, "--to-time", mistake);
          rig.sql("CREATE VIEW simple AS SELECT id, body FROM plain WHERE id < 10");
          same(found, before, but);
          if (physical) same(await prepared(entry.id, "--to-time", mistake), before, but);
        });

        it("is in S3, and is the same from there", async () => {
          await rig.until(
            "the copy",
            async () => ((await rig.agent("show", entry.id)).last.backup as Entry).copies.includes("s3"),
            120_000,
          );
          rig.repository("mv repository away-r; mv backups away-c; mv binlogs away-b");
          await rig.startAgent();
          try {
            assert.equal((await rig.agent("adopt")).code, 0);
            assert.equal((await rig.agent("verify", entry.id)).code, 0);
            same(restored(entry.id), then, but);
            if (physical) same(await prepared(entry.id, "--compare"), then, but);
          } finally {
            rig.remove("agent");
            rig.repository(
              "rm -rf repository backups binlogs; mv away-r repository; mv away-c backups; mv away-b binlogs",
            );
            await rig.startAgent();
          }
        });

        if (physical) {
          it("restores the server's files to what was live, compared or not", async () => {
            same(await prepared(entry.id, "--compare"), then, but);
            same(await prepared(entry.id), then, but);
          });
        }
      });
    }
  }

  it("goes on where a view is broken, a table is damaged, and says so; the broken view can be dropped", async () => {
    rig.sql(
      "CREATE TABLE losing (id INT, body INT); CREATE VIEW broken AS SELECT body FROM losing; " +
        "CREATE VIEW on_broken AS SELECT * FROM broken; ALTER TABLE losing DROP COLUMN body",
    );
    rig.configuration = { ...rig.configuration, physical: false };
    await rig.startAgent();
    const dumped = await rig.backup("db");
    assert.deepEqual(
      dumped.missing?.map((text) => text.replace(/:.*/, "")),
      ["view broken can't be dumped", "view on_broken can't be dumped"],
    );
    assert.equal(dumped.verified, true);
    await rig.until("the alarm", () => rig.alarmed("incomplete"));
    same(restored(dumped.id), live(), (name) => ["view broken", "view on_broken"].includes(name));
    rig.configuration = { ...rig.configuration, physical: true };
    await rig.startAgent();
    const copied = await rig.backup("full");
    assert.deepEqual([copied.verified, copied.missing], [true, undefined]);
    same(restored(copied.id), live(), (name) => ["view broken", "view on_broken"].includes(name) || isInMemory(name));
    await rig.until("its end", async () => !(await rig.alarmed("incomplete")));
    rig.sql("DROP VIEW broken, on_broken; DROP TABLE losing");
  });

  it("refuses a moment behind a statement that needs another schema, and leaves nothing out", async () => {
    rig.configuration = { ...rig.configuration, physical: false };
    await rig.startAgent();
    const dumped = await rig.backup("db");
    rig.sql("CREATE DATABASE aside; CREATE TABLE aside.t (id INT); RENAME TABLE aside.t TO shop.moved", "mysql");
    await sleep(2_100);
    const now = rig.sql("SELECT DATE_FORMAT(UTC_TIMESTAMP(), '%Y-%m-%dT%H:%i:%sZ')");
    await sleep(1_100);
    const { code, last } = await rig.agent("dump", dumped.id, "--to-time", now);
    assert.deepEqual([code, last.event], [3, "error"]);
    assert.match(
      last.message,
      /has a statement from outside the schema .* that can't be run without the rest of the server/,
    );
    rig.sql("DROP DATABASE aside; DROP TABLE moved");
  });
});
