import * as s3 from "@pulumi/aws/s3/index.js";
import type { input } from "@pulumi/aws/types/index.js";
import * as pulumi from "@pulumi/pulumi";
import { defined } from "../lib/defined.ts";

export type LifecycleRule = input.s3.BucketLifecycleConfigurationRule;
type Statement = Readonly<Record<string, unknown>>;

export interface PrivateBucketArgs {
  /** The bucket's own name. */
  readonly bucket: string;
  /** @default the provider's */
  readonly region?: string | undefined;
  /** ARN of a KMS key. @default S3's own keys */
  readonly kmsKey?: string | undefined;
  /** What is done with objects as they age. */
  readonly rules: readonly LifecycleRule[];
  /** Days for which nobody can remove what was written. @default no Object Lock */
  readonly lock?: { readonly days: number; readonly mode: "GOVERNANCE" | "COMPLIANCE" } | undefined;
  /** What the bucket's policy says besides that plain HTTP is denied. @default nothing */
  readonly statements?: (arn: string) => readonly Statement[];
  readonly tags: Readonly<Record<string, string>>;
}

/**
 * A bucket that nobody reads by accident and nobody empties by accident: the rules s3-* of the policy pack, as a
 * component.
 */
export class PrivateBucket extends pulumi.ComponentResource {
  readonly bucket: s3.Bucket;
  readonly versioning: s3.BucketVersioning;

  constructor(name: string, args: PrivateBucketArgs, options?: pulumi.ComponentResourceOptions) {
    super("drydock:index:PrivateBucket", name, {}, options);
    const { region, kmsKey, lock } = args;
    const child = { parent: this };
    this.bucket = new s3.Bucket(
      name,
      {
        bucket: args.bucket,
        ...defined({ region }),
        forceDestroy: false,
        objectLockEnabled: lock !== undefined,
        tags: { ...args.tags },
      },
      // A lock that is added later is set by its own resource; by this property the bucket would be made anew.
      { ...child, protect: true, ignoreChanges: ["objectLockEnabled"] },
    );
    const of = { bucket: this.bucket.bucket, ...defined({ region }) };
    // One after the other: S3 refuses some of these calls while another one on the same bucket is at work.
    this.versioning = new s3.BucketVersioning(
      `${name}-versioning`,
      { ...of, versioningConfiguration: { status: "Enabled" } },
      { ...child, protect: true },
    );
    const block = new s3.BucketPublicAccessBlock(
      `${name}-public-access`,
      { ...of, blockPublicAcls: true, blockPublicPolicy: true, ignorePublicAcls: true, restrictPublicBuckets: true },
      { ...child, dependsOn: [this.versioning] },
    );
    const ownership = new s3.BucketOwnershipControls(
      `${name}-ownership`,
      { ...of, rule: { objectOwnership: "BucketOwnerEnforced" } },
      { ...child, dependsOn: [block] },
    );
    const encryption = new s3.BucketServerSideEncryptionConfiguration(
      `${name}-encryption`,
      {
        ...of,
        rules: [
          {
            applyServerSideEncryptionByDefault:
              kmsKey === undefined ? { sseAlgorithm: "AES256" } : { sseAlgorithm: "aws:kms", kmsMasterKeyId: kmsKey },
            bucketKeyEnabled: kmsKey !== undefined,
          },
        ],
      },
      { ...child, dependsOn: [ownership] },
    );
    const policy = new s3.BucketPolicy(
      `${name}-policy`,
      {
        ...of,
        policy: this.bucket.arn.apply((arn) => document([denyPlainHttp(arn), ...(args.statements?.(arn) ?? [])])),
      },
      { ...child, dependsOn: [encryption] },
    );
    const lifecycle = new s3.BucketLifecycleConfiguration(
      `${name}-lifecycle`,
      { ...of, rules: [...args.rules] },
      { ...child, dependsOn: [policy] },
    );
    if (lock !== undefined) {
      new s3.BucketObjectLockConfiguration(
        `${name}-lock`,
        { ...of, rule: { defaultRetention: { mode: lock.mode, days: lock.days } } },
        { ...child, dependsOn: [lifecycle] },
      );
    }
    this.registerOutputs({ bucket: this.bucket.bucket, arn: this.bucket.arn });
  }
}

export const document = (statements: readonly Statement[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: statements });

/**
 * What one may do with a KMS key. IAM knows a key by its own ARN only: that of an alias is another thing, and as a
 * resource allows nothing.
 */
export function useOf(key: string, actions: readonly string[]): Statement {
  const [, account, alias] = /^(.*):(alias\/.*)$/.exec(key) ?? [];
  return {
    Effect: "Allow",
    Action: actions,
    ...(alias === undefined
      ? { Resource: key }
      : { Resource: `${account}:key/*`, Condition: { "ForAnyValue:StringEquals": { "kms:ResourceAliases": alias } } }),
  };
}

function denyPlainHttp(arn: string): Statement {
  return {
    Sid: "OnlyTls",
    Effect: "Deny",
    Principal: { AWS: "*" },
    Action: "s3:*",
    Resource: [arn, `${arn}/*`],
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
}
