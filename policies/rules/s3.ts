import { z } from "zod";
import type { Resource } from "../helpers/resources.ts";
import {
  ACCOUNT_PUBLIC_ACCESS,
  ACLS,
  BUCKETS,
  ENCRYPTION,
  LIFECYCLE,
  OWNERSHIP,
  ofBucket,
  POLICY,
  PUBLIC_ACCESS,
  VERSIONING,
} from "../helpers/s3.ts";
import type { Stack } from "../helpers/stack.ts";
import { flag, isUnknown, items, type Maybe, num, propertyAt, text, type Unknown } from "../helpers/values.ts";
import { type Report, resourceRule, stackRule } from "../rule.ts";
import { none, noSetting } from "./shared.ts";

const BLOCKS = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];

export const s3PublicBlocked = stackRule({
  name: "s3-public-blocked",
  family: "s3",
  level: "mandatory",
  source: ["S3.1", "S3.2", "S3.3", "S3.8", "CKV2_AWS_6"],
  summary: "Every bucket blocks public access in all four ways.",
  why: "one wrong policy or ACL makes every backup readable by everyone",
  remedy:
    "new aws.s3.BucketPublicAccessBlock(name, { bucket: bucket.id, blockPublicAcls: true, blockPublicPolicy: " +
    "true, ignorePublicAcls: true, restrictPublicBuckets: true })",
  setting: noSetting.bucket,
  bad: "a bucket alone",
  good: "a bucket with a BucketPublicAccessBlock, all four true",
  params: none,
  check(stack, { on }) {
    const account = stack
      .ofType(ACCOUNT_PUBLIC_ACCESS)
      .some((resource) => BLOCKS.every((key) => propertyAt(resource.props, key) === true));
    if (account) return;
    forEachBucket(stack, [PUBLIC_ACCESS], (bucket, [block], perhaps) => {
      if (block === undefined) return missing(on(bucket), perhaps, "no BucketPublicAccessBlock belongs to the bucket");
      for (const key of BLOCKS)
        on(block).expect(
          { path: key, value: flag(propertyAt(block.props, key)) },
          (value) => value === true,
          "is not true",
        );
    });
  },
});

export const s3TlsOnly = stackRule({
  name: "s3-tls-only",
  family: "s3",
  level: "mandatory",
  source: ["S3.5", "CKV_AWS_379"],
  summary: "The bucket's policy denies plain HTTP.",
  why: "backups hold every customer's data, and plain HTTP shows them to everyone on the way",
  remedy:
    '{ Effect: "Deny", Principal: "*", Action: "s3:*", Resource: [arn, `${arn}/*`], Condition: { Bool: ' +
    '{ "aws:SecureTransport": "false" } } }',
  setting: noSetting.bucket,
  bad: "a bucket without a policy",
  good: "a BucketPolicy that denies where aws:SecureTransport is false",
  params: none,
  check(stack, { on }) {
    forEachBucket(stack, [POLICY], (bucket, [policy], perhaps) => {
      if (policy === undefined) return missing(on(bucket), perhaps, "no BucketPolicy belongs to the bucket");
      on(policy).expect(
        { path: "policy", value: deniesHttp(propertyAt(policy.props, "policy")) },
        (value) => value === true,
        "does not deny plain HTTP to everyone",
      );
    });
  },
});

/** The statements of a policy's document; what can't be read has none. */
function statementsOf(policy: unknown): Maybe<readonly unknown[]> {
  if (isUnknown(policy)) return policy;
  if (typeof policy !== "string") return list(propertyAt(policy, "Statement"));
  try {
    return list(propertyAt(JSON.parse(policy), "Statement"));
  } catch {
    return [];
  }
}

const everyone = (principal: unknown): boolean =>
  list(typeof principal === "object" ? propertyAt(principal, "AWS") : principal).some((one) =>
    /^(\*|arn:aws[\w-]*:iam::\*:.*)$/.test(String(one)),
  );

function deniesHttp(policy: unknown): Maybe<boolean> {
  const statements = statementsOf(policy);
  if (statements === undefined || isUnknown(statements)) return statements;
  let open: Unknown | undefined;
  for (const statement of statements) {
    if (isUnknown(statement)) open = statement;
    const [principal, actions] = [propertyAt(statement, "Principal"), list(propertyAt(statement, "Action"))];
    const secure = propertyAt(statement, "Condition", "Bool", "aws:SecureTransport");
    const isDenial =
      propertyAt(statement, "Effect") === "Deny" &&
      (principal === "*" || list(propertyAt(principal, "AWS")).includes("*"));
    if (
      isDenial &&
      list(secure).some((value) => String(value) === "false") &&
      actions.some((action) => action === "s3:*" || action === "*")
    )
      return true;
  }
  return open ?? false;
}

/** Conditions that leave somebody in particular of "everyone". */
const LIMITS = /^aws:(source(ip|vpc|vpce|arn|account|orgid)|principal(orgid|arn|account|orgpaths)|vpcsourceip)$/i;

export const s3NoPublicPolicy = resourceRule({
  name: "s3-no-public-policy",
  family: "s3",
  level: "mandatory",
  source: ["S3.2", "S3.3"],
  summary: "No bucket's policy allows anything to everyone.",
  why: "beside a statement that denies plain HTTP stood one that let everybody read",
  remedy: "name who may: Principal: { AWS: roleArn }",
  setting: noSetting.bucket,
  bad: '{ Effect: "Allow", Principal: "*", Action: "s3:GetObject" }',
  good: '{ Effect: "Allow", Principal: { AWS: roleArn }, Action: "s3:GetObject" }',
  types: [POLICY, ...BUCKETS],
  params: none,
  check(resource, report) {
    const statements = statementsOf(propertyAt(resource.props, "policy"));
    if (isUnknown(statements)) return report.undecided("policy");
    for (const [i, statement] of (statements ?? []).entries()) {
      if (isUnknown(statement)) report.undecided(statement.path);
      if (isUnknown(statement) || propertyAt(statement, "Effect") !== "Allow") continue;
      const open = propertyAt(statement, "NotPrincipal") !== undefined || everyone(propertyAt(statement, "Principal"));
      const conditions = Object.values((propertyAt(statement, "Condition") as object | undefined) ?? {}).flatMap(
        (one) => Object.keys((one as object | null) ?? {}),
      );
      if (open && !conditions.some((key) => LIMITS.test(key)))
        report.violation(`policy.Statement[${i}]`, "allows something to everyone");
    }
  },
});

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

export const s3NoAcl = resourceRule({
  name: "s3-no-acl",
  family: "s3",
  level: "mandatory",
  source: ["S3.12", "CKV_AWS_20"],
  summary: "A bucket belongs to its owner alone: no ACL.",
  why: "an ACL gives access past every policy, and nobody looks for it there",
  remedy:
    "delete the ACL; new aws.s3.BucketOwnershipControls(name, { bucket: bucket.id, rule: { objectOwnership: " +
    '"BucketOwnerEnforced" } })',
  setting: noSetting.bucket,
  bad: 'new aws.s3.BucketAcl(name, { acl: "public-read", … })',
  good: "BucketOwnershipControls with BucketOwnerEnforced",
  types: [...BUCKETS, ...ACLS, OWNERSHIP],
  params: none,
  check(resource, report) {
    if (ACLS.includes(resource.type)) return report.violation("acl", "sets an ACL");
    if (resource.type === OWNERSHIP) {
      return report.expect(
        { path: "rule.objectOwnership", value: text(propertyAt(resource.props, "rule", "objectOwnership")) },
        (value) => value === "BucketOwnerEnforced",
        "is not BucketOwnerEnforced",
      );
    }
    report.expect(
      { path: "acl", value: text(propertyAt(resource.props, "acl")) },
      (value) => value === undefined || value === "",
      "sets an ACL",
    );
    for (const { path } of items(propertyAt(resource.props, "grants"), "grants", (entry) => entry).known)
      report.violation(path, "grants access by ACL");
  },
});

export const s3LifecycleCoversRetention = stackRule({
  name: "s3-lifecycle-covers-retention",
  family: "s3",
  level: "mandatory",
  source: ["S3.13", "CKV2_AWS_61", "CKV_AWS_300"],
  summary: "A bucket's lifecycle rules keep everything as long as was promised, and clear unfinished uploads.",
  why: "a rule that expires too early deletes the backup that is needed, and unfinished uploads cost for ever",
  remedy:
    'new aws.s3.BucketLifecycleConfiguration(name, { bucket: bucket.id, rules: [{ id: "keep", status: "Enabled", ' +
    "expiration: { days: 90 }, abortIncompleteMultipartUpload: { daysAfterInitiation: 7 } }] })",
  setting: () => ({ path: "bucket.retentionDays", value: "30" }),
  bad: "expiration: { days: 7 } where 30 days are promised",
  good: "expiration: { days: 90 }, abortIncompleteMultipartUpload: { daysAfterInitiation: 7 }",
  params: z.strictObject({
    /** How long backups are promised to be kept, in days. */
    retentionDays: z.number().int().positive().default(30),
  }),
  check(stack, { params, on }) {
    forEachBucket(stack, LIFECYCLE, (bucket, [configuration], perhaps) => {
      const [owner, path] = configuration === undefined ? [bucket, "lifecycleRules"] : [configuration, "rules"];
      const rules = items(propertyAt(owner.props, path), path, (entry) => entry as object);
      for (const unknown of rules.unknown) on(owner).undecided(unknown);
      const enabled = rules.known.filter(
        ({ value }) => propertyAt(value, "status") === "Enabled" || propertyAt(value, "enabled") === true,
      );
      if (enabled.length === 0 && rules.unknown.length === 0)
        return missing(on(bucket), perhaps, "no lifecycle rule belongs to the bucket");
      for (const { value, path: at_ } of enabled) {
        for (const key of [
          "expiration.days",
          "noncurrentVersionExpiration.noncurrentDays",
          "noncurrentVersionExpiration.days",
        ]) {
          on(owner).expect(
            { path: `${at_}.${key}`, value: num(propertyAt(value, ...key.split("."))) },
            (days) => days === undefined || days >= params.retentionDays,
            `expires before the ${params.retentionDays} days that are promised`,
          );
        }
      }
      const aborts = enabled.some(
        ({ value }) =>
          propertyAt(value, "abortIncompleteMultipartUpload") !== undefined ||
          propertyAt(value, "abortIncompleteMultipartUploadDays") !== undefined,
      );
      if (!aborts && rules.unknown.length === 0)
        on(owner).violation(path, "no rule aborts incomplete multipart uploads");
    });
  },
});

export const s3Recoverable = stackRule({
  name: "s3-recoverable",
  family: "s3",
  level: "mandatory",
  source: ["CKV_AWS_21", "CKV_AWS_19", "S3.14"],
  summary: "A bucket keeps versions, is encrypted, and is not emptied when it is deleted.",
  why: "without versions an overwritten backup is gone, and with forceDestroy one wrong line deletes them all",
  remedy:
    'BucketVersioning with versioningConfiguration: { status: "Enabled" }, ' +
    "BucketServerSideEncryptionConfiguration, and no forceDestroy",
  setting: noSetting.bucket,
  bad: "new aws.s3.Bucket(name, { forceDestroy: true })",
  good: "a bucket with versioning and encryption",
  params: none,
  check(stack, { on }) {
    forEachBucket(stack, VERSIONING, (bucket, [versioning], perhaps) => {
      on(bucket).expect(
        { path: "forceDestroy", value: flag(propertyAt(bucket.props, "forceDestroy")) },
        (value) => value !== true,
        "the bucket would be emptied when it is deleted",
      );
      const inline = propertyAt(bucket.props, "versioning", "enabled");
      if (versioning === undefined && inline !== true)
        missing(on(bucket), perhaps, "no BucketVersioning belongs to the bucket");
      else if (versioning !== undefined) {
        const path = "versioningConfiguration.status";
        on(versioning).expect(
          { path, value: text(propertyAt(versioning.props, ...path.split("."))) },
          (value) => value === "Enabled",
          "is not Enabled",
        );
      }
    });
    forEachBucket(stack, ENCRYPTION, (bucket, [encryption], perhaps) => {
      if (
        encryption === undefined &&
        propertyAt(bucket.props, "serverSideEncryptionConfiguration", "rule") === undefined
      )
        missing(on(bucket), perhaps, "no BucketServerSideEncryptionConfiguration belongs to the bucket");
    });
  },
});

function forEachBucket(
  stack: Stack,
  types: readonly string[],
  check: (bucket: Resource, sure: readonly Resource[], perhaps: readonly Resource[]) => void,
): void {
  for (const bucket of stack.ofType(...BUCKETS)) {
    const { sure, perhaps } = ofBucket(stack, bucket, types);
    check(bucket, sure, perhaps);
  }
}

/** Nothing belongs to the bucket, unless something whose bucket is not known yet does. */
function missing(report: Report, perhaps: readonly Resource[], what: string): void {
  if (perhaps.length > 0) report.undecided(`bucket of ${perhaps.map(({ title }) => title).join(", ")}`);
  else report.violation("bucket", what);
}
