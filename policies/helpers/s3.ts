import type { Resource } from "./resources.ts";
import type { Stack } from "./stack.ts";
import { isUnknown, propertyAt, text } from "./values.ts";

// By type token: @pulumi/aws is not needed to check a program that uses it. V2 names are those of version 6.
export const BUCKETS = ["aws:s3/bucket:Bucket", "aws:s3/bucketV2:BucketV2"];
export const ACLS = ["aws:s3/bucketAcl:BucketAcl", "aws:s3/bucketAclV2:BucketAclV2"];
export const OWNERSHIP = "aws:s3/bucketOwnershipControls:BucketOwnershipControls";
export const PUBLIC_ACCESS = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock";
export const ACCOUNT_PUBLIC_ACCESS = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock";
export const POLICY = "aws:s3/bucketPolicy:BucketPolicy";
export const LIFECYCLE = [
  "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration",
  "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2",
];
export const VERSIONING = ["aws:s3/bucketVersioning:BucketVersioning", "aws:s3/bucketVersioningV2:BucketVersioningV2"];
export const ENCRYPTION = [
  "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2",
];

/** What speaks about a bucket: certainly, and perhaps (its `bucket` is not known yet, nor where it comes from). */
export interface Joined {
  readonly sure: readonly Resource[];
  readonly perhaps: readonly Resource[];
}

/**
 * The resources of these types that belong to a bucket: by the graph, which knows before the bucket has a name, else by
 * the name.
 */
export function ofBucket(stack: Stack, bucket: Resource, types: readonly string[]): Joined {
  const names = [text(propertyAt(bucket.props, "bucket")), text(propertyAt(bucket.props, "id"))].filter(
    (name) => typeof name === "string",
  );
  const sure: Resource[] = [];
  const perhaps: Resource[] = [];
  for (const resource of stack.ofType(...types)) {
    const origin =
      resource.propertyDependencies["bucket"]?.filter((urn) => BUCKETS.some((type) => urn.includes(type))) ?? [];
    const name = text(propertyAt(resource.props, "bucket"));
    if (origin.includes(bucket.urn) || (typeof name === "string" && names.includes(name))) sure.push(resource);
    else if (origin.length === 0 && (isUnknown(name) || (typeof name === "string" && names.length === 0)))
      perhaps.push(resource);
  }
  return { sure, perhaps };
}
