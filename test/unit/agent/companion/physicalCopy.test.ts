import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { copyArguments, parseInfo } from "../../../../agent/companion/physicalCopy.ts";

describe("mariadb-backup", () => {
  it("mariadb-backup: LSN and place in the log", () => {
    assert.deepEqual(
      parseInfo(
        "backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 45552\n",
        "server_version = 11.8.9-MariaDB\nbinlog_pos = filename 'binlog.000002', position '342', " +
          "GTID of the last change '0-1-5'\n",
      ),
      { fromLsn: "0", toLsn: "45552", version: "11.8.9-MariaDB", position: { file: "binlog.000002", position: 342 } },
    );
    assert.throws(() => parseInfo("", ""), /did not say what it copied/);
  });
  it("mariadb-backup is asked for one thread, so that two copies of the same are the same", () => {
    assert.deepEqual(copyArguments("/restore/x", "7"), [
      "--defaults-file=/run/drydock/database.cnf",
      "--backup",
      "--stream=mbstream",
      "--parallel=1",
      "--datadir=/var/lib/mysql",
      "--target-dir=/restore/x",
      "--extra-lsndir=/restore/x/info",
      "--incremental-lsn=7",
    ]);
  });
});
