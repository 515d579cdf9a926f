import assert from "node:assert/strict";
import { METRICS } from "../../../../cli/metrics/catalogue.ts";
import { grafanaDashboard } from "../../../../cli/metrics/grafana.ts";
import { metricsTable, said, sparkline, valuesOf } from "../../../../cli/metrics/run.ts";

describe("the numbers of a stack", () => {
  it("are at their moments, and a gap where nothing was measured", () => {
    const range = {
      result: [
        {
          values: [
            [100, "1"],
            [300, "3"],
            [400, "NaN"],
          ] as const,
        },
      ],
    };
    assert.deepEqual(valuesOf(range, [100, 200, 300, 400]), [1, null, 3, null]);
    assert.deepEqual(valuesOf({ result: [] }, [100]), [null]);
  });

  it("are drawn from the least to the most", () => {
    assert.equal(sparkline([0, null, 50, 100]), "▁ ▅█");
    assert.equal(sparkline([3, 3]), "▁▁");
  });

  it("have the unit that a person reads", () => {
    assert.deepEqual(
      [
        said(0.0123, "seconds"),
        said(2.34, "seconds"),
        said(600, "seconds"),
        said(1536, "bytes"),
        said(3 * 2 ** 30, "bytes"),
      ],
      ["12 ms", "2.3 s", "10 min", "1.5 KiB", "3 GiB"],
    );
    assert.deepEqual(
      [said(0.4, "percent"), said(12.3, "per second"), said(1234, "number"), said(null, "number"), said(0, "bytes")],
      ["0.4 %", "12/s", "1234", "–", "0 B"],
    );
  });

  it("are a table", () => {
    const [requests] = METRICS;
    assert.equal(
      metricsTable([{ ...requests!, values: [1, 2, 3] }], "hour", (_, text) => text),
      "          NOW  LEAST  MOST  LAST HOUR\nrequests  3/s  1/s    3/s   ▁▅█",
    );
  });

  it("are asked for over more than two looks, however seldom these are: an interval is a minute at most", () => {
    const ranges = [...JSON.stringify(grafanaDashboard()).matchAll(/\[(\d+)m\]/g)].map(([, minutes]) =>
      Number(minutes),
    );
    assert.ok(ranges.length > 5 && ranges.every((minutes) => minutes > 2), ranges.join());
    const { annotations } = grafanaDashboard() as { annotations: { list: { expr: string }[] } };
    const name = "drydock_release_timestamp_seconds";
    assert.equal(annotations.list[0]?.expr, `${name} > ${name} offset 1m`);
  });

  it("are panels of a dashboard that Grafana imports, none over another", () => {
    const { panels } = grafanaDashboard() as {
      panels: { title: string; gridPos: object; targets: { expr: string }[] }[];
    };
    assert.deepEqual(
      panels.map(({ title, targets }) => [title, targets[0]?.expr]),
      METRICS.map(({ name, expression }) => [name, expression]),
    );
    assert.equal(new Set(panels.map(({ gridPos }) => JSON.stringify(gridPos))).size, METRICS.length);
  });

  it("have names of their own", () => assert.equal(new Set(METRICS.map(({ name }) => name)).size, METRICS.length));
});
