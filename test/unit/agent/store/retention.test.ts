import assert from "node:assert/strict";
import fc from "fast-check";
import { daysWith, isDue, longestPause, nextTime, notInFuture } from "../../../../agent/schedule/cron.ts";
import { ClockWatch } from "../../../../agent/shared/clock.ts";
import { mostRemoved } from "../../../../agent/store/cleanup.ts";
import { choose, lineage } from "../../../../agent/store/retention.ts";
import type { Entry } from "../../../../contracts/agent.ts";
import { DAY, day, entry } from "../../../support/agent/entries.ts";

describe("which backups are kept", () => {
  const now = new Date(day(20));
  const week = { days: 7 };
  const kept = (entries: readonly Entry[], rules = week, at = now): readonly string[] =>
    choose(entries, rules, at).keep;

  it("those of the last days, counted from the newest verified one", () => {
    const entries = [entry("d", 20), entry("c", 19), entry("b", 13), entry("a", 12)];
    assert.deepEqual(choose(entries, week, now), { keep: ["d", "c", "b"], remove: ["a"] });
    assert.deepEqual(kept(entries.slice(1)), ["c", "b", "a"]);
  });
  it("all verified ones, when only failures came after them", () => {
    const failed = [17, 18, 19, 20].map((n) => entry(`f${n}`, n, { verified: false })).reverse();
    const verified = [8, 7, 6, 5, 4, 3, 2].map((n) => entry(`v${n}`, n));
    assert.deepEqual(
      kept([...failed, ...verified]).filter((id) => id.startsWith("v")),
      verified.map(({ id }) => id),
    );
  });
  it("the newest verified one, however old, and not what failed before it", () => {
    assert.deepEqual(
      kept([entry("b", 12), entry("x", 4, { verified: false }), entry("a", 1)], week, new Date(day(30))),
      ["b"],
    );
  });
  it("everything that a kept one is an increment of", () => {
    const line = [entry("c", 19, {}, "b"), entry("b", 2, {}, "a"), entry("a", 1)];
    assert.deepEqual(kept(line), ["c", "b", "a"]);
    assert.deepEqual(
      lineage(line, line[0]!).map(({ id }) => id),
      ["a", "b", "c"],
    );
  });
  it("the newest of the database and the newest of the files, where they are two", () => {
    const { database: _, ...files } = entry("f", 19);
    const { files: __, ...database } = entry("d", 1);
    assert.deepEqual(kept([files, entry("x", 2, { verified: false }), database]), ["f", "d"]);
  });
  it("the verified ones of as many days as the schedule has in that time, though the clock is a year ahead", () => {
    const entries = [7, 6, 5, 4, 3, 2, 1].map((n) => entry(`v${n}`, n));
    const ahead = new Date(Date.parse(day(7)) + 365 * DAY);
    assert.deepEqual(choose(entries, { days: 7, atLeast: 8 }, ahead).remove, []);
    // Also when a backup was made in that year.
    const future = entry("later", 0, { started: ahead.toISOString() });
    assert.deepEqual(choose([future, ...entries], { days: 7, atLeast: 8 }, ahead).remove, []);
  });
  it("one that was made when the clock was behind is as new as the one before it", () => {
    const entries = [entry("behind", -360), entry("b", 20)];
    assert.deepEqual(kept(entries), ["behind", "b"]);
  });
  it("one from the future is as old as the one after it, and goes with that", () => {
    const entries = [entry("new", 20), entry("b", 9), entry("ahead", 380), entry("a", 8)];
    assert.deepEqual(kept(entries), ["new"]);
  });
});

describe("how many backups may go at once", () => {
  it("twice as many as come between two cleanups, and some of releases", () => {
    assert.equal(mostRemoved({ backup: "0 2 * * *", cleanup: "0 3 1 * *" }), 20 + 2 * 31);
    assert.equal(mostRemoved({ backup: "0 2 * * 0", cleanup: "0 3 * * *" }), 20);
    assert.equal(mostRemoved({ backup: "", cleanup: "" }), 20);
  });
});

describe("the schedule", () => {
  it("is in UTC, and means nothing where it is empty", () => {
    assert.equal(nextTime("0 2 * * *", new Date("2026-11-22T02:00:00Z"))?.toISOString(), "2026-11-23T02:00:00.000Z");
    assert.equal(nextTime("", new Date()), null);
  });
  it("makes up for what was missed, once", () => {
    const now = new Date("2026-11-22T09:00:00Z");
    assert.equal(isDue("0 2 * * *", new Date("2026-11-19T02:00:05Z"), now), true);
    assert.equal(isDue("0 2 * * *", now, now), false);
    assert.equal(isDue("0 2 * * *", new Date("2026-11-22T02:00:05Z"), now), false);
  });
  it("is counted by days", () => {
    assert.deepEqual(
      ["0 2 * * *", "0 * * * *", "0 2 * * 0", "", "0 2 30 2 *"].map((pattern) => daysWith(pattern, 14)),
      [14, 14, 2, 0, 0],
    );
    assert.deepEqual(["0 2 * * *", "*/5 * * * *", "0 3 1 * *", ""].map(longestPause), [1, 1, 31, 366]);
  });
  it("takes a time in the future for now, and says so where it is more than a trifle", () => {
    const now = new Date(day(20));
    const last = { backup: day(21), cleanup: day(1), health: new Date(now.getTime() + 1_000).toISOString() };
    const expected = { backup: day(20), cleanup: day(1), health: day(20) };
    assert.deepEqual(notInFuture(last, now), { last: expected, ahead: ["backup"] });
    assert.equal(notInFuture(expected, now).last, expected);
  });
});

describe("a clock that is set", () => {
  it("is noticed, by how much and which way, for a day", () => {
    const watch = new ClockWatch(0, 0);
    assert.equal(watch.look(20_000, 20_000), undefined);
    assert.equal(watch.look(40_000 + 240_000, 40_000), undefined, "a trifle");
    assert.match(watch.look(280_000 + 365 * DAY, 60_000)!, /set 365 days ahead, or the machine slept, to 1971-/);
    assert.match(watch.look(300_000 + 365 * DAY, 80_000)!, /365 days ahead/);
    assert.match(watch.look(320_000 + 360 * DAY, 100_000)!, /set 5 days back/);
    assert.equal(watch.look(320_000 + 361 * DAY + 1, 100_001 + DAY), undefined);
  });

  /** So long the agent's life is looked at, hour by hour. */
  const HOURS = 24 * 24;
  const jumps = fc.dictionary(
    fc.integer({ min: 0, max: 23 }).map(String),
    fc.record({
      hour: fc.integer({ min: 0, max: 23 }),
      days: fc.constantFrom(-365, -31, -1, 1, 31, 365),
      back: fc.boolean(),
    }),
    { maxKeys: 6 },
  );

  const atLeast = 1 + daysWith("0 2 * * *", 7);
  // Computed once for each run.
  const nexts = new Map<string, Date>();
  const due = (pattern: string, last: string, now: Date): boolean => {
    const key = `${pattern} ${last}`;
    if (!nexts.has(key)) nexts.set(key, nextTime(pattern, new Date(last))!);
    return nexts.get(key)! <= now;
  };

  it("at any moment: backups go on, none of the last five days is removed, and it is told", () => {
    fc.assert(
      fc.property(jumps, (plan) => {
        const start = Date.UTC(2026, 10, 1);
        const begin = new Date(start).toISOString();
        let last: Readonly<Record<string, string>> = { backup: begin, cleanup: begin };
        let offset = 0;
        let entries: (Entry & { readonly truly: number })[] = [];
        let newest = 0;
        const watch = new ClockWatch(start, 0);
        for (let hour = 1; hour < HOURS; hour++) {
          const jump = plan[String(Math.floor(hour / 24))];
          const jumped = jump?.hour === hour % 24 ? (jump.back ? -offset : jump.days * DAY) : 0;
          offset += jumped;
          const truly = hour * 3_600_000;
          const now = new Date(start + truly + offset);
          const told = watch.look(now.getTime(), truly);
          if (jumped !== 0) assert.ok(told !== undefined);
          last = notInFuture(last, now).last;
          if (due("0 2 * * *", last["backup"]!, now)) {
            entries = [{ ...entry(`${hour}`, 1, { started: now.toISOString() }), truly }, ...entries];
            last = { ...last, backup: now.toISOString() };
            newest = hour;
          }
          assert.ok(hour - newest <= 50, `no backup for ${hour - newest} hours`);
          if (due("0 3 * * *", last["cleanup"]!, now)) {
            const { remove } = choose(entries, { days: 7, atLeast }, now);
            const young = entries.filter(({ id, truly: made }) => remove.includes(id) && truly - made < 5 * DAY);
            assert.deepEqual(
              young.map(({ id }) => id),
              [],
              `removed ${hour} hours on`,
            );
            entries = entries.filter(({ id }) => !remove.includes(id));
            last = { ...last, cleanup: now.toISOString() };
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
