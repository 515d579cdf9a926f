import assert from "node:assert/strict";
import { portOf } from "../../../../cli/dashboard/run.ts";
import { backupsOf } from "../../../../cli/dashboard/sources/backups.ts";
import {
  chartsOf,
  type Instant,
  meanwhileOf,
  queuesOf,
  type Ranged,
} from "../../../../cli/dashboard/sources/measured.ts";
import { changesOf, releaseRows } from "../../../../cli/dashboard/sources/releases.ts";
import type { CliError } from "../../../../cli/shared/errors.ts";
import type { Status } from "../../../../contracts/agent.ts";
import type { Entry } from "../../../../contracts/entry.ts";
import type { Release } from "../../../../records/release.ts";

const release = (sequence: number, more: Partial<Release> = {}): Release => ({
  ...{ sequence, release: `release-${sequence}`, image: "shop:1", id: "sha256:1", env: "e", settings: "s" },
  ...{ by: "ops@host", commit: "abc", at: `2026-01-31T1${sequence}:00:00Z`, seconds: 30 },
  migrations: { contained: [], applied: {} },
  ...more,
});

describe("what the dashboard shows of releases", () => {
  it("is what changed from one to the next", () => {
    const of = (more: Partial<Release>, ran: readonly string[] = []) => changesOf(release(2, more), release(1), ran);
    assert.deepEqual(of({ image: "shop:2", id: "sha256:2" }), ["image: shop:1 → shop:2"]);
    assert.deepEqual(of({ id: "sha256:2" }), ["image: another one of the same name"]);
    assert.deepEqual(of({ env: "f", settings: "t", commit: null }), ["variables", "settings", "commit: abc → –"]);
    assert.deepEqual(of({ pinned: true, image: "shop:0" }, ["a", "b"]), [
      "gone back to an earlier release",
      "image: shop:1 → shop:0",
      "ran a, b",
    ]);
    assert.deepEqual(of({}), ["nothing that is recorded"]);
    assert.deepEqual(changesOf(release(1), undefined, []), ["the first one that is recorded"]);
  });

  it("is newest first, with who serves, and the requests of a watch before those of the release's own check", () => {
    const all = [
      release(1, { probes: { requests: 20, failed: 1 } }),
      release(2, { image: "shop:2", probes: { requests: 20, failed: 0 } }),
      release(3, {
        release: "release-1",
        migrations: { contained: [], applied: { a: 1 } },
        seconds: null,
        commit: null,
      }),
    ];
    const watched = [
      { release: "release-2", began: "2026-01-31T11:59:00Z", ended: "2026-01-31T12:00:05Z", total: 500, failed: 2 },
    ];
    const rows = releaseRows(all, watched, "release-1");
    assert.deepEqual(
      rows.map(({ sequence, current, requests, seconds, commit }) => [sequence, current, requests, seconds, commit]),
      [
        [3, true, null, null, ""],
        [2, false, { total: 500, failed: 2 }, 30, "abc"],
        [1, false, { total: 20, failed: 1 }, 30, "abc"],
      ],
    );
    assert.deepEqual(rows[0]!.changes, ["image: shop:2 → shop:1", "commit: abc → –", "ran a"]);
    assert.deepEqual(releaseRows([], [], ""), []);
  });
});

describe("what the dashboard shows of what was measured", () => {
  const range = (...values: [number, string][]) => ({ metric: {}, values });
  it("is drawn at its moments, a line for each name, and nothing where nothing was measured", () => {
    const answers: Ranged[] = [
      { result: [range([0, "1.23456"], [60, "NaN"], [3600, "2"])] },
      {
        result: [
          { ...range([0, "0"]), metric: { class: "5xx" } },
          { ...range([30, "3"]), metric: { class: "2xx" } },
        ],
      },
      { result: [range([0, "0.02"])] },
      { result: [] },
      { result: [range([0, "0.3"])] },
      { result: [] },
    ];
    const { from, step, charts } = chartsOf(answers, 0, 30);
    assert.deepEqual([from, step], [0, 30]);
    const lines = charts.map(({ id, lines }) => [
      id,
      lines.map(({ name, values }) => [name, values.length, values[0], values[1], values[120]]),
    ]);
    assert.deepEqual(lines, [
      ["requests", [["requests", 121, 1.235, null, 2]]],
      [
        "codes",
        [
          ["2xx", 121, null, 3, null],
          ["5xx", 121, 0, null, null],
        ],
      ],
      [
        "times",
        [
          ["p50", 121, 0.02, null, null],
          ["p99", 121, 0.3, null, null],
        ],
      ],
      ["queues", []],
    ]);
  });

  const instant = (...all: [Record<string, string>, string][]): Instant => ({
    result: all.map(([metric, value]) => ({ metric, value: [0, value] })),
  });
  it("is a row for each queue, the longest first", () => {
    const jobs = instant(
      [{ queue: "mail", state: "pending" }, "2"],
      [{ queue: "default", state: "pending" }, "5"],
      [{ queue: "default", state: "reserved" }, "1"],
    );
    assert.deepEqual(queuesOf(jobs, instant([{ queue: "default" }, "12.5"]), instant([{}, "3"])), {
      queues: [
        { name: "default", pending: 5, delayed: null, reserved: 1, oldest: 12.5 },
        { name: "mail", pending: 2, delayed: null, reserved: null, oldest: null },
      ],
      failed: 3,
    });
    assert.deepEqual(queuesOf(instant(), instant(), instant()), { queues: [], failed: null });
  });

  it("is requests by status since a change began", () => {
    const since = "2026-01-31T12:00:00Z";
    assert.deepEqual(
      meanwhileOf(since, instant([{ code: "502" }, "0.6"], [{ code: "200" }, "99.4"], [{ code: "404" }, "0"])),
      {
        since,
        codes: [
          { code: "200", count: 99 },
          { code: "502", count: 1 },
        ],
      },
    );
  });
});

describe("what the dashboard shows of backups", () => {
  it("is what the agent lists, and how much would be lost", () => {
    const entry = {
      ...{ id: "20260131T020000Z-3f2a", type: "full", reason: "daily", started: "2026-01-31T02:00:00Z", seconds: 4 },
      ...{ verified: true, copies: ["local"], database: { bytes: 10, added: 2 }, files: { bytes: 5, added: 1 } },
    } as unknown as Entry;
    const status = {
      ...{ rpoSeconds: 3, rtoSeconds: null, next: { backup: "2026-02-01T02:00:00Z", health: null } },
      running: { type: "full", since: "", pid: 1 },
      alarms: [{ name: "disk", since: "", message: "the disk is full" }],
    } as unknown as Status;
    assert.deepEqual(backupsOf([entry], status), {
      backups: [
        {
          ...{
            id: "20260131T020000Z-3f2a",
            type: "full",
            reason: "daily",
            started: "2026-01-31T02:00:00Z",
            seconds: 4,
          },
          ...{ verified: true, bytes: 15, added: 3, copies: ["local"] },
        },
      ],
      ...{
        rpoSeconds: 3,
        rtoSeconds: null,
        running: "full",
        next: "2026-02-01T02:00:00Z",
        alarms: ["the disk is full"],
      },
    });
  });
});

describe("the dashboard's port", () => {
  it("is any that is free, or the one that is asked for", () => {
    assert.deepEqual([undefined, "1", "8900", "65535"].map(portOf), [0, 1, 8900, 65_535]);
    for (const wrong of ["0", "65536", "-1", "80.5", "x", "", "8900 "])
      assert.throws(
        () => portOf(wrong),
        ({ code, message }: CliError) => code === 2 && message.includes(`"${wrong}"`),
        wrong,
      );
  });
});
