import * as iam from "@pulumi/aws/iam/index.js";
import * as pulumi from "@pulumi/pulumi";
import { document, useOf } from "./privateBucket.ts";

/** Where in the bucket the agent is at home; `laravel-backups/` is the application's own. */
const PREFIXES = ["backups", "binlogs", "restore"] as const;

export interface BackupIdentityArgs {
  readonly arn: pulumi.Output<string>;
  readonly kmsKey: string | undefined;
  readonly kind: "user" | "policy";
  /** What the policy is named after: the bucket. */
  readonly label: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** Who the agent is to AWS: a user with a key, or a policy for the role that the host has. */
export class BackupIdentity extends pulumi.ComponentResource {
  readonly accessKeyId?: pulumi.Output<string>;
  readonly secretAccessKey?: pulumi.Output<string>;
  /** To be attached to the host's role; only where no user is made. */
  readonly policyArn?: pulumi.Output<string>;

  constructor(
    name: string,
    { arn, kmsKey, kind, label, tags }: BackupIdentityArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("drydock:index:BackupIdentity", name, {}, options);
    const policy = arn.apply((arn) => document(statements(arn, kmsKey)));
    const child = { parent: this };
    if (kind === "policy") {
      this.policyArn = new iam.Policy(
        name,
        { description: `What the backup agent may do in ${label}`, policy, tags: { ...tags } },
        child,
      ).arn;
    } else {
      const user = new iam.User(name, { path: "/drydock/", tags: { ...tags } }, child);
      new iam.UserPolicy(name, { user: user.name, policy }, child);
      const key = new iam.AccessKey(name, { user: user.name }, child);
      this.accessKeyId = key.id;
      this.secretAccessKey = pulumi.secret(key.secret);
    }
    this.registerOutputs({ policyArn: this.policyArn ?? "" });
  }
}

/**
 * What the agent does, and no more: it lists, reads, writes and deletes in its own part of the bucket. It may not
 * delete a version, nor change the bucket: who steals the key can hide backups, and can destroy none.
 */
export function statements(arn: string, kmsKey?: string): readonly Readonly<Record<string, unknown>>[] {
  const objects = [...PREFIXES.map((prefix) => `${arn}/${prefix}/*`), `${arn}/latest`];
  return [
    {
      Sid: "List",
      Effect: "Allow",
      Action: ["s3:ListBucket"],
      Resource: arn,
      // `IfExists`: asking whether the bucket is there has no prefix.
      Condition: {
        StringLikeIfExists: { "s3:prefix": [...PREFIXES.flatMap((prefix) => [prefix, `${prefix}/*`]), "latest"] },
      },
    },
    { Sid: "Where", Effect: "Allow", Action: ["s3:GetBucketLocation"], Resource: arn },
    {
      Sid: "Objects",
      Effect: "Allow",
      Action: ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
      Resource: objects,
    },
    ...(kmsKey === undefined ? [] : [{ Sid: "Key", ...useOf(kmsKey, ["kms:Decrypt", "kms:GenerateDataKey"]) }]),
  ];
}
