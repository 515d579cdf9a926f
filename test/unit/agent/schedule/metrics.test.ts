import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { metricsOf } from "../../../../agent/schedule/metrics.ts";
import type { Status } from "../../../../contracts/agent.ts";
import { entry } from "../../../support/agent/entries.ts";

describe("what goes out", () => {
  it("is metrics, without those that aren't known", async () => {
    const status: Status = {
      newest: entry("a", 1),
      newestVerified: entry("a", 1),
      ageHours: 2,
      rpoSeconds: 1.5,
      rtoSeconds: null,
      binlog: { streaming: true, position: null, reached: null },
      s3: { configured: false, lagSeconds: null, error: null },
      running: null,
      next: {},
      left: [],
      alarms: [],
    };
    const text = await metricsOf(status, [entry("a", 1)]);
    for (const line of [
      "drydock_backup_age_seconds 7200",
      "drydock_backup_rpo_seconds 1.5",
      "drydock_backup_verified 1",
      "drydock_backup_size_bytes 101",
      "drydock_backup_binlog_streaming 1",
    ])
      assert.ok(text.split("\n").includes(line), line);
    assert.ok(!/rto_seconds|s3_lag/.test(text));
  });
});
