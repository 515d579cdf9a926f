import { askPrometheus, monitorOf } from "../shared/prometheus.ts";
import { type Painter, painter, table } from "../shared/ui.ts";
import { METRICS, type Metric } from "./catalogue.ts";
import { grafanaDashboard } from "./grafana.ts";

export interface MetricsOptions {
  readonly stack?: string;
  readonly last: "hour" | "day" | "week";
  readonly json?: true;
  readonly grafana?: true;
}

const SECONDS = { hour: 3_600, day: 86_400, week: 604_800 } as const;
/** How many values a line has. */
const POINTS = 48;

/** As Prometheus answers a question about a range. */
interface Range {
  readonly result: readonly { readonly values: readonly (readonly [number, string])[] }[];
}

export interface Shown extends Metric {
  /** One for each moment, the last one now; null where it was not measured. */
  readonly values: readonly (number | null)[];
}

/** The values of a series at its moments. */
export function valuesOf({ result }: Range, moments: readonly number[]): (number | null)[] {
  const found = new Map((result[0]?.values ?? []).map(([at, value]) => [Math.round(at), Number(value)]));
  return moments.map((at) => {
    const value = found.get(at);
    return value === undefined || !Number.isFinite(value) ? null : value;
  });
}

const BARS = "▁▂▃▄▅▆▇█";

/** A line of bars from the least to the most; a gap where nothing was measured. */
export function sparkline(values: readonly (number | null)[]): string {
  const known = values.filter((value) => value !== null);
  const [least, most] = [Math.min(...known), Math.max(...known)];
  return values
    .map((value) => {
      if (value === null) return " ";
      const share = most === least ? 0 : (value - least) / (most - least);
      return BARS[Math.min(BARS.length - 1, Math.floor(share * BARS.length))];
    })
    .join("");
}

/** A number as a person reads it. */
export function said(value: number | null | undefined, unit: Metric["unit"]): string {
  if (value === null || value === undefined) return "–";
  const short = (number: number) =>
    Math.abs(number) >= 100 ? number.toFixed(0) : String(Number(number.toPrecision(2)));
  switch (unit) {
    case "bytes": {
      const power = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.max(1, value)) / 10)));
      return `${short(value / 2 ** (10 * power))} ${["B", "KiB", "MiB", "GiB", "TiB"][power]}`;
    }
    case "seconds":
      return value >= 120
        ? `${(value / 60).toFixed(0)} min`
        : value >= 1
          ? `${short(value)} s`
          : `${short(value * 1000)} ms`;
    case "percent":
      return `${short(value)} %`;
    case "per second":
      return `${short(value)}/s`;
    default:
      return short(value);
  }
}

export function metricsTable(shown: readonly Shown[], last: string, paint: Painter): string {
  const rows = shown.map(({ name, unit, values }) => {
    const known = values.filter((value) => value !== null);
    return [
      name,
      ...[values.at(-1), Math.min(...known), Math.max(...known)].map((value) => said(value, unit)),
      sparkline(values),
    ];
  });
  return table(["", "NOW", "LEAST", "MOST", `LAST ${last.toUpperCase()}`], rows, (cell, column) =>
    column === 4 ? paint("cyan", cell) : cell,
  );
}

export async function showMetrics({ stack, last, json, grafana }: MetricsOptions): Promise<number> {
  if (grafana) {
    process.stdout.write(`${JSON.stringify(grafanaDashboard(), null, 2)}\n`);
    return 0;
  }
  const monitor = await monitorOf(stack);
  const step = SECONDS[last] / POINTS;
  const to = Math.floor(Date.now() / 1000);
  const moments = Array.from({ length: POINTS + 1 }, (_, index) => to - (POINTS - index) * step);
  const paths = METRICS.map(
    ({ expression }) =>
      `query_range?query=${encodeURIComponent(expression)}&start=${moments[0]}&end=${to}&step=${step}`,
  );
  const answers = (await askPrometheus(monitor, paths)) as readonly Range[];
  const shown = METRICS.map((metric, index) => ({ ...metric, values: valuesOf(answers[index]!, moments) })).filter(
    ({ values }) => values.some((value) => value !== null),
  );
  if (json) {
    const metrics = shown.map(({ name, unit, values }) => {
      const known = values.filter((value) => value !== null);
      return { name, unit, now: values.at(-1), least: Math.min(...known), most: Math.max(...known), values };
    });
    process.stdout.write(`${JSON.stringify({ from: moments[0], to, step, metrics }, null, 2)}\n`);
  } else if (shown.length === 0) process.stdout.write("nothing has been measured yet: ask again in a minute\n");
  else process.stdout.write(`${metricsTable(shown, last, painter(process.stdout))}\n`);
  return 0;
}
