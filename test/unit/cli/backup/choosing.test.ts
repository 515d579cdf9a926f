import assert from "node:assert/strict";
import { noneFor } from "../../../../cli/backup/choosing.ts";
import { Exit } from "../../../../cli/shared/errors.ts";
import type { Entry } from "../../../../contracts/entry.ts";

describe("a restore for which there is no backup", () => {
  const entry = (id: string): Entry => ({ id, verified: false }) as Entry;
  const said = (
    backups: readonly Entry[],
    unreadable: number,
    fitting: readonly Entry[],
    inS3 = false,
  ): readonly string[] => {
    const { what, remedy, code } = noneFor({ backups, unreadable }, fitting, {
      what: "the database",
      stack: "prod",
      inS3,
    });
    assert.equal(code, Exit.refused);
    return [what, remedy ?? ""];
  };

  it("says that there is none yet, and where there may be one", () => {
    assert.deepEqual(said([], 0, []), ["there is no backup yet", "make one: ./drydock backup run -s prod"]);
    assert.match(said([], 0, [], true)[1]!, /backup restore latest --from-s3 -s prod$/);
  });

  it("says that the key is another one", () => {
    const [what, remedy] = said([], 3, []);
    assert.equal(what, "none of the 3 backups that are here can be read with drydock:backup.key");
    assert.match(remedy!, /pulumi config set --secret --path drydock:backup.key/);
  });

  it("tells what isn't there from what isn't verified", () => {
    assert.deepEqual(said([entry("a")], 0, []), [
      "there is no backup of the database",
      "list them: ./drydock backup list -s prod",
    ]);
    assert.deepEqual(said([entry("b"), entry("a")], 0, [entry("b"), entry("a")]), [
      "there is no verified backup of the database; 2 are not verified",
      "why the newest isn't: ./drydock backup verify b -s prod",
    ]);
  });
});
