import { WATCHDOG } from "../../alerts/monitoring.ts";
import { RULES_FILE } from "../../contracts/monitoring.ts";
import { harmless } from "../../lib/harmless.ts";
import { unanswered } from "../shared/docker.ts";
import { CliError, describe, Exit } from "../shared/errors.ts";
import { when } from "../shared/listing.ts";
import { select } from "../shared/project.ts";
import { askPrometheus, type Monitor, monitorOf, type Silence, silencesOf } from "../shared/prometheus.ts";
import { type Painter, painter } from "../shared/ui.ts";
import type { ShownAlert } from "./shown.ts";

export interface AlertsOptions {
  readonly stack?: string;
  readonly all?: true;
  readonly json?: true;
  readonly rules?: true;
}

/** As Prometheus answers it. */
export interface Active {
  readonly state: "pending" | "firing";
  readonly activeAt: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

const SEVERITIES = ["critical", "warning", "info"];
/** Labels that say nothing more than the rest does. */
const OWN = ["alertname", "severity", "subject", "told", "instance", "job"];

/** The worst first, and of these the oldest. The watchdog is none: it is always raised. */
export function shownAlerts(active: readonly Active[], all: boolean): ShownAlert[] {
  return active
    .filter(({ labels, state }) => labels["alertname"] !== WATCHDOG && (all || state === "firing"))
    .map(({ state, activeAt, labels, annotations }) => ({
      name: labels["alertname"] ?? "",
      severity: labels["severity"] ?? "",
      state: state === "firing" ? ("raised" as const) : ("pending" as const),
      since: activeAt,
      summary: annotations["summary"] ?? "",
      remedy: annotations["remedy"] ?? "",
      command: annotations["command"] ?? "",
      labels: Object.fromEntries(Object.entries(labels).filter(([name]) => !OWN.includes(name))),
    }))
    .sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || a.since.localeCompare(b.since));
}

/** What a person reads. */
export function alertLines(alerts: readonly ShownAlert[], silences: readonly Silence[], paint: Painter): string[] {
  const lines = alerts.flatMap(({ name, severity, state, since, summary, remedy, command }) => [
    [
      paint(severity === "critical" ? "red" : "yellow", state === "raised" ? severity : "waits"),
      paint("bold", name),
      `since ${when(since)}`,
    ].join("  "),
    // It has names in it that are the application's, such as a queue's.
    `  ${harmless(summary)}`,
    `  ${remedy}`,
    `  ${paint("cyan", command)}`,
  ]);
  return [
    ...(alerts.length === 0 ? [paint("green", "no alert is raised")] : lines),
    ...silences.map(({ comment, endsAt }) => `silent until ${when(endsAt)}: ${harmless(comment)}`),
  ];
}

export async function showAlerts({ stack, ...options }: AlertsOptions): Promise<number> {
  return await show(await monitorOf(stack), options);
}

/** @returns the exit code */
export async function show(monitor: Monitor, { all, json, rules }: Omit<AlertsOptions, "stack">): Promise<number> {
  if (rules) {
    // Those that are in force, with the settings' numbers.
    const args = ["exec", monitor.prometheus, "cat", RULES_FILE];
    const { code, stdout, stderr } = await monitor.docker.run(args);
    if (code !== 0)
      throw (
        unanswered(stderr, monitor.stack) ??
        new CliError({
          what: `the rules can't be read: ${stderr.trim()}`,
          remedy: `see how Prometheus is: ./drydock status${select(monitor.stack)}`,
        })
      );
    process.stdout.write(stdout);
    return Exit.ok;
  }
  const [[answer], found] = await Promise.all([askPrometheus(monitor, ["alerts"]), silencesOf(monitor)]);
  const alerts = shownAlerts((answer as { readonly alerts: readonly Active[] }).alerts, all === true);
  const silent = found instanceof CliError ? [] : found;
  const said = { alerts, silences: silent.map(({ comment, endsAt }) => ({ comment, until: endsAt })) };
  const text = json ? JSON.stringify(said, null, 2) : alertLines(alerts, silent, painter(process.stdout)).join("\n");
  process.stdout.write(`${text}\n`);
  // It is who tells of alerts: where it is gone, nobody hears of them.
  if (found instanceof CliError) process.stderr.write(`${describe(found)}\n`);
  return found instanceof CliError || alerts.some(({ state }) => state === "raised") ? Exit.failed : Exit.ok;
}
