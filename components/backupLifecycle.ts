import type { Settings } from "../config/settings.ts";
import type { LifecycleRule } from "./privateBucket.ts";

type Bucket = Pick<
  Settings["bucket"],
  "retentionDays" | "infrequentAfter" | "coldAfter" | "laravelArchiveAfter" | "laravelDays"
>;

/** Holds for every object: what nobody can see any more costs something all the same. */
const tidy = (retentionDays: number): LifecycleRule => ({
  id: "tidy",
  status: "Enabled",
  filter: { prefix: "" },
  noncurrentVersionExpiration: { noncurrentDays: retentionDays },
  expiration: { expiredObjectDeleteMarker: true },
  abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
});

/**
 * What S3 does with the objects as they age. Nothing of the repository or of the binary logs expires by its age: a pack
 * of the first day may belong to the newest backup. The agent removes what no backup needs; here that stays as an
 * earlier version for `retentionDays`.
 */
export function lifecycleRules({
  retentionDays,
  infrequentAfter,
  coldAfter,
  laravelArchiveAfter,
  laravelDays,
}: Bucket): LifecycleRule[] {
  const transitions = [
    ...(infrequentAfter === 0 ? [] : [{ days: infrequentAfter, storageClass: "STANDARD_IA" }]),
    // Instant retrieval: restic reads packs when it restores and prunes, and can't wait for hours.
    ...(coldAfter === 0 ? [] : [{ days: coldAfter, storageClass: "GLACIER_IR" }]),
  ];
  return [
    tidy(retentionDays),
    // Only packs: index, snapshots and keys are small, and read each time.
    ...(transitions.length === 0
      ? []
      : [{ id: "packs", status: "Enabled", filter: { prefix: "backups/repository/data/" }, transitions }]),
    {
      id: "laravel-backups",
      status: "Enabled",
      filter: { prefix: "laravel-backups/" },
      expiration: { days: laravelDays },
      ...(laravelArchiveAfter === 0 || laravelArchiveAfter >= laravelDays
        ? {}
        : { transitions: [{ days: laravelArchiveAfter, storageClass: "DEEP_ARCHIVE" }] }),
    },
    { id: "restore", status: "Enabled", filter: { prefix: "restore/" }, expiration: { days: retentionDays } },
  ];
}

/** Access logs: as long as what they are about. */
export function logRules(retentionDays: number): LifecycleRule[] {
  return [{ ...tidy(retentionDays), id: "logs", expiration: { days: retentionDays } }];
}
