import * as sdk from "@aws-sdk/client-s3";
import { defined } from "../../lib/defined.ts";
import type { Resource } from "../plugin/resource.ts";
import type { Field, Schema } from "../plugin/schema.ts";
import { bool, inPlace, int, list, map, object, required, set, str, withDefault } from "../plugin/schema.ts";
import type { Value, Values } from "../plugin/values.ts";
import { ask, eventually, regionOf, s3 } from "./clients.ts";
import { asWritten, fromSdk, toSdk } from "./wire.ts";

interface Setting {
  /** For messages: "the lifecycle rules". */
  readonly what: string;
  /** Its inputs besides `bucket` and `region`; all are changed in place. */
  readonly fields: Schema;
  put(Bucket: string, inputs: Values): object;
  get(Bucket: string): object;
  /** The inputs in what `get` answered; undefined where it says that there is none. */
  from(answer: any): Values | undefined;
  /** What takes it away; undefined where the bucket has it as long as it lives. */
  remove(Bucket: string, state: Values): object | undefined;
}

/** A resource that is one setting of a bucket: the id is the bucket's name, and another bucket replaces it. */
function setting({ what, fields, put, get, from, remove }: Setting): Resource {
  const own = Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, inPlace(field)])) as Schema;
  const schema: Schema = { bucket: required(str), region: str, ...own };
  // The SDK's types can't say that a command and its answer belong together once they are in a table.
  const send = (inputs: Values, command: object): Promise<any> => s3(inputs).send(command as never);
  const outputs = (inputs: Values): Values => ({ ...inputs, region: regionOf(inputs) });
  return {
    schema,
    importable: true,
    computed: ["region"],
    async create(inputs, call) {
      const name = String(inputs.bucket);
      await eventually(`setting ${what} of bucket ${name}`, call.signal, () => send(inputs, put(name, inputs)));
      return { id: name, outputs: outputs(inputs) };
    },
    async read(id, inputs, state) {
      const answer = await ask(`reading ${what} of bucket ${id}`, () => send({ ...state, ...inputs }, get(id)));
      const found = answer === undefined ? undefined : from(answer);
      if (found === undefined) return undefined;
      const live = { bucket: id, ...defined({ region: inputs.region }), ...asWritten(schema, inputs, found) };
      return { inputs: live, outputs: { ...outputs({ ...state, ...live }), ...live } };
    },
    async update(id, _state, inputs, call) {
      await eventually(`changing ${what} of bucket ${id}`, call.signal, () => send(inputs, put(id, inputs)));
      return outputs(inputs);
    },
    async delete(id, state) {
      const command = remove(id, state);
      if (command !== undefined) await ask(`removing ${what} of bucket ${id}`, () => send(state, command));
    },
  };
}

const optional = (values: Record<string, Value | undefined>): Values =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Values;
const days: Schema = { days: int, date: str };
const filter: Field = object({
  prefix: str,
  objectSizeGreaterThan: int,
  objectSizeLessThan: int,
  tag: object({ key: required(str), value: required(str) }),
  and: object({ prefix: str, objectSizeGreaterThan: int, objectSizeLessThan: int, tags: map(str) }),
});

export const versioning = setting({
  what: "the versioning",
  fields: {
    versioningConfiguration: required(
      object({ status: { ...required(str), oneOf: ["Enabled", "Suspended", "Disabled"] } }),
    ),
  },
  put: (Bucket, { versioningConfiguration }) =>
    new sdk.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: toSdk(versioningConfiguration!) }),
  get: (Bucket) => new sdk.GetBucketVersioningCommand({ Bucket }),
  from: ({ Status }) => (Status === undefined ? undefined : { versioningConfiguration: { status: Status } }),
  // As the official plugin: versions that are there stay.
  remove: (Bucket, state) =>
    (state.versioningConfiguration as Values).status === "Enabled"
      ? new sdk.PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: "Suspended" } })
      : undefined,
});

export const encryption = setting({
  what: "the encryption",
  fields: {
    rules: required(
      set(
        object({
          applyServerSideEncryptionByDefault: object({ sseAlgorithm: required(str), kmsMasterKeyId: str }),
          bucketKeyEnabled: bool,
          blockedEncryptionTypes: list(str),
        }),
      ),
    ),
  },
  put: (Bucket, { rules }) =>
    new sdk.PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: toSdk({ rules: rules! }) }),
  get: (Bucket) => new sdk.GetBucketEncryptionCommand({ Bucket }),
  from: ({ ServerSideEncryptionConfiguration }) =>
    fromSdk({ Rules: ServerSideEncryptionConfiguration?.Rules ?? [] }) as Values,
  remove: (Bucket) => new sdk.DeleteBucketEncryptionCommand({ Bucket }),
});

const BLOCKS = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"] as const;
export const publicAccessBlock = setting({
  what: "the block of public access",
  fields: Object.fromEntries(BLOCKS.map((key) => [key, withDefault(bool, false)])),
  put: (Bucket, inputs) =>
    new sdk.PutPublicAccessBlockCommand({
      Bucket,
      PublicAccessBlockConfiguration: toSdk(Object.fromEntries(BLOCKS.map((key) => [key, inputs[key]!]))),
    }),
  get: (Bucket) => new sdk.GetPublicAccessBlockCommand({ Bucket }),
  from: ({ PublicAccessBlockConfiguration }) =>
    Object.fromEntries(
      BLOCKS.map((key) => [key, (fromSdk(PublicAccessBlockConfiguration ?? {}) as Values)[key] ?? false]),
    ),
  remove: (Bucket) => new sdk.DeletePublicAccessBlockCommand({ Bucket }),
});

export const ownershipControls = setting({
  what: "the ownership",
  fields: {
    rule: required(
      object({
        objectOwnership: { ...required(str), oneOf: ["BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"] },
      }),
    ),
  },
  put: (Bucket, { rule }) =>
    new sdk.PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls: toSdk({ rules: [rule!] }) }),
  get: (Bucket) => new sdk.GetBucketOwnershipControlsCommand({ Bucket }),
  from: ({ OwnershipControls }) => ({ rule: fromSdk(OwnershipControls?.Rules?.[0] ?? {}) }),
  remove: (Bucket) => new sdk.DeleteBucketOwnershipControlsCommand({ Bucket }),
});

export const policy = setting({
  what: "the policy",
  fields: { policy: required(str) },
  put: (Bucket, { policy }) => new sdk.PutBucketPolicyCommand({ Bucket, Policy: String(policy) }),
  get: (Bucket) => new sdk.GetBucketPolicyCommand({ Bucket }),
  from: ({ Policy }) => (Policy ? { policy: Policy } : undefined),
  remove: (Bucket) => new sdk.DeleteBucketPolicyCommand({ Bucket }),
});

export const lifecycle = setting({
  what: "the lifecycle rules",
  fields: {
    rules: required(
      list(
        object({
          id: required(str),
          status: { ...required(str), oneOf: ["Enabled", "Disabled"] },
          filter,
          prefix: str,
          abortIncompleteMultipartUpload: object({ daysAfterInitiation: int }),
          expiration: object({ ...days, expiredObjectDeleteMarker: bool }),
          noncurrentVersionExpiration: object({ noncurrentDays: required(int), newerNoncurrentVersions: int }),
          transitions: set(object({ ...days, storageClass: required(str) })),
          noncurrentVersionTransitions: set(
            object({ noncurrentDays: required(int), newerNoncurrentVersions: int, storageClass: required(str) }),
          ),
        }),
      ),
    ),
  },
  put: (Bucket, { rules }) =>
    new sdk.PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: toSdk({ rules: rules! }) }),
  get: (Bucket) => new sdk.GetBucketLifecycleConfigurationCommand({ Bucket }),
  from: ({ Rules }) => fromSdk({ Rules: Rules ?? [] }) as Values,
  remove: (Bucket) => new sdk.DeleteBucketLifecycleCommand({ Bucket }),
});

export const logging = setting({
  what: "the access log",
  fields: { targetBucket: required(str), targetPrefix: required(str) },
  put: (Bucket, { targetBucket, targetPrefix }) =>
    new sdk.PutBucketLoggingCommand({
      Bucket,
      BucketLoggingStatus: {
        LoggingEnabled: { TargetBucket: String(targetBucket), TargetPrefix: String(targetPrefix) },
      },
    }),
  get: (Bucket) => new sdk.GetBucketLoggingCommand({ Bucket }),
  from: ({ LoggingEnabled }) =>
    LoggingEnabled
      ? optional({ targetBucket: LoggingEnabled.TargetBucket, targetPrefix: LoggingEnabled.TargetPrefix })
      : undefined,
  remove: (Bucket) => new sdk.PutBucketLoggingCommand({ Bucket, BucketLoggingStatus: {} }),
});

export const objectLock = setting({
  what: "the object lock",
  fields: {
    rule: object({
      defaultRetention: required(
        object({ mode: { ...str, oneOf: ["GOVERNANCE", "COMPLIANCE"] }, days: int, years: int }),
      ),
    }),
  },
  put: (Bucket, { rule }) =>
    new sdk.PutObjectLockConfigurationCommand({
      Bucket,
      ObjectLockConfiguration: { ObjectLockEnabled: "Enabled", ...(rule === undefined ? {} : { Rule: toSdk(rule) }) },
    }),
  get: (Bucket) => new sdk.GetObjectLockConfigurationCommand({ Bucket }),
  from({ ObjectLockConfiguration: found }): Values | undefined {
    if (!found) return undefined;
    const { Mode, Days, Years } = found.Rule?.DefaultRetention ?? {};
    // Some services answer 0 for the one of the two that was not given.
    return Mode === undefined
      ? {}
      : { rule: { defaultRetention: optional({ mode: Mode, days: Days || undefined, years: Years || undefined }) } };
  },
  remove: (Bucket) =>
    new sdk.PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: { ObjectLockEnabled: "Enabled" } }),
});

const status = required(object({ status: required(str) }));
export const replication = setting({
  what: "the replication",
  fields: {
    role: required(str),
    rules: required(
      list(
        object({
          id: str,
          priority: int,
          status: required(str),
          filter: object({ prefix: str }),
          deleteMarkerReplication: object({ status: required(str) }),
          destination: required(
            object({
              bucket: required(str),
              storageClass: str,
              account: str,
              encryptionConfiguration: object({ replicaKmsKeyId: required(str) }),
            }),
          ),
          sourceSelectionCriteria: object({ sseKmsEncryptedObjects: status }),
        }),
      ),
    ),
  },
  put: (Bucket, { role, rules }) =>
    new sdk.PutBucketReplicationCommand({ Bucket, ReplicationConfiguration: toSdk({ role: role!, rules: rules! }) }),
  get: (Bucket) => new sdk.GetBucketReplicationCommand({ Bucket }),
  from: ({ ReplicationConfiguration }) =>
    ReplicationConfiguration
      ? (fromSdk({ Role: ReplicationConfiguration.Role, Rules: ReplicationConfiguration.Rules }) as Values)
      : undefined,
  remove: (Bucket) => new sdk.DeleteBucketReplicationCommand({ Bucket }),
});
