import { stringify } from "yaml";
import type { Parameters } from "./alert.ts";
import { ALERTS_BY_SUBJECT } from "./alerts.ts";

/**
 * The rules file of Prometheus.
 *
 * @param interval seconds between two looks
 * @param off names of alerts that are not wanted
 * @param lasting seconds that something has to hold, by the alert's name, where it is not as long as the catalogue says
 */
export function rulesFile(
  parameters: Parameters,
  interval: number,
  off: readonly string[] = [],
  lasting: Readonly<Record<string, number>> = {},
): string {
  const groups = Object.entries(ALERTS_BY_SUBJECT).map(([subject, alerts]) => ({
    name: subject,
    interval: `${interval}s`,
    rules: alerts
      .filter(({ name }) => !off.includes(name))
      .map((alert) => ({
        alert: alert.name,
        expr: alert.expression(parameters),
        for: alert.name in lasting ? `${lasting[alert.name]}s` : alert.for,
        labels: { severity: alert.severity, subject, told: alert.told === undefined ? "here" : "elsewhere" },
        annotations: { summary: alert.summary, why: alert.why, remedy: alert.remedy, command: alert.command },
      })),
  }));
  return stringify({ groups: groups.filter(({ rules }) => rules.length > 0) }, { lineWidth: 0 });
}
