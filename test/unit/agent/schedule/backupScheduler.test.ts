import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { Agent } from "../../../../agent/agent.ts";
import type { Follower } from "../../../../agent/binlog/follow.ts";
import { BackupScheduler } from "../../../../agent/schedule/backupScheduler.ts";
import { Alarms } from "../../../../lib/alarms.ts";

/** Without the agent's volume no look succeeds, as where its disk has died. */
describe("the agent's heartbeat", () => {
  let folder: string;
  let said: string[];
  let logged: string[];
  let beats: number;
  let scheduler: BackupScheduler;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-heartbeat-"));
    [said, logged, beats] = [[], [], 0];
    const alarms = new Alarms({
      stack: "shop",
      path: join(folder, "alarms.json"),
      ways: [{ name: "test", send: async ({ name }) => void said.push(name) }],
      log: () => undefined,
    });
    const agent = {
      configuration: { schedule: {} },
      reporter: { log: (_level: string, message: string) => void logged.push(message) },
      local: { catalogue: { list: () => Promise.reject(new Error("EIO: the disk is gone")) } },
    };
    scheduler = new BackupScheduler(agent as unknown as Agent, {} as Follower, alarms, async () => {
      beats += 1;
      throw new Error("nobody is there");
    });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is not sent by an agent that could not look yet", async () => {
    await scheduler.look();
    await scheduler.heartbeat();
    assert.deepEqual([beats, logged, said], [0, ["EIO: the disk is gone"], []]);
  });

  it("is sent where all is well, and only logged where nobody takes it", async () => {
    scheduler.lastLook.succeeded();
    await scheduler.heartbeat();
    assert.deepEqual([beats, logged], [1, ["the heartbeat: nobody is there"]]);
  });

  it("is not sent while something is wrong", async () => {
    scheduler.lastLook.succeeded();
    await scheduler.alarms.set("disk", "less than 5 % of the disk for backups is free");
    await scheduler.heartbeat();
    assert.deepEqual([beats, said], [0, ["disk"]]);
  });
});
