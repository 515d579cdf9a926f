import { z } from "zod";
import { daysOrNever, flag, integer, optional, preset, required, text } from "./fields.ts";

const bucketName = () =>
  text(
    "a bucket's name: 3 to 63 lower-case letters, digits and hyphens",
    (value) => /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(value),
    "shop-backups",
  );
const region = () =>
  text("a region of AWS, such as eu-central-1", (value) => /^[a-z]{2}(-[a-z]+)+-\d$/.test(value), "eu-central-1");
const kmsKey = () =>
  text(
    "the ARN of a KMS key",
    (value) => /^arn:aws[\w-]*:kms:[\w-]+:\d{12}:(key|alias)\/[\w/-]+$/.test(value),
    "arn:aws:kms:REGION:ACCOUNT:key/ID",
  );

/** The settings of the S3 bucket that the stack makes for its backups. */
export const bucket = z.strictObject({
  name: optional(bucketName(), "The S3 bucket that this stack makes for its backups", "none: no bucket is made"),
  region: optional(region(), "Where the bucket is", "none: required with `name`"),
  endpoint: optional(
    text("http:// or https:// and a host", (value) => /^https?:\/\/[\w.-]+(:\d+)?$/.test(value)),
    "S3 and IAM of somebody other than AWS, who speaks their protocol",
    "AWS",
  ),
  kmsKey: optional(kmsKey(), "Encrypt with this KMS key", "S3's own keys (SSE-S3)"),
  retentionDays: preset(
    integer(30, 3650, "days"),
    30,
    "How long what was deleted or overwritten in the bucket can still be restored",
  ),
  infrequentAfter: preset(daysOrNever(30), 30, "When the repository's packs go to the class Standard-IA"),
  coldAfter: preset(
    daysOrNever(60),
    90,
    "When they go to Glacier Instant Retrieval, from which a restore reads without waiting; " +
      "30 days after `infrequentAfter` or later",
  ),
  laravelArchiveAfter: preset(daysOrNever(30), 90, "When what Laravel's own backup package wrote goes to Deep Archive"),
  laravelDays: preset(integer(30, 3650, "days"), 365, "When that expires; not before `retentionDays`"),
  lockDays: optional(
    integer(0, 3650, "days"),
    "Object Lock: for how many days nobody can remove what was written; 0 for none",
    "`retentionDays` in production, otherwise none: no Object Lock",
  ),
  lockMode: preset(
    z.enum(["governance", "compliance"]).meta({ expects: '"governance" or "compliance"' }),
    "governance",
    "Whether somebody with the right to do so can end a lock (governance) or nobody (compliance)",
  ),
  replica: optional(
    z
      .strictObject({
        name: required(bucketName(), "The copy's bucket, made by this stack as well"),
        region: required(region(), "Another region"),
        kmsKey: optional(kmsKey(), "A KMS key of that region; required where the bucket has one", "S3's own keys"),
      })
      .meta({ expects: "an object with name and region" }),
    "Copy everything to a second bucket in another region",
    "none",
  ),
  accessLogs: preset(flag(), true, "Keep S3's access logs, in a bucket called as this one with `-logs`"),
  identity: preset(
    z.enum(["user", "policy"]).meta({
      expects:
        '"user" (an IAM user with a key, for the agent) or "policy" (only a policy, ' +
        "for the role that the host has; see backup.hostRole)",
    }),
    "user",
    "How the agent may write",
  ),
});
