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

/** A summary with words in capitals in place of what Prometheus fills in. */
const plain = (summary: string): string =>
  summary
    .replaceAll(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => label.toUpperCase())
    .replaceAll(/\{\{ \$value \| humanizePercentage \}\}/g, "N %")
    .replaceAll(/\{\{ \$value \| humanizeDuration \}\}/g, "TIME")
    .replaceAll(/\{\{ \$value( \| humanize)? \}\}/g, "N");

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
        `${alert.severity}, ${alert.for === "0s" ? "at once" : `after ${alert.for}`}: ${plain(alert.summary)}.${told}`,
        `- Why: ${alert.why}.\n- What to do: ${alert.remedy}.\n- Command: \`${alert.command}\``,
        `\`\`\`\n${alert.expression(parameters)}\n\`\`\``,
      ].join("\n\n");
    });
    return `## ${TITLES[subject as Subject]}\n\n${parts.join("\n\n")}`;
  });
  return `${notice}

# Alerts

Each alert that \`drydock:monitoring\` raises: when, why, and what to do then. The numbers are those that hold where
\`drydock:monitoring.alerts\` says nothing, and the times where \`drydock:monitoring.for\` does not;
\`drydock:monitoring.off\` leaves alerts out. Words in capitals stand for what a message fills in. How they reach
people is in [monitoring.md](monitoring.md).

${sections.join("\n\n")}
`;
}
