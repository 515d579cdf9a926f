import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startOf, withLock } from "../../../offline/lock.ts";

describe("the lock between clones", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-lock-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("lets one work after the other and leaves nothing", async () => {
    const path = join(folder, "lock");
    const order: string[] = [];
    const work = (name: string) =>
      withLock(path, "building images", undefined, async () => {
        order.push(`${name} begins`);
        await new Promise((wake) => setTimeout(wake, 20));
        order.push(`${name} ends`);
      });
    await Promise.all([work("a"), work("b")]);
    assert.deepEqual(order, ["a begins", "a ends", "b begins", "b ends"]);
    assert.deepEqual(readdirSync(folder), []);
  });

  it("is released when the work fails", async () => {
    const path = join(folder, "lock");
    await assert.rejects(
      withLock(path, "building images", undefined, async () => {
        throw new Error("no network");
      }),
      /no network/,
    );
    assert.equal(existsSync(path), false);
  });

  it("of a process that has ended counts for nothing, even when its number is in use again", async () => {
    const path = join(folder, "lock");
    for (const holder of ["999999999 5\n", `${process.pid} 1\n`]) {
      writeFileSync(path, holder);
      assert.equal(await withLock(path, "building images", undefined, async () => "done"), "done");
    }
  });

  it("names the process that is waited for", async () => {
    const path = join(folder, "lock");
    writeFileSync(path, `1 ${startOf(1) ?? ""}\n`);
    const said: string[] = [];
    const waiting = withLock(
      path,
      "building images",
      (line) => {
        said.push(line);
        rmSync(path);
      },
      async () => "done",
    );
    assert.equal(await waiting, "done");
    assert.deepEqual(said, ["another drydock (process 1) is building images; waiting for it"]);
  });
});
