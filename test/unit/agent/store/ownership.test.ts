import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ownership, ownId } from "../../../../agent/store/ownership.ts";
import { LocalStore } from "../../../../agent/store/store.ts";
import { EXIT } from "../../../../contracts/agent.ts";

describe("whose a bucket is", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-owner-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const agent = (id: string) => new Ownership(new LocalStore(folder), `stack-${id}`, () => id);
  const at = (hours: number) => new Date(Date.UTC(2026, 10, 1) + hours * 3_600_000);

  it("is the first one's that writes, and nobody else's while that one is at work", async () => {
    await agent("a").hold(at(0));
    await agent("a").hold(at(20));
    await assert.rejects(agent("b").hold(at(43)), (error: { message: string; code: number; remedy: string }) => {
      assert.match(
        error.message,
        /belongs to another agent: stack stack-a, container .*, last at work 2026-11-01T20:00:00.000Z/,
      );
      assert.equal(error.code, EXIT.refused);
      return true;
    });
    assert.equal((await agent("b").other(at(43)))?.id, "a");
    assert.equal((await agent("a").owner())?.id, "a");
  });

  it("is the next one's when the owner has not been at work for a day, and no longer the first one's", async () => {
    await agent("a").hold(at(0));
    await agent("b").hold(at(25));
    await assert.rejects(agent("a").hold(at(26)), /stack stack-b/);
    await agent("a").take(at(26));
    await agent("a").hold(at(27));
  });

  it("is nobody's where the note of it is damaged", async () => {
    mkdirSync(join(folder, "backups"));
    writeFileSync(join(folder, "backups", "owner"), '{"id":');
    assert.equal(await agent("a").owner(), undefined);
    await agent("a").hold(at(0));
  });

  it("names the volume of the backups, not the container", () => {
    const path = join(folder, "state", "installation.json");
    assert.equal(ownId(path), ownId(path));
  });
});
