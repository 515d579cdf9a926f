import assert from "node:assert/strict";
import fs, { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { alarmsOf } from "../../../agent/schedule/alarms.ts";
import type { Reporter } from "../../../agent/shared/events.ts";
import { LocalStore } from "../../../agent/store/store.ts";
import { clearDrafts, StateFile, writeAtomically } from "../../../lib/stateFiles.ts";

type Call = "openSync" | "writeSync" | "fsyncSync" | "renameSync" | "mkdirSync";
const CALLS: readonly Call[] = ["openSync", "writeSync", "fsyncSync", "renameSync", "mkdirSync"];

/** Runs `work` with these calls of the system replaced, as every module sees them. */
function withCalls<T>(
  replaced: Partial<Record<Call, (original: (...args: never[]) => unknown) => (...args: never[]) => unknown>>,
  work: () => T,
): T {
  const originals = Object.fromEntries(CALLS.map((name) => [name, fs[name]])) as Record<Call, never>;
  try {
    for (const name of CALLS)
      if (replaced[name] !== undefined) (fs as Record<string, unknown>)[name] = replaced[name](originals[name]);
    syncBuiltinESMExports();
    return work();
  } finally {
    Object.assign(fs, originals);
    syncBuiltinESMExports();
  }
}

/** Has the nth of all these calls fail as on a full disk; answers whether there was an nth. */
function failing(nth: number, work: () => void): boolean {
  let count = 0;
  const fail =
    (original: (...args: never[]) => unknown) =>
    (...args: never[]) => {
      if (++count === nth) throw Object.assign(new Error("ENOSPC: no space left on device"), { code: "ENOSPC" });
      return original(...args);
    };
  withCalls(Object.fromEntries(CALLS.map((name) => [name, fail])), () => {
    try {
      work();
    } catch (error) {
      assert.match((error as Error).message, /ENOSPC/);
    }
  });
  return count >= nth;
}

describe("a file that is written whole", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-files-"));
    path = join(folder, "inner", "file");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("has every byte though each call writes a part, as on a disk that is getting full", () => {
    const content = Buffer.from(Array.from({ length: 10_000 }, (_, index) => index % 251));
    const short =
      (original: (...args: never[]) => unknown) =>
      (...args: never[]) => {
        const [file, bytes, at, length] = args as unknown as [number, Uint8Array, number, number];
        return original(...([file, bytes, at, Math.min(length, 777)] as never[]));
      };
    withCalls({ writeSync: short }, () => writeAtomically(path, content));
    assert.ok(readFileSync(path).equals(content));
  });

  it("is no file where a call writes nothing more", () => {
    withCalls({ writeSync: () => () => 0 }, () =>
      assert.throws(() => writeAtomically(path, "content"), /no space left: 0 of 7 bytes/),
    );
    assert.deepEqual(readdirSync(join(folder, "inner")), []);
  });

  it("is the old one or the new one, and nothing lies beside it, whichever call fails", () => {
    writeAtomically(path, "old");
    let nth = 1;
    for (; failing(nth, () => writeAtomically(path, "the new one")); nth++) {
      assert.ok(["old", "the new one"].includes(readFileSync(path, "utf8")), `call ${nth}`);
      assert.deepEqual(readdirSync(join(folder, "inner")), ["file"], `call ${nth}`);
      writeAtomically(path, "old");
    }
    // Made, opened, written, on the disk, renamed, and the folder opened and on the disk.
    assert.equal(nth - 1, 7);
    assert.equal(readFileSync(path, "utf8"), "the new one");
  });

  it("leaves a draft where it is killed, which is no object and is cleared away", async () => {
    mkdirSync(join(folder, "binlogs", "000000000100-binlog.000001"), { recursive: true });
    const piece = join(folder, "binlogs", "000000000100-binlog.000001", "0-90");
    writeFileSync(`${piece}.4711.part`, "half");
    assert.deepEqual(await new LocalStore(folder).list("binlogs/"), []);
    clearDrafts(folder);
    assert.equal(existsSync(`${piece}.4711.part`), false);
  });
});

describe("a file of the agent's state", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-state-"));
    path = join(folder, "state.json");
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const schema = z.record(z.string(), z.string());

  it("is read back", () => {
    new StateFile(path, schema, {}).value = { a: "b" };
    const { value, problem } = new StateFile(path, schema, {});
    assert.deepEqual([value, problem], [{ a: "b" }, undefined]);
  });

  for (const content of ['{"a": "b', "", '{"a": 1}', "[]", "\0\0\0\0"]) {
    it(`is started anew where it holds ${JSON.stringify(content)}, and says so until it is written again`, () => {
      writeFileSync(path, content);
      const file = new StateFile(path, schema, { empty: "yes" });
      assert.deepEqual(file.value, { empty: "yes" });
      assert.match(file.problem!, /state\.json can't be read, and is started anew/);
      file.value = { a: "c" };
      assert.deepEqual([file.problem, readFileSync(path, "utf8")], [undefined, '{"a":"c"}']);
    });
  }

  it("is known all the same where it can't be written, and says so", () => {
    const file = new StateFile(path, schema, {});
    failing(2, () => {
      file.value = { a: "b" };
    });
    assert.deepEqual(file.value, { a: "b" });
    assert.match(file.problem!, /can't be written: ENOSPC/);
  });

  it("is tried again by who asks what is wrong, and nothing is wrong once it could be written", () => {
    const file = new StateFile(path, schema, {});
    failing(2, () => {
      file.value = { a: "b" };
    });
    assert.match(file.problemNow()!, /can't be written: ENOSPC/);
    assert.deepEqual([file.problemNow(), readFileSync(path, "utf8")], [undefined, '{"a":"b"}']);
  });

  it("of alarms: a damaged one is no reason not to start, nor to tell nobody", async () => {
    const alarms = join(folder, "alarms.json");
    writeFileSync(alarms, '[{"name":"old","si');
    const said: string[] = [];
    const reporter = { log: (_: string, message: string) => said.push(message) } as unknown as Reporter;
    const made = alarmsOf({ stack: "unit" }, reporter, alarms);
    assert.deepEqual(made.current, []);
    await made.set("state", made.file.problem);
    assert.match(said[0]!, /^alarm state: .*alarms\.json can't be read/);
    assert.equal((JSON.parse(readFileSync(alarms, "utf8")) as { name: string }[])[0]!.name, "state");
  });
});
