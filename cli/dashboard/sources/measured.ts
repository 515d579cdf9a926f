import { type Active, shownAlerts } from "../../alerts/run.ts";
import { METRICS, type Metric } from "../../metrics/catalogue.ts";
import { valuesOf } from "../../metrics/run.ts";
import { CliError } from "../../shared/errors.ts";
import { askPrometheus, monitorIn, notMeasured, silencesOf } from "../../shared/prometheus.ts";
import { type Chart, type Charts, type Meanwhile, type Parts, type Queues, RANGES, type Range } from "../page/state.ts";
import type { Target } from "../target.ts";
import { type Source, told, troubleOf } from "./source.ts";

/** How many values a line has. */
const POINTS = 120;

interface Line {
  readonly name: string;
  readonly expression: string;
}
interface Asked extends Pick<Chart, "id" | "title" | "unit"> {
  /** A line each, or by a label of one answer. */
  readonly lines: readonly Line[] | { readonly by: string; readonly expression: string };
}

/** An expression of `./drydock metrics`, by its name there. */
function metric(name: string): string {
  const found = METRICS.find((one: Metric) => one.name === name);
  if (found === undefined) throw new Error(`there is no metric ${name}`);
  return found.expression;
}

const CLASSES = 'label_replace(rate(drydock_http_requests_total[5m]), "class", "${1}xx", "code", "(.)..")';

/** What is drawn, in its order. */
const CHARTS: readonly Asked[] = [
  {
    ...{ id: "requests", title: "Requests", unit: "per second" },
    lines: [{ name: "requests", expression: metric("requests") }],
  },
  {
    ...{ id: "codes", title: "Answers by status", unit: "per second" },
    lines: { by: "class", expression: `sum by (class) (${CLASSES})` },
  },
  {
    ...{ id: "times", title: "How long they take", unit: "seconds" },
    lines: [
      { name: "p50", expression: metric("half are answered in") },
      { name: "p95", expression: metric("95 of 100 in") },
      { name: "p99", expression: metric("99 of 100 in") },
    ],
  },
  {
    ...{ id: "queues", title: "Jobs that wait", unit: "number" },
    lines: { by: "queue", expression: 'sum by (queue) (drydock_queue_jobs{state="pending"})' },
  },
];

/** As Prometheus answers. */
interface Series<T> {
  readonly result: readonly (T & { readonly metric: Readonly<Record<string, string>> })[];
}
export type Ranged = Series<{ readonly values: readonly (readonly [number, string])[] }>;
export type Instant = Series<{ readonly value: readonly [number, string] }>;

const INSTANT = {
  jobs: "drydock_queue_jobs",
  oldest: "drydock_queue_oldest_seconds",
  failed: "drydock_failed_jobs",
} as const;

/** Requests, times, queues and alerts, from what measures the stack. */
export function measured(target: Target): Source {
  return {
    name: "measured",
    parts: ["charts", "queues", "alerts", "meanwhile"],
    every: 10_000,
    async read({ ranges, parts }) {
      const since = parts.activity.value?.change?.since;
      const { outputs, docker } = await target.now();
      const monitor = monitorIn(outputs, docker);
      if (monitor === undefined) {
        const { what, remedy = "" } = notMeasured(outputs.stack);
        const absent = { absent: { what, remedy } };
        return { charts: absent, queues: absent, alerts: absent, meanwhile: absent };
      }
      const now = Math.floor(Date.now() / 1000);
      const questions = ranges.map((range) => questionsOf(range, now));
      const codes = since === undefined ? [] : [increase(since, now)];
      const [answers, silences] = await Promise.all([
        askPrometheus(monitor, [
          ...questions.flatMap(({ paths }) => paths),
          ...[...Object.values(INSTANT), ...codes].map((one) => `query?query=${encodeURIComponent(one)}`),
          "alerts",
        ]),
        silencesOf(monitor),
      ]);
      const rest = answers.splice(questions.reduce((sum, { paths }) => sum + paths.length, 0));
      const charts = ranges.map((range, index) => {
        const { from, step, paths } = questions[index]!;
        return [range, chartsOf(answers.splice(0, paths.length) as Ranged[], from, step)] as const;
      });
      const [jobs, oldest, failed] = rest as Instant[];
      const active = (rest.at(-1) as { readonly alerts: readonly Active[] }).alerts;
      const silent = silences instanceof CliError ? [] : silences;
      return {
        charts: told(Object.fromEntries(charts)),
        queues: told(queuesOf(jobs!, oldest!, failed!)),
        alerts: {
          ...told({
            alerts: shownAlerts(active, true),
            silences: silent.map(({ comment, endsAt }) => ({ comment, until: endsAt })),
          }),
          ...(silences instanceof CliError ? { problem: troubleOf(silences) } : {}),
        },
        // After its end what was counted last stays.
        ...(since === undefined ? {} : { meanwhile: told(meanwhileOf(since, rest[3] as Instant)) }),
      };
    },
    key: ({ activity: { value } }: Parts) =>
      JSON.stringify([value?.change?.since, value?.steps.map((one) => one.status)]),
  };
}

const increase = (since: string, now: number): string => {
  const seconds = Math.max(60, Math.ceil(now - Date.parse(since) / 1000));
  return `sum by (code) (increase(drydock_http_requests_total[${seconds}s]))`;
};

/** The questions of one range, and where its values begin. */
function questionsOf(range: Range, now: number) {
  const step = RANGES[range] / POINTS;
  const from = now - POINTS * step;
  const paths = CHARTS.flatMap(({ lines }) =>
    "by" in lines ? [lines.expression] : lines.map((one) => one.expression),
  ).map((one) => `query_range?query=${encodeURIComponent(one)}&start=${from}&end=${now}&step=${step}`);
  return { from, step, paths };
}

/** The charts from the answers to their questions, in order. */
export function chartsOf(answers: readonly Ranged[], from: number, step: number): Charts {
  const moments = Array.from({ length: POINTS + 1 }, (_, index) => from + index * step);
  const left = [...answers];
  const charts = CHARTS.map(({ id, title, unit, lines }): Chart => {
    const found =
      "by" in lines
        ? (left.shift()?.result ?? []).map((one) => ({
            name: one.metric[lines.by] ?? "",
            values: valuesAt(one, moments),
          }))
        : lines.map(({ name }) => ({ name, values: valuesAt(left.shift()?.result[0], moments) }));
    const lineful = found.filter(({ values }) => values.some((value) => value !== null));
    return {
      id,
      title,
      unit,
      lines: lineful.toSorted((a, b) => (found.length > 1 && "by" in lines ? order(a, b) : 0)),
    };
  });
  return { from, step, charts };
}

const order = (a: { readonly name: string }, b: { readonly name: string }): number => a.name.localeCompare(b.name);

/** A series at its moments, with as many digits as are seen. */
function valuesAt(series: Ranged["result"][number] | undefined, moments: readonly number[]): (number | null)[] {
  const values = valuesOf({ result: series === undefined ? [] : [series] }, moments);
  return values.map((value) => (value === null ? null : Number(value.toPrecision(4))));
}

/** Each queue with its jobs; the longest first. */
export function queuesOf(jobs: Instant, oldest: Instant, failed: Instant): Queues {
  const names = [...new Set([...jobs.result, ...oldest.result].map(({ metric }) => metric["queue"] ?? ""))];
  const number = (one: Instant["result"][number] | undefined) => (one === undefined ? null : Number(one.value[1]));
  const of = (queue: string, state: string) =>
    number(jobs.result.find(({ metric }) => metric["queue"] === queue && metric["state"] === state));
  const queues = names.map((name) => ({
    name,
    pending: of(name, "pending"),
    delayed: of(name, "delayed"),
    reserved: of(name, "reserved"),
    oldest: number(oldest.result.find(({ metric }) => metric["queue"] === name)),
  }));
  return {
    queues: queues.toSorted((a, b) => (b.pending ?? 0) - (a.pending ?? 0) || a.name.localeCompare(b.name)),
    failed: number(failed.result[0]),
  };
}

/** Requests by status since a moment. */
export function meanwhileOf(since: string, { result }: Instant): Meanwhile {
  const codes = result
    .map(({ metric, value }) => ({ code: metric["code"] ?? "", count: Math.round(Number(value[1])) }))
    .filter(({ count }) => count > 0)
    .toSorted((a, b) => a.code.localeCompare(b.code));
  return { since, codes };
}
