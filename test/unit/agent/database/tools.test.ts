import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { keepsHistory } from "../../../../agent/database/dumpPlan.ts";
import { fits, requireTools, tlsOptionsFor } from "../../../../agent/database/tools.ts";
import { EXIT } from "../../../../contracts/agent.ts";

describe("the database's tools", () => {
  it("use TLS where the server has it, and verify it where the server can prove itself", () => {
    assert.deepEqual(tlsOptionsFor("DISABLED", "10.11.6-MariaDB"), ["--skip-ssl"]);
    assert.deepEqual(tlsOptionsFor("NO", "11.8.9-MariaDB"), ["--skip-ssl"]);
    assert.deepEqual(tlsOptionsFor("YES", "10.6.18-MariaDB-log"), ["--ssl", "--skip-ssl-verify-server-cert"]);
    for (const version of ["11.4.2-MariaDB", "11.8.9-MariaDB-2 from Debian-log", "12.3.1-MariaDB"])
      assert.deepEqual(tlsOptionsFor("YES", version), []);
  });
  it("copy a server of their own series alone", () => {
    assert.deepEqual(
      ["11.8.2-MariaDB", "11.4.9-MariaDB", "10.11.6-MariaDB-log"].map((server) => fits("11.8.9", server)),
      [true, false, false],
    );
  });
  it("dump the history of tables where the server takes it back", () => {
    assert.deepEqual(
      [
        "10.6.18-MariaDB",
        "10.11.6-MariaDB-1",
        "11.4.9-MariaDB",
        "11.8.9-MariaDB",
        "12.3.1-MariaDB",
        "9.7.0",
        "8.4.3",
      ].map(keepsHistory),
      [false, false, false, true, true, false, false],
    );
  });
  it("are there, or it is said which image to take", () => {
    requireTools({ dump: ["sh"] }, "/nowhere:/bin");
    assert.throws(() => requireTools({ dump: ["mysqldump"] }, "/nowhere"), {
      message: "the agent's image has no mysqldump",
      code: EXIT.refused,
      remedy: /drydock:backup.image has to hold the tools of drydock:database.engine/,
    });
  });
});
