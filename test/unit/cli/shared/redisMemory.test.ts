import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { alarmOf, readInfo } from "../../../../cli/shared/redisMemory.ts";

describe("the alarm of Redis's memory", () => {
  const mebi = 2 ** 20;
  const values = (used: number, resident: number, maxmemory = 128) =>
    readInfo(
      `# Memory\r\nused_memory:${used * mebi}\r\nused_memory_rss:${resident * mebi}\r\n` +
        `maxmemory:${maxmemory * mebi}\n` +
        `limit:${192 * mebi}\n`,
    );

  it("is silent below four fifths, and says from there on which limit is near", () => {
    assert.deepEqual(alarmOf(values(102, 153)), []);
    assert.deepEqual(alarmOf(values(103, 153)), [
      "Redis has used 80 % of drydock:redis.maxmemory (128 MiB): full, it refuses sessions and jobs, and pages fail",
    ]);
    assert.deepEqual(alarmOf(values(10, 154)), [
      "Redis takes 80 % of drydock:redis.memory (192 MiB): at the limit it is killed, the sooner while it saves",
    ]);
  });

  it("is silent where there is no limit, or no answer", () => {
    assert.deepEqual([alarmOf(values(1000, 1, 0)), alarmOf({})], [[], []]);
    assert.deepEqual(alarmOf({ ...values(1, 150), limit: "max" }), []);
  });
});
