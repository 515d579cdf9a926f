import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { rulesFile } from "../../alerts/rules.ts";
import type { Settings } from "../../config/settings.ts";
import { PORTS as AGENT } from "../../contracts/agent.ts";
import { AGENT_HOST, HOSTS, PORTS, RULES_FILE } from "../../contracts/monitoring.ts";
import { judges, knows } from "./exporters.ts";

/** What there is to ask, beside the parts of monitoring themselves. */
export interface Targets {
  /** Whether the database is the stack's own. */
  readonly database: boolean;
  /** The names of the stack's own Redis servers. */
  readonly redis: readonly string[];
  /** Whether there is a backup agent. */
  readonly backup: boolean;
}

/** Prometheus' configuration: whom it asks, how often, and whom it tells. */
export function prometheusConfiguration(
  stack: string,
  { interval }: Pick<Settings["monitoring"], "interval">,
  targets: Targets,
): string {
  const job = (name: string, ...addresses: string[]) => ({
    job_name: name,
    static_configs: [{ targets: addresses }],
  });
  const redis = `${HOSTS.redis}:${PORTS.redis}`;
  return stringify(
    {
      global: {
        scrape_interval: `${interval}s`,
        scrape_timeout: `${Math.min(10, interval)}s`,
        evaluation_interval: `${interval}s`,
        external_labels: { stack },
      },
      alerting: {
        alertmanagers: [{ static_configs: [{ targets: [`${HOSTS.alertmanager}:${PORTS.alertmanager}`] }] }],
      },
      rule_files: [RULES_FILE],
      scrape_configs: [
        job("prometheus", `127.0.0.1:${PORTS.prometheus}`),
        job("alertmanager", `${HOSTS.alertmanager}:${PORTS.alertmanager}`),
        job("collector", `${HOSTS.collector}:${PORTS.collector}`),
        job("host", `${HOSTS.host}:${PORTS.host}`),
        ...(targets.database ? [job("database", `${HOSTS.database}:${PORTS.database}`)] : []),
        ...(targets.backup ? [job("backup", `${AGENT_HOST}:${AGENT.agent}`)] : []),
        // One exporter asks all servers, each by its name.
        ...(targets.redis.length === 0
          ? []
          : [
              {
                job_name: "redis",
                metrics_path: "/scrape",
                static_configs: targets.redis.map((server) => ({
                  targets: [`redis://${server}:6379`],
                  labels: { server },
                })),
                relabel_configs: [
                  { source_labels: ["__address__"], target_label: "__param_target" },
                  { source_labels: ["server"], target_label: "instance" },
                  { target_label: "__address__", replacement: redis },
                ],
              },
            ]),
      ],
    },
    { lineWidth: 0 },
  );
}

const FOLDER = dirname(RULES_FILE);
const CONFIGURATION_FILE = join(FOLDER, "prometheus.yml");
export const PROMETHEUS_DATA = "/data";
const PROMETHEUS = "/bin/prometheus";

/**
 * How Prometheus starts, and the commands that judge another image's: what it is started with, and by its own tool its
 * files. Its root is read-only, so these can't be uploaded; there is no secret in them.
 *
 * @param backupAge hours
 */
export function prometheusCommands(
  stack: string,
  monitoring: Settings["monitoring"],
  targets: Targets,
  backupAge: number,
): { readonly start: string; readonly judge: string } {
  const { alerts, for: lasting, interval, off, retention, retentionSize } = monitoring;
  const rules = rulesFile({ ...alerts, backupAge }, interval, off, lasting);
  const words = [
    `--config.file=${CONFIGURATION_FILE}`,
    `--storage.tsdb.path=${PROMETHEUS_DATA}`,
    `--storage.tsdb.retention.time=${retention}d`,
    `--storage.tsdb.retention.size=${retentionSize}MB`,
    // A question too many must not cost it its memory.
    "--query.max-concurrency=4",
    "--query.timeout=20s",
    `--web.listen-address=:${PORTS.prometheus}`,
    "--log.level=warn",
  ];
  const files = [
    "set -eu",
    `mkdir -p ${FOLDER}`,
    `cat > ${CONFIGURATION_FILE} <<'END'\n${prometheusConfiguration(stack, monitoring, targets)}END`,
    `cat > ${RULES_FILE} <<'END'\n${rules}END`,
  ].join("\n");
  const program = { entrypoint: [PROMETHEUS], command: words };
  return {
    start: `${files}\nexec ${PROMETHEUS} ${words.join(" ")}`,
    judge: `${files}\n${judges("/bin/promtool", "check", "config", CONFIGURATION_FILE)}${knows(program)}`,
  };
}
