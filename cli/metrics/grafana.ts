import { METRICS, type Metric } from "./catalogue.ts";

/** Grafana's names of our units. */
const UNITS: Readonly<Record<Metric["unit"], string>> = {
  "per second": "ops",
  percent: "percent",
  seconds: "s",
  bytes: "bytes",
  number: "short",
  processors: "short",
};

const [WIDTH, HEIGHT, COLUMNS] = [8, 7, 3];
const source = { type: "prometheus", uid: "${source}" };

/**
 * A dashboard for Grafana, as it imports it: a panel for each number that `./drydock metrics` shows, releases marked in
 * all of them.
 */
export function grafanaDashboard(): object {
  const panels = METRICS.map(({ name, unit, expression }, index) => ({
    id: index + 1,
    type: "timeseries",
    title: name,
    datasource: source,
    gridPos: {
      x: (index % COLUMNS) * WIDTH,
      y: Math.floor(index / COLUMNS) * HEIGHT,
      w: WIDTH,
      h: HEIGHT,
    },
    fieldConfig: { defaults: { unit: UNITS[unit], min: 0 }, overrides: [] },
    options: { legend: { showLegend: false } },
    targets: [{ refId: "A", datasource: source, expr: expression, legendFormat: name }],
  }));
  return {
    uid: "drydock",
    title: "Drydock",
    tags: ["drydock", "laravel"],
    schemaVersion: 39,
    version: 1,
    time: { from: "now-6h", to: "now" },
    refresh: "30s",
    templating: { list: [{ name: "source", type: "datasource", query: "prometheus", label: "Prometheus" }] },
    annotations: {
      list: [
        {
          name: "releases",
          datasource: source,
          enable: true,
          iconColor: "blue",
          // As long as a minute, and however seldom it is measured.
          expr: "drydock_release_timestamp_seconds > drydock_release_timestamp_seconds offset 1m",
          step: "1m",
          titleFormat: "release",
        },
      ],
    },
    panels,
  };
}
