import type { Alert } from "./alert.ts";

const command = "./drydock backup status; ./drydock backup health; ./drydock backup logs";

/** What the backup agent says of itself. It tells people by itself: here it is for the list and for dashboards. */
export const backups: readonly Alert[] = [
  {
    name: "BackupTooOld",
    severity: "critical",
    summary: "the newest verified backup is {{ $value | humanizeDuration }} old",
    why: "a restore would lose all that is newer, but for the binary log",
    remedy: "see why the last ones failed or could not be verified",
    command,
    expression: ({ backupAge }) => `drydock_backup_age_seconds > ${backupAge * 3600}`,
    for: "0s",
    told: "by the agent",
  },
  {
    name: "BackupNotVerified",
    severity: "critical",
    summary: "the newest backup could not be restored as it was recorded",
    why: "nobody knows whether it would be of use",
    remedy: "see what differs",
    command,
    expression: () => "drydock_backup_verified == 0 and on() drydock_backup_running == 0",
    for: "0s",
    told: "by the agent",
  },
  {
    name: "PointInTimeLag",
    severity: "critical",
    summary: "the binary log in the repository is {{ $value | humanizeDuration }} behind",
    why: "so much would be lost if the disk broke now",
    remedy: "see what keeps the agent from reading or writing it",
    command,
    expression: () => "drydock_backup_rpo_seconds > 60",
    for: "1m",
    told: "by the agent",
  },
  {
    name: "BackupNotInS3",
    severity: "warning",
    summary: "a verified backup has been waiting for its copy in S3 for {{ $value | humanizeDuration }}",
    why: "it is on this machine alone, and gone with it",
    remedy: "see what S3 says",
    command,
    expression: () => "drydock_backup_s3_lag_seconds > 86400",
    for: "0s",
    told: "by the agent",
  },
  {
    name: "BackupAlarm",
    severity: "warning",
    summary: "the backup agent has {{ $value }} alarms",
    why: "each of them says what is wrong",
    remedy: "read them",
    command,
    expression: () => "drydock_backup_alarms > 0",
    for: "0s",
    told: "by the agent",
  },
];
