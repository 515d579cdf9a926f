import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { lockDaysOf } from "../../../components/backupBucket.ts";
import { statements } from "../../../components/backupIdentity.ts";
import { lifecycleRules, logRules } from "../../../components/backupLifecycle.ts";
import { settingsSchema } from "../../../config/schema.ts";
import { parseSettings } from "../../../config/settings.ts";
import { stageOf } from "../../../config/stage.ts";
import { configuration, runProgram } from "../../support/components/program.ts";
import { having, problemsOf, valid } from "../../support/config/fixtures.ts";

const bucket = (given: Record<string, unknown> = {}) =>
  settingsSchema.shape.bucket.parse({ name: "shop-backups", region: "eu-central-1", ...given });

describe("the backup bucket", function () {
  this.timeout(60_000);

  it("is not there, and AWS's SDK is not loaded, where no bucket is named", () => {
    const program = `
      const { runProgram, configuration } = await import("./test/support/components/program.ts");
      const { resources } = await runProgram(configuration());
      const { createRequire } = await import("node:module");
      const loaded = Object.keys(createRequire(import.meta.url).cache).filter((file) =>
        /@pulumi.aws|@aws-sdk/.test(file));
      console.log(JSON.stringify({ loaded, aws: resources.filter(({ type }) => type.includes("aws")) }));
      process.exit(0);`;
    const { stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
      encoding: "utf8",
      cwd: new URL("../../../", import.meta.url),
    });
    assert.deepEqual(JSON.parse(stdout || "null"), { loaded: [], aws: [] }, stderr);
  });

  it("is registered with everything that belongs to it, protected", async () => {
    const { resources } = await runProgram(
      configuration({
        bucket: {
          name: "shop-backups",
          region: "eu-central-1",
          lockDays: 14,
          replica: { name: "shop-copy", region: "eu-west-1" },
        },
      }),
    );
    const found = resources.filter(({ type }) => type.startsWith("aws:"));
    const names = (type: string) =>
      found
        .filter((one) => one.type.endsWith(`:${type}`))
        .map(({ name }) => name)
        .sort();
    for (const type of [
      "Bucket",
      "BucketVersioning",
      "BucketPublicAccessBlock",
      "BucketOwnershipControls",
      "BucketServerSideEncryptionConfiguration",
      "BucketPolicy",
      "BucketLifecycleConfiguration",
    ]) {
      assert.equal(names(type).length, 3, type);
    }
    const buckets = found.filter(({ type }) => type === "aws:s3/bucket:Bucket");
    assert.deepEqual(
      buckets
        .map(({ inputs, protect }) => [
          inputs.bucket,
          inputs.region,
          inputs.forceDestroy,
          inputs.objectLockEnabled,
          protect,
        ])
        .sort(),
      [
        ["shop-backups", "eu-central-1", false, true, true],
        ["shop-backups-logs", "eu-central-1", false, false, true],
        ["shop-copy", "eu-west-1", false, true, true],
      ],
    );
    assert.deepEqual(names("BucketObjectLockConfiguration"), ["backup-bucket-lock", "backup-bucket-replica-lock"]);
    assert.deepEqual(names("AccessKey"), ["backup-bucket-agent"]);
    const agent = resources.find(({ name }) => name === "backup-agent");
    assert.ok(agent?.after.includes("backup-bucket-agent"), "the agent waits for its key");
    const settings = JSON.parse(
      agent?.inputs.uploads.find(({ file }: { file: string }) => file.endsWith("/backup.json")).content,
    );
    assert.deepEqual(settings.s3, { bucket: "shop-backups", region: "eu-central-1", prefix: "" });
    const replication = found.find(({ type }) => type.endsWith("BucketReplicationConfig"));
    for (const name of ["backup-bucket-versioning", "backup-bucket-replica-versioning", "backup-bucket-replication"])
      assert.ok(replication?.after.includes(name), name);
  });

  it("has no user where the host's role writes", async () => {
    const { resources } = await runProgram(
      configuration({
        bucket: { name: "shop-backups", region: "eu-central-1", identity: "policy", accessLogs: false },
        backup: { hostRole: true },
      }),
    );
    assert.deepEqual(
      resources.filter(({ type }) => type.startsWith("aws:iam")).map(({ type }) => type),
      ["aws:iam/policy:Policy"],
    );
    assert.equal(resources.filter(({ type }) => type === "aws:s3/bucket:Bucket").length, 1);
  });

  it("never lets objects of the repository or the binary logs expire by their age", () => {
    const rules = lifecycleRules(bucket({ retentionDays: 60 }));
    for (const { filter, expiration } of rules) {
      const prefix = (filter as { prefix: string }).prefix;
      const days = (expiration as { days?: number } | undefined)?.days;
      if (["", "backups/repository/data/"].includes(prefix)) assert.equal(days, undefined, prefix);
      else assert.ok(days !== undefined && days >= 60, prefix);
    }
    assert.deepEqual(rules[0]?.noncurrentVersionExpiration, { noncurrentDays: 60 });
    assert.deepEqual(rules[1]?.transitions, [
      { days: 30, storageClass: "STANDARD_IA" },
      { days: 90, storageClass: "GLACIER_IR" },
    ]);
    assert.deepEqual(logRules(60)[0]?.expiration, { days: 60 });
  });

  it("leaves out the classes that are switched off", () => {
    assert.deepEqual(
      lifecycleRules(bucket({ infrequentAfter: 0, coldAfter: 0, laravelArchiveAfter: 0 })).map(
        ({ id, transitions }) => [id, transitions],
      ),
      [
        ["tidy", undefined],
        ["laravel-backups", undefined],
        ["restore", undefined],
      ],
    );
  });

  it("lets the agent write in its own part of the bucket, and delete no version", () => {
    const all = statements("arn:aws:s3:::b", "arn:aws:kms:eu-central-1:123456789012:key/k");
    assert.deepEqual(all.flatMap(({ Action }) => Action).sort(), [
      "kms:Decrypt",
      "kms:GenerateDataKey",
      "s3:AbortMultipartUpload",
      "s3:DeleteObject",
      "s3:GetBucketLocation",
      "s3:GetObject",
      "s3:ListBucket",
      "s3:PutObject",
    ]);
    assert.deepEqual(all.find(({ Sid }) => Sid === "Objects")?.Resource, [
      "arn:aws:s3:::b/backups/*",
      "arn:aws:s3:::b/binlogs/*",
      "arn:aws:s3:::b/restore/*",
      "arn:aws:s3:::b/latest",
    ]);
  });

  it("lets agent and replication use that KMS key only, which IAM does not know by its alias", async () => {
    const [from, to] = [
      "arn:aws:kms:eu-central-1:123456789012:alias/backups",
      "arn:aws:kms:eu-west-1:123456789012:key/k",
    ];
    assert.deepEqual(statements("arn:aws:s3:::b", to).at(-1), {
      Sid: "Key",
      Effect: "Allow",
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: to,
    });
    const any = {
      Effect: "Allow",
      Resource: "arn:aws:kms:eu-central-1:123456789012:key/*",
      Condition: { "ForAnyValue:StringEquals": { "kms:ResourceAliases": "alias/backups" } },
    };
    assert.deepEqual(statements("arn:aws:s3:::b", from).at(-1), {
      Sid: "Key",
      ...any,
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
    });
    const { resources } = await runProgram(
      configuration({
        bucket: {
          name: "shop-backups",
          region: "eu-central-1",
          kmsKey: from,
          replica: { name: "shop-copy", region: "eu-west-1", kmsKey: to },
        },
      }),
    );
    const role = resources.find(({ type }) => type === "aws:iam/rolePolicy:RolePolicy");
    assert.deepEqual(JSON.parse(role?.inputs.policy).Statement.slice(-2), [
      { ...any, Action: ["kms:Decrypt"] },
      { Effect: "Allow", Action: ["kms:Encrypt"], Resource: to },
    ]);
    const encryption = (name: string) => resources.find((one) => one.name === name)?.inputs.rules;
    assert.deepEqual(encryption("backup-bucket-encryption"), [
      { applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: from }, bucketKeyEnabled: true },
    ]);
    assert.deepEqual(encryption("backup-bucket-replica-encryption"), [
      { applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: to }, bucketKeyEnabled: true },
    ]);
  });
});

describe("for how long nobody can remove a backup", () => {
  const lock = (stack: string, given: Record<string, unknown> = {}, env: Record<string, string> = {}) => {
    return lockDaysOf({ stage: stageOf(stack, env.APP_ENV) }, bucket(given));
  };
  it("is as long as what was deleted can be restored in production, and what the settings say elsewhere", () => {
    assert.deepEqual(
      [lock("prod"), lock("prod", { retentionDays: 60 }), lock("x", {}, { APP_ENV: "production" })],
      [30, 60, 30],
    );
    assert.deepEqual(
      [lock("local"), lock("staging"), lock("prod", { lockDays: 0 }), lock("local", { lockDays: 7 })],
      [0, 0, 0, 7],
    );
  });
});

describe("the Docker host's role", () => {
  const of = (groups: Record<string, Record<string, unknown>>) =>
    problemsOf(
      Object.entries(groups).reduce(
        (raw, [group, more]) => having(raw, group, { ...(raw[group] as object), ...more }),
        valid(),
      ),
    ).map(({ path }) => path);
  const named = { name: "shop-backups", region: "eu-central-1" };
  const s3 = { bucket: "shop-backups", region: "eu-central-1" };

  it("writes no backups unless somebody says that every container may then", () => {
    assert.deepEqual(of({ bucket: { ...named, identity: "policy" } }), ["drydock:bucket.identity"]);
    assert.deepEqual(of({ backup: { s3 } }), ["drydock:backup.s3.accessKeyId"]);
    assert.deepEqual(of({ bucket: { ...named, identity: "policy" }, backup: { hostRole: true } }), []);
    assert.deepEqual(of({ backup: { s3, hostRole: true } }), []);
  });
  it("is not asked for where the agent has a key, or the bucket is not Amazon's", () => {
    assert.deepEqual(of({ bucket: named }), []);
    assert.deepEqual(of({ backup: { s3: { ...s3, accessKeyId: "A", secretAccessKey: "s" } } }), []);
    assert.deepEqual(of({ backup: { s3: { ...s3, endpoint: "https://s3.example.com" } } }), []);
  });
});

describe("the settings of the bucket", () => {
  const wrong = (settings: Record<string, unknown>) =>
    problemsOf(having(valid(), "bucket", { name: "shop-backups", region: "eu-central-1", ...settings })).map(
      ({ path }) => path,
    );

  it("have their defaults, and no bucket without a name", () => {
    assert.deepEqual(parseSettings(valid(), "local").bucket, {
      retentionDays: 30,
      infrequentAfter: 30,
      coldAfter: 90,
      laravelArchiveAfter: 90,
      laravelDays: 365,
      lockMode: "governance",
      accessLogs: true,
      identity: "user",
    });
  });

  it("want a region, and a copy in another one", () => {
    assert.deepEqual(
      problemsOf(having(valid(), "bucket", { name: "shop-backups" })).map(({ path }) => path),
      ["drydock:bucket.region"],
    );
    assert.deepEqual(wrong({ replica: { name: "copy", region: "eu-central-1" } }), ["drydock:bucket.replica.region"]);
  });

  it("refuse what S3 would refuse, and what would break the promised retention", () => {
    assert.deepEqual(wrong({ infrequentAfter: 7 }), ["drydock:bucket.infrequentAfter"]);
    assert.deepEqual(wrong({ infrequentAfter: 80, coldAfter: 90 }), ["drydock:bucket.coldAfter"]);
    assert.deepEqual(wrong({ retentionDays: 7 }), ["drydock:bucket.retentionDays"]);
    assert.deepEqual(wrong({ retentionDays: 400 }), ["drydock:bucket.laravelDays"]);
    assert.deepEqual(wrong({ name: "Shop.Backups" }), ["drydock:bucket.name"]);
    assert.deepEqual(
      wrong({ kmsKey: "arn:aws:kms:eu-central-1:123456789012:key/k", replica: { name: "copy", region: "eu-west-1" } }),
      ["drydock:bucket.replica.kmsKey"],
    );
  });
});
