import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { alarmsFrom, type Watched } from "../../../../agent/schedule/watch.ts";
import type { Entry } from "../../../../contracts/entry.ts";

const NOW = Date.parse("2026-02-01T12:00:00Z");
const entry = (more: object): Entry =>
  ({ id: "b1", started: "2026-02-01T11:00:00Z", verified: true, copies: [], ...more }) as unknown as Entry;
const well: Watched = {
  ...{ entries: [entry({})], scheduled: true, since: "2026-01-01T00:00:00Z", maxAge: 26, free: 0.5 },
  ...{ log: { behind: 60, problem: undefined }, logInS3: { behind: 60, problem: undefined } },
};
/** The alarms that are raised, with their words. */
const raised = (change: Partial<Watched>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(alarmsFrom({ ...well, ...change }, NOW)).filter(
      (one): one is [string, string] => one[1] !== undefined,
    ),
  );

describe("the alarms of the backups", () => {
  it("are none where all is well, and each is told of, so that it ends", () => {
    assert.deepEqual(raised({}), {});
    assert.deepEqual(Object.keys(alarmsFrom(well, NOW)), [
      "old",
      "unverified",
      "binlog",
      "disk",
      "incomplete",
      "s3-binlog",
    ]);
    assert.deepEqual(Object.keys(alarmsFrom({ ...well, logInS3: undefined }, NOW)).includes("s3-binlog"), false);
  });

  it("tell of a proven backup that is too old, and of none, where a schedule makes them", () => {
    const entries = [entry({ id: "b2", verified: false }), entry({ started: "2026-01-31T09:00:00Z" })];
    assert.deepEqual(raised({ entries }), { old: "the newest verified backup is 27 hours old" });
    assert.deepEqual(raised({ entries: [] }), { old: "there is no verified backup" });
    assert.deepEqual(raised({ entries: [], scheduled: false }), {});
    assert.deepEqual(raised({ entries: [], since: "2026-02-01T00:00:00Z" }), {});
  });

  it("tell of the newest where it could not be proven, or lacks something", () => {
    const verification = { problems: ["a", "b"] };
    const before = entry({ id: "b0" });
    assert.deepEqual(raised({ entries: [entry({ verified: false, verification }), before] }), {
      unverified: "backup b1 is not verified: a; b",
    });
    assert.deepEqual(raised({ entries: [entry({ verification })] }), {});
    assert.deepEqual(raised({ entries: [entry({ missing: ["x", "y"] })] }), {
      incomplete: "backup b1 was made without x; y",
    });
  });

  it("tell of a log that is more than a minute behind, with the reason, and of none that nobody follows", () => {
    assert.deepEqual(raised({ log: { behind: 61.4, problem: "no room" } }), {
      binlog: "the binary log in the repository is 61 s behind: no room",
    });
    assert.deepEqual(raised({ log: { behind: 61, problem: undefined } }), {
      binlog: "the binary log in the repository is 61 s behind: no reason known",
    });
    assert.deepEqual(raised({ log: undefined }), {});
    assert.deepEqual(raised({ logInS3: { behind: 61, problem: undefined } }), {
      "s3-binlog": "the binary log in S3 is 61 s behind: ",
    });
  });

  it("tell of a disk that is nearly full", () => {
    assert.deepEqual(raised({ free: 0.05 }), {});
    assert.deepEqual(raised({ free: 0.049 }), { disk: "less than 5 % of the disk for backups is free" });
  });
});
