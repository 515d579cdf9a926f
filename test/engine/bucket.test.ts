import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import * as iam from "@aws-sdk/client-iam";
import * as sdk from "@aws-sdk/client-s3";
import { lifecycleRules } from "../../components/backupLifecycle.ts";
import { settingsSchema } from "../../config/schema.ts";
import { fromSdk, sameJson } from "../../offline/aws/wire.ts";
import { Moto } from "../support/moto.ts";
import { type Result, Stack } from "../support/offline/engine.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const NAME = "shop-backups";

/** All settings of a bucket, with defaults. */
const settingsOf = (given: Record<string, unknown>) =>
  settingsSchema.shape.bucket.parse({ name: NAME, region: "eu-central-1", ...given });

describe("the backup bucket, under the real engine, in moto", function () {
  this.timeout(300_000);
  let moto: Moto;
  let stack: Stack;
  const stacks: Stack[] = [];
  const client = (credentials = { accessKeyId: "test", secretAccessKey: "test" }, region = "eu-central-1") =>
    new sdk.S3Client({ endpoint: moto.url, region, forcePathStyle: true, credentials });
  const ask = (command: object, region?: string): Promise<any> => client(undefined, region).send(command as never);
  const env = () => ({ ...moto.env, AWS_REGION: "", AWS_PROFILE: "" });
  const up = (...args: string[]): Promise<Result> =>
    stack.with(env(), "up", "--yes", "--skip-preview", "--policy-pack", join(ROOT, "policies"), ...args);

  /** A stack of its own, with an empty state. */
  async function another(): Promise<void> {
    stacks.push((stack = await Stack.create("")));
    writeFileSync(
      join(stack.folder, "Pulumi.yaml"),
      "name: tiny\nruntime:\n  name: nodejs\n  options: { typescript: false, nodeargs: --import tsx }\n",
    );
    writeFileSync(join(stack.folder, "package.json"), '{ "type": "module", "main": "index.ts" }');
  }

  /** The component alone, as index.ts makes it. */
  function use(given: Record<string, unknown>): void {
    writeFileSync(
      join(stack.folder, "index.ts"),
      `
      import { BackupBucket } from ${JSON.stringify(join(ROOT, "components/backupBucket.ts"))};
      const settings = ${JSON.stringify(settingsOf({ endpoint: moto.url, ...given }))};
      const stack = { stack: "test", stage: "staging", prefix: "" };
      const made = new BackupBucket("backup-bucket", { stack, bucket: settings } as never);
      export const { bucket } = made;
      export const { accessKeyId, secretAccessKey } = made.identity;
    `,
    );
  }

  before(async () => {
    moto = await Moto.start();
    await another();
  });
  after(async () => {
    for (const one of stacks) await one.remove();
    moto?.remove();
  });

  it("is made without a finding of the policies, and is what the settings say, read back through S3", async () => {
    use({});
    const made = await up();
    assert.equal(made.code, 0, made.output);
    assert.doesNotMatch(made.output, /\[(mandatory|advisory)\]/);
    for (const bucket of [NAME, `${NAME}-logs`]) await isPrivate(bucket);
    await rulesAre({});
    assert.deepEqual((await ask(new sdk.GetBucketLoggingCommand({ Bucket: NAME }))).LoggingEnabled, {
      TargetBucket: `${NAME}-logs`,
      TargetPrefix: `${NAME}/`,
    });
  });

  async function isPrivate(Bucket: string, region?: string): Promise<void> {
    assert.equal((await ask(new sdk.GetBucketVersioningCommand({ Bucket }), region)).Status, "Enabled");
    const [rule] = (await ask(new sdk.GetBucketEncryptionCommand({ Bucket }), region)).ServerSideEncryptionConfiguration
      .Rules;
    assert.equal(rule.ApplyServerSideEncryptionByDefault.SSEAlgorithm, "AES256");
    assert.deepEqual(
      (await ask(new sdk.GetPublicAccessBlockCommand({ Bucket }), region)).PublicAccessBlockConfiguration,
      { BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true },
    );
    assert.deepEqual(
      (await ask(new sdk.GetBucketOwnershipControlsCommand({ Bucket }), region)).OwnershipControls.Rules,
      [{ ObjectOwnership: "BucketOwnerEnforced" }],
    );
    const { Statement } = JSON.parse((await ask(new sdk.GetBucketPolicyCommand({ Bucket }), region)).Policy);
    assert.deepEqual(Statement[0], {
      Sid: "OnlyTls",
      Effect: "Deny",
      Principal: { AWS: "*" },
      Action: "s3:*",
      Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`],
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    });
  }

  async function rulesAre(given: Record<string, unknown>): Promise<void> {
    const { Rules } = await ask(new sdk.GetBucketLifecycleConfigurationCommand({ Bucket: NAME }));
    const wanted = lifecycleRules(settingsOf(given));
    assert.equal(Rules.length, wanted.length);
    for (const [index, rule] of wanted.entries())
      assert.ok(
        sameJson(JSON.stringify(fromSdk(Rules[index])), JSON.stringify(rule)),
        `${JSON.stringify(fromSdk(Rules[index]))} is not ${JSON.stringify(rule)}`,
      );
  }

  it("has nothing to change afterwards, in a preview and in a refresh", async () => {
    const preview = await stack.with(env(), "preview", "--diff");
    assert.match(preview.output, /\d+ unchanged/);
    assert.doesNotMatch(preview.output, /to (update|replace|create|delete)/, preview.output);
    const refresh = await stack.with(env(), "refresh", "--yes", "--skip-preview", "--diff");
    assert.equal(refresh.code, 0, refresh.output);
    assert.doesNotMatch(refresh.output, /\d+ (updated|deleted)/, refresh.output);
  });

  it("keeps the key's secret encrypted in the state", async () => {
    const { secretAccessKey } = await stack.outputs();
    assert.match(secretAccessKey, /^\S{40}$/);
    assert.ok(!stack.state().includes(secretAccessKey));
  });

  it("changes lifecycle rules in place when the settings change, and the bucket not at all", async () => {
    const given = { retentionDays: 45, coldAfter: 120, laravelArchiveAfter: 0 };
    use(given);
    const changed = await up();
    assert.equal(changed.code, 0, changed.output);
    assert.match(changed.output, /2 updated/);
    assert.doesNotMatch(changed.output, /replaced/);
    await rulesAre(given);
  });

  it("is put right again when somebody has opened it by hand", async () => {
    await ask(new sdk.DeletePublicAccessBlockCommand({ Bucket: NAME }));
    await ask(new sdk.PutBucketVersioningCommand({ Bucket: NAME, VersioningConfiguration: { Status: "Suspended" } }));
    const refresh = await stack.with(env(), "refresh", "--yes", "--skip-preview");
    assert.match(refresh.output, /1 updated/);
    assert.match(refresh.output, /1 deleted/);
    const fixed = await up();
    assert.equal(fixed.code, 0, fixed.output);
    assert.equal((await ask(new sdk.GetBucketVersioningCommand({ Bucket: NAME }))).Status, "Enabled");
    assert.equal(
      (await ask(new sdk.GetPublicAccessBlockCommand({ Bucket: NAME }))).PublicAccessBlockConfiguration
        .BlockPublicPolicy,
      true,
    );
  });

  it("denies plain HTTP, even to its owner", async () => {
    await assert.rejects(
      ask(new sdk.PutObjectCommand({ Bucket: NAME, Key: "backups/config", Body: "x" })),
      ({ $metadata }) => $metadata.httpStatusCode === 403,
    );
  });

  it("is not destroyed: it is protected, and what it holds stays", async () => {
    // moto speaks plain HTTP only.
    await ask(new sdk.DeleteBucketPolicyCommand({ Bucket: NAME }));
    await ask(new sdk.PutObjectCommand({ Bucket: NAME, Key: "backups/config", Body: "x" }));
    const destroyed = await stack.with(env(), "destroy", "--yes", "--skip-preview");
    assert.notEqual(destroyed.code, 0);
    assert.match(destroyed.output, /protect/);
    assert.equal((await ask(new sdk.ListObjectVersionsCommand({ Bucket: NAME }))).Versions.length, 1);
  });

  it("lets the agent's key do what the agent does, and nothing else", async () => {
    await up(); // what the refused destroy had taken away before it came to the bucket
    await ask(new sdk.DeleteBucketPolicyCommand({ Bucket: NAME })).catch(() => undefined);
    const { accessKeyId, secretAccessKey } = await stack.outputs();
    const agent = client({ accessKeyId, secretAccessKey });
    const may = (command: object): Promise<"yes" | number> =>
      agent.send(command as never).then(
        () => "yes",
        ({ $metadata }) => $metadata.httpStatusCode,
      );
    await fetch(`${moto.url}/moto-api/reset-auth`, { method: "POST", body: "0" });
    try {
      for (const Key of ["backups/repository/data/00/1", "binlogs/binlog.000001/4", "restore/x", "latest"])
        assert.equal(await may(new sdk.PutObjectCommand({ Bucket: NAME, Key, Body: "x" })), "yes", Key);
      assert.equal(await may(new sdk.GetObjectCommand({ Bucket: NAME, Key: "latest" })), "yes");
      assert.equal(await may(new sdk.ListObjectsV2Command({ Bucket: NAME, Prefix: "backups/" })), "yes");
      assert.equal(
        await may(new sdk.DeleteObjectCommand({ Bucket: NAME, Key: "backups/repository/data/00/1" })),
        "yes",
      );
      assert.equal(await may(new sdk.PutObjectCommand({ Bucket: NAME, Key: "laravel-backups/x.zip", Body: "x" })), 403);
      assert.equal(await may(new sdk.PutObjectCommand({ Bucket: `${NAME}-logs`, Key: "x", Body: "x" })), 403);
      assert.equal(await may(new sdk.DeleteObjectCommand({ Bucket: NAME, Key: "latest", VersionId: "null" })), 403);
      assert.equal(
        await may(
          new sdk.PutBucketVersioningCommand({ Bucket: NAME, VersioningConfiguration: { Status: "Suspended" } }),
        ),
        403,
      );
      assert.equal(await may(new sdk.DeleteBucketPolicyCommand({ Bucket: NAME })), 403);
    } finally {
      await fetch(`${moto.url}/moto-api/reset-auth`, { method: "POST", body: "Infinity" });
    }
  });

  it("copies everything to another region, and locks what is written, where that is set", async () => {
    const other = {
      name: "locked-backups",
      replica: { name: "locked-backups-copy", region: "eu-west-1" },
      lockDays: 7,
      lockMode: "compliance",
      identity: "policy",
    };
    await another();
    use(other);
    const made = await up();
    assert.equal(made.code, 0, made.output);
    await isPrivate("locked-backups");
    await isPrivate("locked-backups-copy", "eu-west-1");
    for (const [Bucket, region] of [
      ["locked-backups", "eu-central-1"],
      ["locked-backups-copy", "eu-west-1"],
    ] as const) {
      assert.deepEqual(
        (await ask(new sdk.GetObjectLockConfigurationCommand({ Bucket }), region)).ObjectLockConfiguration.Rule
          .DefaultRetention.Days,
        7,
      );
    }
    const { ReplicationConfiguration } = await ask(new sdk.GetBucketReplicationCommand({ Bucket: "locked-backups" }));
    assert.deepEqual(
      [ReplicationConfiguration.Rules[0].Status, ReplicationConfiguration.Rules[0].Destination.Bucket],
      ["Enabled", "arn:aws:s3:::locked-backups-copy"],
    );
    assert.deepEqual(Object.keys(await stack.outputs()), ["bucket"]);
  });

  it("is encrypted with a KMS key where one is named, and lets the agent use that key and no other one", async () => {
    const kms = await fetch(moto.url, {
      method: "POST",
      body: "{}",
      headers: {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "TrentService.CreateKey",
        authorization:
          "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/kms/aws4_request, SignedHeaders=host, Signature=0",
      },
    });
    const { Arn: key } = ((await kms.json()) as { KeyMetadata: { Arn: string } }).KeyMetadata;
    await another();
    use({ name: "kms-backups", kmsKey: key, accessLogs: false });
    const made = await up();
    assert.equal(made.code, 0, made.output);
    assert.doesNotMatch(made.output, /\[(mandatory|advisory)\]/);
    const { Rules } = (await ask(new sdk.GetBucketEncryptionCommand({ Bucket: "kms-backups" })))
      .ServerSideEncryptionConfiguration;
    assert.deepEqual(
      Rules.map((rule: any) => [rule.ApplyServerSideEncryptionByDefault, rule.BucketKeyEnabled]),
      [[{ SSEAlgorithm: "aws:kms", KMSMasterKeyID: key }, true]],
    );
    const preview = await stack.with(env(), "preview", "--diff");
    assert.doesNotMatch(preview.output, /to (update|replace|create|delete)/, preview.output);
    const refresh = await stack.with(env(), "refresh", "--yes", "--skip-preview", "--diff");
    assert.equal(refresh.code, 0, refresh.output);
    assert.doesNotMatch(refresh.output, /\d+ (updated|deleted)/, refresh.output);

    await ask(new sdk.DeleteBucketPolicyCommand({ Bucket: "kms-backups" })); // moto speaks plain HTTP only
    const credentials = (await stack.outputs()) as { accessKeyId: string; secretAccessKey: string };
    const agent = client(credentials);
    await agent.send(new sdk.PutObjectCommand({ Bucket: "kms-backups", Key: "backups/config", Body: "x" }));
    const { ServerSideEncryption, SSEKMSKeyId, Body } = await agent.send(
      new sdk.GetObjectCommand({ Bucket: "kms-backups", Key: "backups/config" }),
    );
    assert.deepEqual([ServerSideEncryption, SSEKMSKeyId, await Body!.transformToString()], ["aws:kms", key, "x"]);
    // moto asks about no key when it judges a policy, so the policy itself is read back.
    const identity = new iam.IAMClient({
      endpoint: moto.url,
      region: "eu-central-1",
      credentials: { accessKeyId: "test", secretAccessKey: "test" },
    });
    const { UserName } = await identity.send(
      new iam.GetAccessKeyLastUsedCommand({ AccessKeyId: credentials.accessKeyId }),
    );
    const { PolicyNames } = await identity.send(new iam.ListUserPoliciesCommand({ UserName }));
    const policies = await Promise.all(
      PolicyNames!.map((PolicyName) => identity.send(new iam.GetUserPolicyCommand({ UserName, PolicyName }))),
    );
    const statements = policies.flatMap(
      ({ PolicyDocument }) => JSON.parse(decodeURIComponent(PolicyDocument!)).Statement,
    );
    assert.deepEqual(
      statements.filter(({ Action }) => /kms/.test(JSON.stringify(Action))),
      [{ Sid: "Key", Effect: "Allow", Action: ["kms:Decrypt", "kms:GenerateDataKey"], Resource: key }],
    );
  });

  it("says what to do where AWS doesn't answer, or has no credentials", async () => {
    await another();
    use({ name: "another-bucket", endpoint: "http://127.0.0.1:9", accessLogs: false });
    const nobody = await up();
    assert.match(
      nobody.output,
      /creating bucket another-bucket in eu-central-1: ECONNREFUSED.*check the provider's `endpoints`/s,
    );
    const without = await stack.with(
      { ...env(), AWS_ACCESS_KEY_ID: "", AWS_SECRET_ACCESS_KEY: "", HOME: stack.folder },
      "up",
      "--yes",
      "--skip-preview",
    );
    assert.match(without.output, /CredentialsProviderError.*export AWS_ACCESS_KEY_ID/s);
  });
});
