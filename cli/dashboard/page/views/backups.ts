import { many } from "../../../../lib/many.ts";
import { type Element, h, type Node } from "../h.ts";
import type { BackupRow, Backups, Parts } from "../state.ts";
import { bytes, lasting } from "../words.ts";
import { badge, partly, table, time } from "./common.ts";

const DAY = 86_400_000;
const WEEKS = 5;
const NAMES = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** The days of some weeks up to now, each week from its Monday on; those that are to come are left out. */
export function weeks(now: number, count = WEEKS): readonly (readonly string[])[] {
  const today = Date.parse(dayOf(now));
  const monday = today - ((new Date(today).getUTCDay() + 6) % 7) * DAY;
  return Array.from({ length: count }, (_, index) => {
    const first = monday - (count - 1 - index) * 7 * DAY;
    return NAMES.map((_, day) => first + day * DAY)
      .filter((at) => at <= today)
      .map(dayOf);
  });
}

function day(date: string, all: readonly BackupRow[]): Node[] {
  const own = all.filter(({ started }) => started.startsWith(date));
  const proven = own.filter(({ verified }) => verified);
  const size = own.reduce((sum, one) => sum + one.added, 0);
  const number = h("span", { class: "day" }, String(Number(date.slice(8))));
  if (own.length === 0) return [number, h("span", { class: "dim" }, "none")];
  const state =
    proven.length === own.length
      ? badge("good", `${own.length} verified`)
      : badge("bad", `${own.length - proven.length} of ${own.length} not verified`);
  return [number, state, h("span", { class: "size" }, `+${bytes(size)}`)];
}

function calendar(all: readonly BackupRow[], now: number): Element {
  const rows = weeks(now).map((days) => [
    days[0]!,
    ...NAMES.map((_, index) => (days[index] === undefined ? "" : day(days[index], all))),
  ]);
  const shown = table("Backups by day (UTC), with what each day added", ["Week from", ...NAMES], rows);
  return { ...shown, attributes: { ...shown.attributes, class: "scroll calendar" } };
}

function facts({ rpoSeconds, rtoSeconds, running, next, backups }: Backups): Element {
  const pair = (name: string, ...value: readonly Node[]) => [h("dt", null, name), h("dd", null, value)];
  const [newest] = backups;
  return h(
    "dl",
    { class: "facts" },
    pair("RPO", rpoSeconds === null ? "not known" : `${lasting(rpoSeconds)}: this much would be lost now`),
    pair("RTO", rtoSeconds === null ? "not known" : `${lasting(rtoSeconds)}: the last restore took this long`),
    pair("Newest", newest === undefined ? "none" : time(newest.started)),
    running === null ? [] : pair("At work", running),
    pair("Next", next === null ? "off" : time(next)),
  );
}

/** Backups by day: whether they were proven, and how much could be lost. */
export const backups = ({ backups: part }: Parts, now: number): Element =>
  partly("backups", "Backups", part, (value) => [
    ...value.alarms.map((one) => h("p", null, badge("bad", "alarm"), " ", one)),
    facts(value),
    calendar(value.backups, now),
    h(
      "details",
      null,
      h("summary", null, `All ${many(value.backups.length, "backup")}`),
      table(
        "Backups, the newest first",
        ["Backup", "Type", "Started (UTC)", "Took", "Size", "New", "Proof", "Where", "Why"],
        value.backups.map((one) => [
          h("code", null, one.id),
          one.type,
          time(one.started),
          lasting(one.seconds),
          bytes(one.bytes),
          bytes(one.added),
          one.verified ? badge("good", "verified") : badge("bad", "not verified"),
          one.copies.join(", "),
          one.reason,
        ]),
      ),
    ),
  ]);
