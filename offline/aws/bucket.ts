import {
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteBucketTaggingCommand,
  GetBucketTaggingCommand,
  GetObjectLockConfigurationCommand,
  HeadBucketCommand,
  PutBucketTaggingCommand,
} from "@aws-sdk/client-s3";
import type { Resource } from "../plugin/resource.ts";
import type { Schema } from "../plugin/schema.ts";
import { bool, inPlace, required, str, withDefault } from "../plugin/schema.ts";
import type { Values } from "../plugin/values.ts";
import { allTags, ask, regionOf, s3, TAGS, tagList, tell } from "./clients.ts";
import { asWritten } from "./wire.ts";

const schema: Schema = {
  bucket: { ...required(str), pattern: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/ },
  region: str,
  forceDestroy: withDefault(inPlace(bool), false),
  objectLockEnabled: withDefault(bool, false),
  tags: TAGS,
};

/** aws.s3.Bucket. The id is the name. What other resources say about the bucket (versions, encryption, …) is theirs. */
export const bucket: Resource = {
  schema,
  importable: true,
  computed: ["arn", "bucketDomainName", "bucketRegion", "bucketRegionalDomainName", "region", "tagsAll"],
  check(inputs) {
    return inputs.forceDestroy === true
      ? [{ property: "forceDestroy", reason: "the offline stand-in never empties a bucket: leave forceDestroy out" }]
      : [];
  },
  async create(inputs) {
    const [name, region] = [String(inputs.bucket), regionOf(inputs)];
    await tell(`creating bucket ${name} in ${region}`, () =>
      s3(inputs).send(
        new CreateBucketCommand({
          Bucket: name,
          ...(region === "us-east-1" ? {} : { CreateBucketConfiguration: { LocationConstraint: region as never } }),
          ...(inputs.objectLockEnabled === true ? { ObjectLockEnabledForBucket: true } : {}),
        }),
      ),
    );
    await putTags(name, inputs);
    return { id: name, outputs: outputsOf(name, inputs) };
  },
  async read(id, inputs, state) {
    const where = { ...state, ...inputs };
    const head = await ask(`reading bucket ${id}`, () => s3(where).send(new HeadBucketCommand({ Bucket: id })));
    if (head === undefined) return undefined;
    const tags = await ask(`reading the tags of bucket ${id}`, () =>
      s3(where).send(new GetBucketTaggingCommand({ Bucket: id })),
    );
    const lock = await ask(`reading the lock of bucket ${id}`, () =>
      s3(where).send(new GetObjectLockConfigurationCommand({ Bucket: id })),
    );
    const now = asWritten(schema, inputs, {
      bucket: id,
      region: head.BucketRegion ?? regionOf(where),
      forceDestroy: inputs.forceDestroy ?? false,
      objectLockEnabled: lock?.ObjectLockConfiguration?.ObjectLockEnabled === "Enabled",
      tags: Object.fromEntries((tags?.TagSet ?? []).map(({ Key = "", Value = "" }) => [Key, Value])),
    });
    const { region, ...rest } = now;
    const live = inputs.region === undefined && Object.keys(inputs).length > 0 ? rest : { ...rest, region: region! };
    return { inputs: live, outputs: outputsOf(id, { ...live, region: region! }) };
  },
  async update(id, _state, inputs) {
    await putTags(id, inputs);
    return outputsOf(id, inputs);
  },
  async delete(id, state) {
    await ask(`deleting bucket ${id}`, () => s3(state).send(new DeleteBucketCommand({ Bucket: id })));
  },
};

async function putTags(name: string, inputs: Values): Promise<void> {
  const TagSet = tagList(inputs);
  await tell(`tagging bucket ${name}`, () =>
    TagSet.length === 0
      ? s3(inputs).send(new DeleteBucketTaggingCommand({ Bucket: name }))
      : s3(inputs).send(new PutBucketTaggingCommand({ Bucket: name, Tagging: { TagSet } })),
  );
}

function outputsOf(name: string, inputs: Values): Values {
  const region = regionOf(inputs);
  return {
    ...inputs,
    bucket: name,
    region,
    bucketRegion: region,
    arn: `arn:aws:s3:::${name}`,
    tagsAll: allTags(inputs),
    bucketDomainName: `${name}.s3.amazonaws.com`,
    bucketRegionalDomainName: `${name}.s3.${region}.amazonaws.com`,
  };
}
