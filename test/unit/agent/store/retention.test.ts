import assert from "node:assert/strict";
import { choose, lineage } from "../../../../agent/store/retention.ts";
import type { Entry } from "../../../../contracts/entry.ts";
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
  it("the newest of each volume that is backed up now, and not of one that no longer is", () => {
    const volumes = (...titles: string[]) =>
      Object.fromEntries(titles.map((title) => [title, { count: 1, bytes: 1, added: 1, manifest: "", changed: 0 }]));
    const entries = [
      entry("c", 19),
      entry("b", 3, { volumes: volumes("folder public/uploads") }),
      entry("a", 2, { volumes: volumes("folder public/uploads", "service search") }),
      entry("z", 1, { volumes: volumes("service gone", "__proto__") }),
    ];
    const rules = { days: 7, volumes: ["folder public/uploads", "service search", "service none"] };
    assert.deepEqual(choose(entries, rules, new Date(day(20))).keep, ["c", "b", "a"]);
    assert.deepEqual(choose(entries, { days: 7 }, new Date(day(20))).keep, ["c"]);
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
