import type { Provider } from "../plugin/resource.ts";
import { bucket } from "./bucket.ts";
import * as settings from "./bucketSettings.ts";
import { configSchema, configure } from "./clients.ts";
import { rolePolicy, userPolicy } from "./inlinePolicies.ts";
import { policy, role } from "./roles.ts";
import { accessKey, user } from "./users.ts";

/** The resources of Pulumi's own plugin "aws" that are stood in for here. */
export const provider: Provider = {
  name: "aws",
  version: "7.48.0",
  config: configSchema,
  configure: (config) => configure(config.values),
  resources: {
    "aws:s3/bucket:Bucket": bucket,
    "aws:s3/bucketVersioning:BucketVersioning": settings.versioning,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": settings.encryption,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": settings.publicAccessBlock,
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": settings.ownershipControls,
    "aws:s3/bucketPolicy:BucketPolicy": settings.policy,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": settings.lifecycle,
    "aws:s3/bucketLogging:BucketLogging": settings.logging,
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": settings.objectLock,
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": settings.replication,
    "aws:iam/user:User": user,
    "aws:iam/userPolicy:UserPolicy": userPolicy,
    "aws:iam/accessKey:AccessKey": accessKey,
    "aws:iam/role:Role": role,
    "aws:iam/rolePolicy:RolePolicy": rolePolicy,
    "aws:iam/policy:Policy": policy,
  },
};
