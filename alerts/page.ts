import type { Parameters, Subject } from "./alert.ts";
import { ALERTS_BY_SUBJECT } from "./alerts.ts";

const TITLES: Readonly<Record<Subject, string>> = {
  site: "The site",
  laravel: "Laravel",
  database: "The database",
  redis: "Redis",
  containers: "Containers",
  host: "The machine",
  backups: "Backups",
  certificates: "Certificates",
  monitoring: "Monitoring itself",
};

/** What Prometheus writes in a summary in place of a number. */
const plain = (summary: string): string =>
  summary
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, "$1")
    .replaceAll(/\{\{ \$value \| humanizePercentage \}\}/g, "so many percent")
    .replaceAll(/\{\{ \$value \| humanizeDuration \}\}/g, "so long")
    .replaceAll(/\{\{ \$value( \| humanize)? \}\}/g, "so many");

/**
 * docs/alerts.md.
 * @param parameters those that hold where the settings say nothing
 */
export function alertsPage(parameters: Parameters, notice: string): string {
  const sections = Object.entries(ALERTS_BY_SUBJECT).map(([subject, alerts]) => {
    const parts = alerts.map((alert) => {
      const told =
        alert.told === undefined ? "" : " It is sent by the backup agent itself, with or without monitoring.";
      return [
        `### ${alert.name}`,
        `${alert.severity}, after ${alert.for === "0s" ? "no" : alert.for} wait: ${plain(alert.summary)}.${told}`,
        `- Why: ${alert.why}.\n- What to do: ${alert.remedy}.\n- Command: \`${alert.command}\``,
        `\`\`\`\n${alert.expression(parameters)}\n\`\`\``,
      ].join("\n\n");
    });
    return `## ${TITLES[subject as Subject]}\n\n${parts.join("\n\n")}`;
  });
  return `${notice}

# Alerts

Each alert that \`drydock:monitoring\` raises: when, why, and what to do then. The numbers are those that hold where
\`drydock:monitoring.alerts\` says nothing; \`drydock:monitoring.off\` leaves alerts out. How they reach people is in
[monitoring.md](monitoring.md).

${sections.join("\n\n")}
`;
}
