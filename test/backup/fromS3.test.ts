import assert from "node:assert/strict";
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { after, before, describe, it } from "mocha";
import { askBucket } from "../../cli/backup/fromS3.ts";
import { Moto } from "../support/moto.ts";

describe("backups in a bucket that is asked itself", function () {
  this.timeout(300_000);
  let moto: Moto;
  let client: S3Client;
  const saved = { ...process.env };
  const place = (bucket: string) => ({
    ...{ bucket, region: "eu-central-1", prefix: "prod/", endpoint: moto.url, maxAge: 26, s3Days: 30 },
  });
  const put = (Bucket: string, id: string) =>
    client.send(new PutObjectCommand({ Bucket, Key: `prod/backups/catalogue/${id}.entry`, Body: "sealed" }));

  before(async () => {
    moto = await Moto.start();
    Object.assign(process.env, moto.env);
    client = new S3Client({ region: "eu-central-1", endpoint: moto.url, forcePathStyle: true });
    for (const [Bucket, locked] of [
      ["locked", true],
      ["plain", false],
    ] as const)
      await client.send(
        new CreateBucketCommand({
          ...{ Bucket, ObjectLockEnabledForBucket: locked },
          CreateBucketConfiguration: { LocationConstraint: "eu-central-1" },
        }),
      );
    await client.send(
      new PutBucketVersioningCommand({ Bucket: "locked", VersioningConfiguration: { Status: "Enabled" } }),
    );
  });
  after(() => {
    client?.destroy();
    moto?.remove();
    for (const name of Object.keys(process.env)) if (!(name in saved)) delete process.env[name];
    Object.assign(process.env, saved);
  });

  it("are counted over more than one page, and one that somebody has deleted is named", async () => {
    for (let n = 0; n < 1005; n += 15)
      await Promise.all(Array.from({ length: 15 }, (_, i) => put("locked", `b${String(n + i).padStart(4, "0")}`)));
    const whole = await askBucket(place("locked"), Date.now());
    assert.deepEqual([whole.backups, whole.hidden, whole.versioning, whole.problems], [1005, [], true, []]);
    await client.send(new DeleteObjectCommand({ Bucket: "locked", Key: "prod/backups/catalogue/b0500.entry" }));
    const { backups, hidden, problems } = await askBucket(place("locked"), Date.now());
    assert.deepEqual([backups, hidden, problems.length], [1004, ["b0500"], 1]);
  });

  it("are too old, or in a bucket that keeps no versions", async () => {
    await put("plain", "a");
    const { newest, problems, lockDays } = await askBucket(place("plain"), Date.now() + 30 * 3_600_000);
    assert.deepEqual([newest?.id, lockDays, problems.length], ["a", null, 2]);
  });

  it("can't be read where there is no such bucket, and it is said with what is needed", async () => {
    await assert.rejects(askBucket(place("nowhere"), Date.now()), /the bucket nowhere can't be read: NoSuchBucket/);
  });
});
