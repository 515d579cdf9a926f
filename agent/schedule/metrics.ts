import { Gauge, Registry } from "prom-client";
import type { Status } from "../../contracts/agent.ts";
import { type Entry, sizesOf } from "../../contracts/entry.ts";

/** The agent's numbers in Prometheus' format; what isn't known is left out rather than zero. */
export async function metricsOf(status: Status, entries: readonly Entry[]): Promise<string> {
  const registry = new Registry();
  const gauge = (name: string, help: string, value: number | null | undefined): void => {
    if (value !== null && value !== undefined)
      new Gauge({ name: `drydock_backup_${name}`, help, registers: [registry] }).set(value);
  };
  const { newest, newestVerified: verified } = status;
  gauge(
    "last_success_timestamp_seconds",
    "When the newest verified backup was finished",
    verified === null ? null : Date.parse(verified.finished) / 1000,
  );
  gauge("age_seconds", "Age of the newest verified backup", status.ageHours === null ? null : status.ageHours * 3600);
  gauge("duration_seconds", "How long the newest backup took, without its verification", newest?.seconds);
  gauge("size_bytes", "What a restore of the newest backup reads", newest === null ? null : sizesOf(newest).bytes);
  gauge(
    "added_bytes",
    "What the newest backup added to the repository",
    newest === null ? null : sizesOf(newest).added,
  );
  gauge("verified", "Whether the newest backup is verified", newest === null ? null : Number(newest.verified));
  gauge("count", "Backups in the catalogue", entries.length);
  gauge("rpo_seconds", "How far the binary log in the repository is behind", status.rpoSeconds);
  gauge("rto_seconds", "How long restoring the newest verified backup took", status.rtoSeconds);
  gauge("binlog_streaming", "Whether the binary log is being followed", Number(status.binlog.streaming));
  gauge(
    "s3_lag_seconds",
    "How long the oldest verified backup has been waiting for its copy in S3",
    status.s3.lagSeconds,
  );
  gauge("running", "Whether a backup is being made", Number(status.running !== null));
  gauge("alarms", "Alarms at present", status.alarms.length);
  return await registry.metrics();
}
