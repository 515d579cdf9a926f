import { many } from "../../../../lib/many.ts";
import { type Element, h, type Node } from "../h.ts";
import { type Chart, type Charts, type Parts, RANGES, type ReleaseRow } from "../state.ts";
import { inUnit, moment } from "../words.ts";
import { partly, type Reader, table } from "./common.ts";

const LAST = { hour: "the last hour", day: "the last day", week: "the last week" } as const;

/** Releases that were made while something was measured, oldest first. */
export function marks({ from, step, charts }: Charts, releases: readonly ReleaseRow[]) {
  const end = from + step * Math.max(0, (charts[0]?.lines[0]?.values.length ?? 121) - 1);
  return releases
    .map(({ sequence, release, at }) => ({ sequence, release, at: Date.parse(at) / 1000 }))
    .filter(({ at }) => at >= from && at <= end)
    .reverse();
}

const known = (values: readonly (number | null)[]): number[] => values.filter((value) => value !== null);

/** Now, least and most of each line, in a sentence. */
function summary({ title, unit, lines }: Chart, range: Reader["range"]): string {
  if (lines.length === 0) return `${title}: nothing was measured in ${LAST[range]}`;
  const said = lines.map(({ name, values }) => {
    const all = known(values);
    const now = values.at(-1);
    const is = now === null || now === undefined ? "not known" : inUnit(now, unit);
    return `${name} ${is}, from ${inUnit(Math.min(...all), unit)} to ${inUnit(Math.max(...all), unit)}`;
  });
  return `${title} in ${LAST[range]}: ${said.join("; ")}`;
}

/** So many rows of a chart's table: a value for each twentieth of its time. */
const ROWS = 20;

function values({ title, unit, lines }: Chart, { from, step }: Charts): Element {
  const count = lines[0]?.values.length ?? 0;
  const every = Math.max(1, Math.round(count / ROWS));
  const rows = Array.from({ length: count }, (_, index) => index)
    .filter((index) => (count - 1 - index) % every === 0)
    .map((index) => [
      moment(new Date((from + index * step) * 1000).toISOString()),
      ...lines.map(({ values: own }) =>
        own[index] === null || own[index] === undefined ? "–" : inUnit(own[index], unit),
      ),
    ]);
  return h(
    "details",
    null,
    h("summary", null, `${title} as a table`),
    table(title, ["Time (UTC)", ...lines.map(({ name }) => name)], rows),
  );
}

function chart(one: Chart, all: Charts, range: Reader["range"]): Element {
  return h(
    "div",
    { class: "chart" },
    h("h3", null, one.title),
    h("p", { class: "dim" }, summary(one, range)),
    one.lines.length === 0
      ? undefined
      : // What is in it the browser draws by itself.
        h("div", { class: "plot", "data-chart": one.id, "data-own": true, "aria-hidden": "true" }),
    one.lines.length === 0 ? undefined : values(one, all),
  );
}

function choice({ range }: Reader): Element {
  return h(
    "div",
    { class: "choice", role: "group", "aria-label": "How far back" },
    Object.keys(RANGES).map((one) =>
      h("button", { type: "button", "data-range": one, "aria-pressed": String(one === range) }, one),
    ),
  );
}

/** Requests, their codes and times, and queues, with releases on the time line. */
export const charts = ({ charts: part, releases }: Parts, reader: Reader): Element =>
  partly("requests", "Requests and times", part, (value): Node[] => {
    const shown = value[reader.range];
    if (shown === undefined) return [choice(reader), h("p", { class: "dim" }, "asking …")];
    const within = marks(shown, releases.value ?? []);
    const named = within.map(
      ({ sequence, at }) => `${sequence} at ${moment(new Date(at * 1000).toISOString()).slice(11)}`,
    );
    return [
      choice(reader),
      h(
        "p",
        { class: "dim" },
        within.length === 0 ? "no release in this time" : `${many(within.length, "release")}: ${named.join(", ")}`,
      ),
      h(
        "div",
        { class: "charts" },
        shown.charts.map((one) => chart(one, shown, reader.range)),
      ),
    ];
  });
