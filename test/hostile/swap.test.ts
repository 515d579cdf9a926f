import assert from "node:assert/strict";
import fc from "fast-check";
import { withLoader } from "../../cli/backup/loader.ts";
import { readSchema } from "../../cli/backup/objects.ts";
import { load, query, quoted } from "../../cli/backup/sql.ts";
import { settle, swap } from "../../cli/backup/swap.ts";
import { docker } from "../support/clone.ts";
import { type Content, content, KINDS, make, type Picture, picture, underAll } from "../support/hostile/content.ts";
import { NAMES } from "../support/hostile/names.ts";
import { Server } from "../support/hostile/server.ts";

const RESTORED = "shop_restore_20260101_000000_0a1b2c3d";
const PREVIOUS = "shop_before_20260101_000000";

describe("what is put in place table by table, whatever its names are", function () {
  this.timeout(1_800_000);
  const server = new Server();
  before(() => server.start("--log-bin-trust-function-creators=1", "--event-scheduler=ON"));
  after(() => server.remove());

  const clear = async (): Promise<void> => {
    for (const [schema] of await query(
      server,
      "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE 'shop%' OR schema_name LIKE " +
        "'drydock%'",
    ))
      await query(server, `DROP DATABASE ${quoted(schema!)}`);
  };
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);

  /** Has it put in place, and compares everything. */
  const check = async (
    live: Content,
    restored: Content,
  ): Promise<{ readonly tables: number; readonly objects: number }> => {
    await clear();
    await make(server, "shop", "of the live", live);
    await make(server, RESTORED, "of the backup", restored);
    const [before, wanted] = [await picture(server, "shop"), await picture(server, RESTORED)];
    said.length = 0;
    try {
      await swap(
        server,
        { restored: await readSchema(server, RESTORED), live: "shop", previous: PREVIOUS, backup: "b" },
        say,
      );
    } catch (error) {
      assert.deepEqual(await picture(server, "shop"), before, `refused, but touched: ${String(error)}`);
      throw error;
    }
    await isInPlace(before, wanted);
    return { tables: wanted.rows.length, objects: wanted.objects.length };
  };

  const isInPlace = async (before: Picture, wanted: Picture): Promise<void> => {
    assert.deepEqual(await picture(server, "shop"), wanted);
    const kept = await picture(server, PREVIOUS);
    const off = before.objects.map((object) => object.replace(/ ENABLE(?= COMMENT)/, " DISABLE")).sort();
    assert.deepEqual({ ...kept, objects: kept.objects }, { ...before, objects: off }, said.join("\n"));
    await isClear();
  };
  const isClear = async (): Promise<void> =>
    assert.deepEqual(
      await query(server, "SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE '%restore%'"),
      [],
    );

  it("is there again as it was, and so is what was live, under its other name: all known names at once", async () => {
    const half = NAMES.filter((_, index) => index % 2 === 0);
    const { tables, objects } = await check(underAll(half, NAMES), underAll(NAMES.slice(0, 40), NAMES));
    // A name that no server takes is no proof.
    assert.ok(tables > 35 && objects > 130, `${tables} tables, ${objects} objects`);
  });

  it("is there again as it was, and so is what was live, whatever the names are", async () => {
    await fc.assert(
      fc.asyncProperty(content, content, async (live, restored) => void (await check(live, restored))),
      { numRuns: 8, endOnFailure: true },
    );
  });

  it("is loaded by a client that gives no file of its container to a dump, and runs no command", async () => {
    await clear();
    await query(server, `CREATE DATABASE ${RESTORED}`);
    for (const statement of [
      "LOAD DATA LOCAL INFILE '/run/drydock/root-password' INTO TABLE taken;",
      "LOAD DATA INFILE '/run/drydock/root-password' INTO TABLE taken;",
      "INSERT INTO taken VALUES (LOAD_FILE('/run/drydock/root-password'));",
      "\\! cp /run/drydock/root-password /tmp/taken",
      "system cp /run/drydock/root-password /tmp/taken",
      "\\. /run/drydock/root-password",
      "source /run/drydock/root-password",
    ])
      await withLoader(server, RESTORED, async (account) => {
        const { input, done } = load(server, account, RESTORED);
        input.on("error", () => undefined);
        input.end(`DROP TABLE IF EXISTS taken;\nCREATE TABLE taken (a TEXT);\n${statement}\n`);
        await done.catch((error: Error) =>
          assert.match(error.message, /the database did not take the backup/, statement),
        );
        const rows = await query(server, `SELECT a FROM ${RESTORED}.taken`);
        assert.deepEqual(
          rows.filter(([a]) => a !== "NULL"),
          [],
          statement,
        );
      });
    assert.doesNotMatch(docker("exec", server.container, "ls", "/tmp"), /taken/);
  });

  const small = (names: readonly string[]): Content => ({
    tables: names.map((name, index) => ({
      name,
      column: name,
      kind: KINDS[index % KINDS.length]!,
      trigger: `t${name}`,
    })),
    views: [`v${names[0]}`],
    routines: [`r${names[0]}`, "f"],
    events: [`e${names[0]}`],
  });

  it("is brought to one of two ends wherever it was killed, and wherever the server was", async () => {
    const ends = { back: 0, finished: 0 };
    for (let last = 1, cut = true; cut; last++) {
      await clear();
      await make(server, "shop", "of the live", small(["a`b", "both", "c"]));
      await make(server, RESTORED, "of the backup", small(["both", "d'e", "a`b"]));
      const [before, wanted] = [await picture(server, "shop"), await picture(server, RESTORED)];
      const restored = await readSchema(server, RESTORED);
      // A command line that is killed asks for nothing more: whatever it has started in the server goes on.
      let calls = 0;
      let stopped = (): void => undefined;
      const killed = new Promise<"killed">((resolve) => {
        stopped = () => resolve("killed");
      });
      const run: typeof server.docker.run = async (args, options) => {
        if (++calls > last) {
          stopped();
          return await new Promise(() => undefined);
        }
        return await server.docker.run(args, options);
      };
      const dying = { docker: { ...server.docker, run }, container: server.container, client: server.client };
      cut =
        (await Promise.race([
          swap(dying, { restored, live: "shop", previous: PREVIOUS, backup: "b" }, say).then(() => "done"),
          killed,
        ])) === "killed";
      if (last % 4 === 0) await server.crash();
      said.length = 0;
      const settled = await settle(server, say);
      if (settled !== undefined) ends[settled.ended]++;
      if (settled?.ended === "finished" || !cut) await isInPlace(before, wanted);
      else {
        assert.deepEqual(await picture(server, "shop"), before, `killed after ${last} calls: ${said.join("; ")}`);
        // Before its plan was written, nothing knows of it but the next restore, which clears what was loaded.
        if (settled !== undefined) await isClear();
        assert.deepEqual(
          await query(server, `SELECT schema_name FROM information_schema.schemata WHERE schema_name = '${PREVIOUS}'`),
          [],
        );
      }
    }
    assert.ok(ends.back > 2 && ends.finished > 2, JSON.stringify(ends));
  });
});
