import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { type CliError, Exit } from "../../../../cli/shared/errors.ts";
import {
  type Holder,
  isAtWork,
  judge,
  processExists,
  pulumiLocks,
  readHolder,
  takeLock,
} from "../../../../cli/shared/locks.ts";

const holder: Holder = { pid: 42, username: "ann", hostname: "ship", timestamp: "2026-01-31T10:00:00Z" };

describe("judging a lock", () => {
  it("is free without a holder", () =>
    assert.equal(
      judge(undefined, "ship", () => true),
      "free",
    ));
  it("is alive where its process is at work", () =>
    assert.equal(
      judge(holder, "ship", () => true),
      "alive",
    ));
  it("is stale where its process is gone", () =>
    assert.equal(
      judge(holder, "ship", () => false),
      "stale",
    ));
  it("can't be judged from another machine", () =>
    assert.equal(
      judge(holder, "boat", () => false),
      "elsewhere",
    ));
});

describe("whether a process is at work", () => {
  let proc: string;
  beforeEach(() => {
    proc = mkdtempSync(join(tmpdir(), "drydock-proc-"));
    mkdirSync(join(proc, "42"));
  });
  afterEach(() => rmSync(proc, { recursive: true }));
  const runs = (cmdline: string): boolean => {
    writeFileSync(join(proc, "42", "cmdline"), cmdline);
    return isAtWork(42, () => true, proc);
  };

  it("knows Pulumi and Drydock by their command lines", () => {
    assert.equal(runs("/home/ann/.cache/bin/pulumi\0up\0"), true);
    assert.equal(runs("node\0/x/start/cli.mjs\0up\0"), true);
  });
  it("knows that the number was given to somebody else", () => assert.equal(runs("/usr/sbin/cron\0-f\0"), false));
  it("counts a zombie as gone", () => assert.equal(runs(""), false));
  it("believes the process table where there is no /proc", () => {
    assert.equal(
      isAtWork(42, () => true, "/nowhere"),
      true,
    );
    assert.equal(
      isAtWork(42, () => false, "/nowhere"),
      false,
    );
  });
  it("takes no number that is no process", () =>
    assert.equal(
      isAtWork(0, () => true, proc),
      false,
    ));
  it("finds this process, and not one that has ended", () => {
    assert.equal(processExists(process.pid), true);
    assert.equal(processExists(spawnSync("true").pid), false);
  });
});

describe("Drydock's lock of a stack", () => {
  let folder: string;
  let file: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-lock-"));
    file = join(folder, "inner", "local.lock");
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const left = (content: string): void => {
    mkdirSync(join(folder, "inner"));
    writeFileSync(file, content);
  };

  it("is taken once, and released", () => {
    const lock = takeLock(file, "local");
    assert.equal(readHolder(file)?.pid, process.pid);
    lock.release();
    assert.equal(existsSync(file), false);
  });

  it("is refused to a second one, with the name of the first", () => {
    left(JSON.stringify({ ...holder, hostname: "another-machine" }));
    assert.throws(
      () => takeLock(file, "local"),
      (error: CliError) => {
        assert.match(error.what, /being changed by ann@another-machine \(pid 42, since 2026-01-31T10:00:00Z\)/);
        assert.equal(error.code, Exit.refused);
        return true;
      },
    );
  });

  it("is taken over from a process that is gone, and says from whom", () => {
    const dead = { ...holder, hostname: hostname(), pid: spawnSync("true").pid };
    left(JSON.stringify(dead));
    const lock = takeLock(file, "local");
    assert.deepEqual(lock.previous, dead);
    lock.release();
  });

  it("is held by exactly one of many that find the same stale one", async () => {
    left(JSON.stringify({ ...holder, hostname: hostname(), pid: spawnSync("true").pid }));
    const code = `import { takeLock } from
      ${JSON.stringify(new URL("../../../../cli/shared/locks.ts", import.meta.url).href)};
      while (Date.now() < ${Date.now() + 4000});
      try { takeLock(${JSON.stringify(file)}, "local"); console.log("has it"); setTimeout(() => {}, 3000);
      } catch (error) { console.log(error.what ?? String(error)); }`;
    const script = join(folder, "drydock-race.mjs");
    writeFileSync(script, code);
    const said = await Promise.all(
      Array.from(
        { length: 4 },
        () =>
          new Promise<string>((resolve, reject) => {
            execFile(
              process.execPath,
              ["--import", new URL("../../../../node_modules/tsx/dist/esm/index.mjs", import.meta.url).href, script],
              (error, stdout) => (error === null ? resolve(stdout.trim()) : reject(error)),
            );
          }),
      ),
    );
    assert.deepEqual(said.map((text) => text.replace(/by .*/, "by somebody")).sort(), [
      "has it",
      ...Array<string>(3).fill("stack local is being changed by somebody"),
    ]);
  }).timeout(60_000);

  it("leaves nothing beside itself", () => {
    const lock = takeLock(file, "local");
    assert.deepEqual(readdirSync(join(folder, "inner")), ["local.lock"]);
    lock.release();
    assert.deepEqual(readdirSync(join(folder, "inner")), []);
  });

  it("is taken over from a file that was cut off", () => {
    left('{"pid": 4');
    takeLock(file, "local").release();
  });
});

describe("Pulumi's locks in a file backend", () => {
  it("are read where it writes them, and a cut-off one is none", () => {
    const state = mkdtempSync(join(tmpdir(), "drydock-state-"));
    const folder = join(state, ".pulumi", "locks", "organization", "drydock", "local");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "a.json"), JSON.stringify(holder));
    writeFileSync(join(folder, "b.json"), "{");
    assert.deepEqual(pulumiLocks(state, "local"), [holder]);
    assert.deepEqual(pulumiLocks(state, "prod"), []);
    rmSync(state, { recursive: true });
  });
});
