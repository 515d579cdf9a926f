import assert from "node:assert/strict";
import fc from "fast-check";
import { daysWith, nextTime, notInFuture } from "../../../../agent/schedule/cron.ts";
import { ClockWatch } from "../../../../agent/shared/clock.ts";
import { choose } from "../../../../agent/store/retention.ts";
import type { Entry } from "../../../../contracts/entry.ts";
import { DAY, entry } from "../../../support/agent/entries.ts";

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
        // The newest backup, or the last time that the clock was set: that puts one off by a day at most.
        let newest = 0;
        const watch = new ClockWatch(start, 0);
        for (let hour = 1; hour < HOURS; hour++) {
          const jump = plan[String(Math.floor(hour / 24))];
          const jumped = jump?.hour === hour % 24 ? (jump.back ? -offset : jump.days * DAY) : 0;
          offset += jumped;
          if (jumped !== 0) newest = hour;
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
          assert.ok(hour - newest <= 25, `no backup for ${hour - newest} hours`);
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
