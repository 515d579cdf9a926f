import * as iam from "@pulumi/aws/iam/index.js";
import { Provider } from "@pulumi/aws/provider.js";
import * as s3 from "@pulumi/aws/s3/index.js";
import * as pulumi from "@pulumi/pulumi";
import type { Settings } from "../config/settings.ts";
import { defined } from "../lib/defined.ts";
import { BackupIdentity } from "./backupIdentity.ts";
import { lifecycleRules, logRules } from "./backupLifecycle.ts";
import { document, PrivateBucket, useOf } from "./privateBucket.ts";
import type { StackIdentity } from "./stack.ts";

type BucketSettings = Settings["bucket"];

export interface BackupBucketArgs {
  readonly stack: StackIdentity;
  /** `drydock:bucket`: its name and region may not be missing; ages in days. */
  readonly bucket: BucketSettings;
}

/**
 * The S3 bucket for a stack's backups, with what belongs to it: the agent's identity, access logs, a copy in another
 * region. laravelStack.ts loads this file, and @pulumi/aws with it, only where `bucket.name` is set.
 */
export class BackupBucket extends pulumi.ComponentResource {
  readonly bucket: pulumi.Output<string>;
  /** Who may write backups to it; without a key where the host has a role. */
  readonly identity: BackupIdentity;

  constructor(name: string, { stack, bucket }: BackupBucketArgs, options?: pulumi.ComponentResourceOptions) {
    if (bucket.name === undefined || bucket.region === undefined)
      throw new Error("drydock:bucket.name and drydock:bucket.region make a bucket; neither may be missing");
    super(
      "drydock:index:BackupBucket",
      name,
      {},
      { ...options, providers: { aws: providerOf(`${stack.prefix}aws`, bucket) } },
    );
    const tags = { "drydock.stack": stack.stack };
    const child = { parent: this };
    const days = lockDaysOf(stack, bucket);
    const mode = bucket.lockMode === "compliance" ? ("COMPLIANCE" as const) : ("GOVERNANCE" as const);
    const lock = days === 0 ? undefined : { days, mode };
    const rules = lifecycleRules(bucket);

    const main = new PrivateBucket(
      name,
      { bucket: bucket.name, region: bucket.region, kmsKey: bucket.kmsKey, rules, lock, tags },
      child,
    );
    this.bucket = main.bucket.bucket;
    if (bucket.accessLogs) this.#logs(name, main, bucket.name, bucket, tags);
    if (bucket.replica !== undefined) {
      const { name: copyName, region, kmsKey } = bucket.replica;
      const copy = new PrivateBucket(`${name}-replica`, { bucket: copyName, region, kmsKey, rules, lock, tags }, child);
      this.#replicate(name, main, copy, { from: bucket.kmsKey, to: kmsKey }, tags);
    }
    this.identity = new BackupIdentity(
      `${name}-agent`,
      { arn: main.bucket.arn, kmsKey: bucket.kmsKey, kind: bucket.identity, label: bucket.name, tags },
      child,
    );
    this.registerOutputs({ bucket: this.bucket });
  }

  /** S3 writes the logs itself, which the log bucket's policy allows for this one bucket. */
  #logs(
    name: string,
    main: PrivateBucket,
    source: string,
    { region, retentionDays }: BucketSettings,
    tags: Readonly<Record<string, string>>,
  ): void {
    const logs = new PrivateBucket(
      `${name}-logs`,
      {
        bucket: `${source}-logs`,
        region,
        rules: logRules(retentionDays),
        tags,
        statements: (arn) => [
          {
            Sid: "AccessLogs",
            Effect: "Allow",
            Principal: { Service: "logging.s3.amazonaws.com" },
            Action: "s3:PutObject",
            Resource: `${arn}/*`,
            Condition: { ArnLike: { "aws:SourceArn": arn.replace(/[^:]+$/, source) } },
          },
        ],
      },
      { parent: this },
    );
    new s3.BucketLogging(
      `${name}-logging`,
      {
        bucket: main.bucket.bucket,
        ...defined({ region }),
        targetBucket: logs.bucket.bucket,
        targetPrefix: `${source}/`,
      },
      { parent: this, dependsOn: [main, logs] },
    );
  }

  #replicate(
    name: string,
    main: PrivateBucket,
    copy: PrivateBucket,
    keys: { from: string | undefined; to: string | undefined },
    tags: Readonly<Record<string, string>>,
  ): void {
    const role = new iam.Role(
      `${name}-replication`,
      {
        assumeRolePolicy: document([
          { Effect: "Allow", Principal: { Service: "s3.amazonaws.com" }, Action: "sts:AssumeRole" },
        ]),
        tags: { ...tags },
      },
      { parent: this },
    );
    const policy = new iam.RolePolicy(
      `${name}-replication`,
      {
        role: role.name,
        policy: pulumi.all([main.bucket.arn, copy.bucket.arn]).apply(([from, to]) =>
          document([
            { Effect: "Allow", Action: ["s3:GetReplicationConfiguration", "s3:ListBucket"], Resource: from },
            {
              Effect: "Allow",
              Action: [
                "s3:GetObjectVersionForReplication",
                "s3:GetObjectVersionAcl",
                "s3:GetObjectVersionTagging",
                "s3:GetObjectRetention",
                "s3:GetObjectLegalHold",
              ],
              Resource: `${from}/*`,
            },
            {
              Effect: "Allow",
              Action: ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"],
              Resource: `${to}/*`,
            },
            ...(keys.from === undefined ? [] : [useOf(keys.from, ["kms:Decrypt"])]),
            ...(keys.to === undefined ? [] : [useOf(keys.to, ["kms:Encrypt"])]),
          ]),
        ),
      },
      { parent: this },
    );
    const { to } = keys;
    new s3.BucketReplicationConfig(
      `${name}-replication`,
      {
        bucket: main.bucket.bucket,
        region: main.bucket.region,
        role: role.arn,
        rules: [
          {
            id: "everything",
            status: "Enabled",
            priority: 1,
            filter: { prefix: "" },
            // A deletion is not copied as the removal of a version: the copy keeps the earlier versions as long as the
            // bucket does.
            deleteMarkerReplication: { status: "Enabled" },
            destination: {
              bucket: copy.bucket.arn,
              storageClass: "STANDARD_IA",
              ...(to === undefined ? {} : { encryptionConfiguration: { replicaKmsKeyId: to } }),
            },
            ...(to === undefined ? {} : { sourceSelectionCriteria: { sseKmsEncryptedObjects: { status: "Enabled" } } }),
          },
        ],
      },
      { parent: this, dependsOn: [main.versioning, copy.versioning, policy] },
    );
  }
}

/**
 * For how long nobody can remove what was written; 0 for no lock. In production as long as what is deleted can be
 * restored: otherwise whoever has the agent's key, or AWS itself after that time, ends the backups.
 */
export function lockDaysOf(
  { stage }: Pick<StackIdentity, "stage">,
  bucket: Pick<BucketSettings, "lockDays" | "retentionDays">,
): number {
  return bucket.lockDays ?? (stage === "production" ? bucket.retentionDays : 0);
}

/** AWS with the credentials that its own tools use; somebody else's service is not asked for what only AWS has. */
function providerOf(name: string, { region, endpoint }: BucketSettings): Provider {
  return new Provider(name, {
    ...defined({ region }),
    ...(endpoint === undefined
      ? {}
      : {
          endpoints: [{ s3: endpoint, iam: endpoint, sts: endpoint }],
          s3UsePathStyle: true,
          skipCredentialsValidation: true,
          skipMetadataApiCheck: true,
          skipRegionValidation: true,
          skipRequestingAccountId: true,
        }),
  });
}
