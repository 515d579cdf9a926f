import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { holding, startOf, tryLock, unlock } from "../../../lib/lock.ts";

describe("the lock", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-lock-"));
    path = join(folder, "inner", "lock");
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const content = (): string => readFileSync(path, "utf8");
  const left = (): string[] => readdirSync(join(folder, "inner"));
  const dead = (holder: string): boolean => holder.startsWith("dead");

  it("is taken by one, and given back by that one only", () => {
    assert.deepEqual(tryLock(path, "a", dead), { taken: true });
    assert.deepEqual(tryLock(path, "b", dead), { taken: false, holder: "a" });
    unlock(path, "b");
    assert.equal(content(), "a");
    unlock(path, "a");
    assert.deepEqual(left(), []);
  });

  it("is taken over from a stale holder, and says from whom", () => {
    tryLock(path, "dead 1", dead);
    assert.deepEqual(tryLock(path, "b", dead), { taken: true, previous: "dead 1" });
    assert.equal(content(), "b");
    assert.deepEqual(left(), ["lock"]);
  });

  it("is not taken away from who took it between the look and the take-over", () => {
    tryLock(path, "dead 1", dead);
    // The order that a race has once in a long time: both look at the stale holder, the other takes it over first.
    let first = true;
    const attempt = tryLock(path, "slow", (holder) => {
      if (first && holder === "dead 1") {
        first = false;
        assert.deepEqual(tryLock(path, "quick", dead), { taken: true, previous: "dead 1" });
      }
      return dead(holder);
    });
    assert.deepEqual(attempt, { taken: false, holder: "quick" });
    assert.equal(content(), "quick");
    assert.deepEqual(left(), ["lock"]);
  });

  it("is taken once where one was killed in the midst of taking it over", () => {
    tryLock(path, "dead 1", dead);
    // What a process leaves that had the right to replace it, and was killed before it did.
    writeFileSync(`${path}.after-${createHash("sha256").update("dead 1").digest("hex").slice(0, 16)}`, "dead 2");
    assert.deepEqual(tryLock(path, "b", dead), { taken: true, previous: "dead 1" });
    assert.deepEqual(left(), ["lock"]);
  });

  it("waits for a holder that lives, tells who it is, and gives up when it is told to", async () => {
    tryLock(path, "a", dead);
    const seen: string[] = [];
    const held = (holder: string, waited: number): void => {
      seen.push(holder);
      if (waited > 20) throw new Error("enough");
    };
    await assert.rejects(
      holding(path, "b", { stale: dead, pause: 1, held }, async () => undefined),
      /enough/,
    );
    assert.deepEqual(new Set(seen), new Set(["a"]));
    setTimeout(() => unlock(path, "a"), 30);
    assert.equal(await holding(path, "b", { stale: dead, pause: 5 }, async () => content()), "b");
    assert.deepEqual(left(), []);
  });

  it("is held by one at a time of many processes, whose predecessor was killed", async () => {
    const gone = spawnSync("true").pid;
    tryLock(path, `${gone} 1`, () => false);
    const code = `import { appendFileSync, existsSync, writeFileSync } from "node:fs";
      import { startOf, tryLock, unlock } from ${JSON.stringify(new URL("../../../lib/lock.ts", import.meta.url).href)};
      const own = process.pid + " " + startOf(process.pid);
      const stale = (holder) => { const [pid, start] = holder.split(" "); return startOf(Number(pid)) !== start; };
      const [folder, path] = process.argv.slice(2);
      writeFileSync(folder + "/ready-" + process.pid, "");
      while (!existsSync(folder + "/go"));
      for (let round = 0; round < 40; ) {
        if (!tryLock(path, own, stale).taken) continue;
        round++;
        appendFileSync(folder + "/order", "in " + process.pid + "\\n");
        appendFileSync(folder + "/order", "out " + process.pid + "\\n");
        unlock(path, own);
      }`;
    const script = join(folder, "race.mjs");
    writeFileSync(script, code);
    const tsx = new URL("../../../node_modules/tsx/dist/esm/index.mjs", import.meta.url).href;
    const run = (): Promise<void> =>
      new Promise((resolve, reject) => {
        const args = ["--import", tsx, script, folder, path];
        execFile(process.execPath, args, (error) => (error === null ? resolve() : reject(error)));
      });
    const all = Promise.all([run(), run(), run()]);
    // A gate that opens when all of them stand before it, not after some time.
    const ready = (): number => readdirSync(folder).filter((name) => name.startsWith("ready-")).length;
    while (ready() < 3) await new Promise((wake) => setTimeout(wake, 20));
    writeFileSync(join(folder, "go"), "");
    await all;
    const order = readFileSync(join(folder, "order"), "utf8").trim().split("\n");
    assert.equal(order.length, 240);
    for (let index = 0; index < order.length; index += 2) {
      assert.equal(order[index + 1], order[index]!.replace("in", "out"), `line ${index}`);
    }
    assert.equal(existsSync(path), false);
  }).timeout(60_000);

  it("knows a process by its number and its start", () => {
    assert.match(startOf(process.pid) ?? "", /^\d+$/);
    assert.equal(startOf(999_999_999), undefined);
    // As on macOS, which has no /proc; `ps` is the same.
    assert.match(startOf(process.pid, "/nowhere") ?? "", /^\w{3}-\w{3}-\d+-\d\d:\d\d:\d\d-\d{4}$/);
    assert.equal(startOf(999_999_999, "/nowhere"), undefined);
  });
});
