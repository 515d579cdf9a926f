import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { judge, placeOf } from "../../../../cli/backup/fromS3.ts";

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 0, 31);
const place = { bucket: "shop-backups", region: "eu-central-1", prefix: "prod/", maxAge: 26, s3Days: 30 };
const kept = { versioning: true, lockDays: 30 };
const version = (id: string, hours: number, { isLatest = true, isDeletion = false, kind = "entry" } = {}) => ({
  key: `prod/backups/catalogue/${id}.${kind}`,
  at: NOW - hours * HOUR,
  ...{ isLatest, isDeletion },
});

describe("what a bucket says of the backups in it", () => {
  it("is that all is well where the newest is young and none was deleted before its time", () => {
    const found = judge(
      place,
      [
        version("b", 2),
        version("b", 3, { isLatest: false }),
        version("b", 3, { kind: "files" }),
        version("a", 26),
        // Past its time: the agent itself has removed it.
        version("old", 10, { isDeletion: true }),
        version("old", 31 * 24, { isLatest: false }),
        // Of this one the bucket has the marker alone.
        version("older", 100, { isDeletion: true }),
      ],
      NOW,
      kept,
    );
    assert.deepEqual(found, {
      ...{ bucket: "shop-backups", backups: 2, hidden: [], problems: [], ...kept },
      // A backup is as old as its first version: the second came with its proof.
      newest: { id: "b", at: new Date(NOW - 3 * HOUR).toISOString(), ageHours: 3 },
    });
  });

  for (const [what, versions, more, problem] of [
    ["an empty one", [], kept, /no backup in it/],
    ["an old one", [version("a", 30)], kept, /30 hours old \(drydock:backup\.maxAge is 26\)/],
    [
      "one that was deleted before its time",
      [version("a", 1), version("b", 1, { isDeletion: true }), version("b", 20, { isLatest: false })],
      kept,
      /^1 were deleted before their 30 days .*: b$/,
    ],
    ["one without versions", [version("a", 1)], { ...kept, versioning: false }, /keeps no earlier versions/],
    ["another stack's beside it", [{ ...version("a", 1), key: "backups/catalogue/a.entry" }], kept, /no backup in it/],
  ] as const) {
    it(`is a problem with ${what}`, () => {
      const { problems } = judge(place, versions, NOW, more);
      assert.equal(problems.length, 1);
      assert.match(problems[0]!, problem);
    });
  }
});

describe("the bucket that is asked", () => {
  it("is that of backup.s3, with its prefix", () => {
    const s3 = { bucket: "shop", region: "eu-west-1", prefix: "prod/", endpoint: "https://s3.example.com" };
    assert.deepEqual(placeOf({ "drydock:backup": { s3, maxAge: 50 } }, "prod"), { ...s3, maxAge: 50, s3Days: 30 });
  });
  it("is the stack's own", () => {
    const bucket = { name: "shop", region: "eu-west-1" };
    assert.deepEqual(placeOf({ "drydock:bucket": bucket }, "prod"), {
      ...{ bucket: "shop", region: "eu-west-1", prefix: "", maxAge: 26, s3Days: 30 },
    });
  });
  it("is the stack's own at an address that isn't Amazon's", () => {
    const bucket = { name: "shop", region: "eu-west-1", endpoint: "https://s3.example.com" };
    assert.equal(placeOf({ "drydock:bucket": bucket }, "prod").endpoint, bucket.endpoint);
  });
  it("is none where no backups are kept in S3", () =>
    assert.throws(() => placeOf({}, "prod"), /stack prod keeps no backups in S3/));
});
