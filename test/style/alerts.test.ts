import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { ALERTS } from "../../alerts/alerts.ts";
import { WATCHDOG } from "../../alerts/monitoring.ts";
import { rulesFile } from "../../alerts/rules.ts";
import { defaultParameters } from "../../config/schema/monitoring.ts";
import { CASES, type Case, GOOD } from "../support/alerts/cases.ts";

const PARAMETERS = { ...defaultParameters, backupAge: 26 };
const raised = 'count by (alertname) (ALERTS{alertstate="firing"})';

/**
 * One trial as promtool reads it: which alerts are raised after so many minutes beside the heartbeat, unless that has
 * ended, and no others.
 */
function trial(
  name: string,
  series: Readonly<Record<string, string>>,
  expected: readonly (readonly [minutes: number, alerts: readonly string[], silent?: boolean])[],
) {
  return {
    name,
    interval: "1m",
    input_series: Object.entries(series).map(([series, values]) => ({ series, values })),
    promql_expr_test: expected.map(([minutes, alerts, silent = false]) => ({
      expr: raised,
      eval_time: `${minutes}m`,
      exp_samples: [...(silent ? [] : [WATCHDOG]), ...alerts]
        .sort()
        .map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
    })),
  };
}

/** A series that comes with others than those of a good day takes the place of the one with its labels alone. */
const trialOf = ({ alert, series, quiet, raised, also = [], silent }: Case) =>
  trial(`${alert} ${Object.keys(series)[0]}`, { ...GOOD, ...series }, [
    [quiet, []],
    [raised, [alert, ...also], silent],
  ]);

describe("the rules of the alerts", () => {
  const hasPromtool = spawnSync("promtool", ["--version"]).error === undefined;
  if (!hasPromtool && process.env.DRYDOCK_TOOLS !== "required") {
    it.skip("are tried by promtool (left out: promtool is not on PATH)");
    return;
  }
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "drydock-alerts-"));
    writeFileSync(join(folder, "rules.yml"), rulesFile(PARAMETERS, 15));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const promtool = (...args: readonly string[]): void => {
    const { status, stdout, stderr } = spawnSync("promtool", args, { cwd: folder, encoding: "utf8" });
    assert.equal(status, 0, `${stdout}${stderr}`);
  };
  const tried = (trials: readonly object[]): void => {
    writeFileSync(
      join(folder, "trial.yml"),
      stringify({ rule_files: ["rules.yml"], evaluation_interval: "1m", tests: trials }, { lineWidth: 0 }),
    );
    promtool("test", "rules", "trial.yml");
  };

  it("are what Prometheus accepts", () => promtool("check", "rules", "rules.yml"));

  it("raise nothing in a good day with a release every hour", () =>
    tried([
      trial(
        "a good day",
        GOOD,
        [0, 15, 55, 58, 59, 118, 700, 1439, 1490].map((minutes) => [minutes, []]),
      ),
    ]));

  it("raise nothing where nothing is known yet", () => tried([trial("nothing", {}, [[1, [], true]])]));

  it("raise nothing for a site that is closed on purpose", () =>
    tried([trial("closed", { ...GOOD, drydock_site_up: "0x60", drydock_maintenance: "1x60" }, [[30, []]])]));

  it("raise nothing for a few errors and slow answers of a site that hardly anybody visits", () =>
    tried([
      trial(
        "few",
        {
          'up{job="prometheus"}': "1x60",
          'drydock_http_requests_total{code="200"}': "0+1x60",
          'drydock_http_requests_total{code="500"}': "0+0.5x60",
          'drydock_http_request_seconds_bucket{le="1"}': "0+1x60",
          'drydock_http_request_seconds_bucket{le="+Inf"}': "0+1.5x60",
          drydock_http_request_seconds_count: "0+1.5x60",
        },
        [[40, []]],
      ),
    ]));

  it("raise each alert after its time, and it alone", () => tried(CASES.map(trialOf)));

  it("are all tried", () => {
    const missing = ALERTS.filter((name) => name !== WATCHDOG && !CASES.some(({ alert }) => alert === name));
    assert.deepEqual(missing, []);
  });
});
