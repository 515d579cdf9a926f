import assert from "node:assert/strict";
import { show } from "../../../../cli/alerts/run.ts";
import { measured } from "../../../../cli/dashboard/sources/measured.ts";
import type { Target } from "../../../../cli/dashboard/target.ts";
import { CliError, Exit } from "../../../../cli/shared/errors.ts";
import { askAlertmanager, askPrometheus, type Monitor, silencesOf } from "../../../../cli/shared/prometheus.ts";
import { printed } from "../../../support/printed.ts";

const firing = {
  state: "firing",
  activeAt: "2026-11-29T10:00:00Z",
  labels: { alertname: "SiteDown", severity: "critical" },
  annotations: { summary: "the site does not answer", remedy: "see", command: "./drydock status" },
};

/** A Docker whose Prometheus answers, and whose Alertmanager does as it is told. */
function docker(alertmanager: { code: number; stdout: string; stderr: string }) {
  const asked: string[] = [];
  return {
    asked,
    env: {},
    run: async (args: readonly string[], { input = "" }: { input?: unknown } = {}) => {
      asked.push(args.join(" "));
      if (args.includes("alertmanager")) return alertmanager;
      const line = (url: string) =>
        JSON.stringify({ data: url.endsWith("/alerts") ? { alerts: [firing] } : { result: [] } });
      const urls = String(input)
        .split("\n")
        .filter((url) => url !== "");
      return { code: 0, stdout: urls.map((url) => `${line(url)}\n`).join(""), stderr: "" };
    },
  };
}

const monitorOf = (own: ReturnType<typeof docker>): Monitor => ({
  stack: "prod",
  docker: own as never,
  prometheus: "prometheus",
  alertmanager: "alertmanager",
});
const GONE = { code: 1, stdout: "", stderr: "Error response from daemon: Container x is paused\n" };

describe("what measures a stack, when it is asked", () => {
  it("is waited for no longer than it may take: one that stands still never answers", async () => {
    const own = docker({ code: 0, stdout: "[]", stderr: "" });
    await askPrometheus(monitorOf(own), ["alerts"]);
    await askAlertmanager(monitorOf(own), "silences");
    assert.match(own.asked[0]!, /wget -t 1 -T 25 -qO- /);
    assert.match(own.asked[1]!, /wget -t 1 -T 10 -qO- /);
  });

  it("says where what Alertmanager logs is to be seen", async () => {
    const found = await silencesOf(monitorOf(docker(GONE)));
    assert.ok(found instanceof CliError);
    assert.equal(found.what, "Alertmanager does not answer: Error response from daemon: Container x is paused");
    assert.equal(found.remedy, "see what it logs: ./drydock logs alertmanager -s prod");
  });

  it("is not to blame where the engine does not answer", async () => {
    const said = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?";
    const monitor = monitorOf({ ...docker(GONE), run: async () => ({ code: 1, stdout: "", stderr: said }) });
    const down = { what: "Docker does not answer", remedy: /systemctl start docker|docker -H HOST version/ };
    for (const asked of [
      askPrometheus(monitor, ["alerts"]),
      askAlertmanager(monitor, "silences"),
      show(monitor, { rules: true }),
    ])
      await assert.rejects(asked, ({ what, remedy }: CliError) => what === down.what && down.remedy.test(remedy ?? ""));
  });

  it("tells the alerts without an Alertmanager, and that it is gone, for then nobody hears of them", async () => {
    const { out, err, value } = await printed(() => show(monitorOf(docker(GONE)), { json: true }));
    const said = JSON.parse(out);
    assert.deepEqual([said.alerts.map(({ name }: { name: string }) => name), said.silences], [["SiteDown"], []]);
    assert.match(err, /^drydock: Alertmanager does not answer: .*\n {2}remedy: /);
    assert.equal(value, Exit.failed);
  });

  it("has the page show what Prometheus knows without it", async () => {
    const own = docker(GONE);
    const services = ["prometheus", "alertmanager"].map((role) => ({ role, container: role, name: role, image: "x" }));
    const target = { now: async () => ({ outputs: { stack: "prod", services }, docker: own }) } as unknown as Target;
    const { alerts, charts, queues } = await measured(target).read({
      ranges: ["hour"],
      parts: { activity: {} } as never,
    });
    assert.deepEqual(
      alerts?.value?.alerts.map(({ name }) => name),
      ["SiteDown"],
    );
    assert.match(alerts?.problem?.what ?? "", /^Alertmanager does not answer/);
    assert.deepEqual([charts?.problem, queues?.problem], [undefined, undefined]);
  });
});
