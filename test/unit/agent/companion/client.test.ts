import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { copyCommand, fetched, readCommand } from "../../../../agent/companion/client.ts";
import { AgentError } from "../../../../agent/shared/errors.ts";

describe("a command that fetches from the companion", () => {
  it("has the token on no command line, and a second answer as the proof of the first", () => {
    for (const command of [copyCommand("1", "45552"), readCommand({ kind: "service", name: "search" }, "1")]) {
      assert.deepEqual(command.slice(0, 6), [
        "curl",
        "--http1.0",
        "--silent",
        "--show-error",
        "--fail",
        "--fail-early",
      ]);
      assert.ok(command.includes("token@/run/drydock/restore-token"), command.join(" "));
      assert.deepEqual(
        command.slice(command.indexOf("-") - 1).filter((_, index) => index % 3 !== 2),
        [...["--output", "-"], ...["--output", "/dev/null"]],
      );
    }
    assert.deepEqual(
      copyCommand("1", "45552").filter((word) => word.startsWith("http:")),
      ["http://restore:9181/physical/1?lsn=45552", "http://restore:9181/physical/1?info"],
    );
    assert.deepEqual(
      readCommand({ kind: "service", name: "search" }, "1").filter((word) => word.startsWith("http:")),
      ["http://volume_search:9181/volume/1", "http://volume_search:9181/volume/1?info"],
    );
  });

  const failing = (said: string) => Promise.reject(new AgentError(`restic failed (code 1): ${said}`));
  const reason = () => Promise.reject(new AgentError("mariadb-backup failed: no such table", { transient: false }));

  it("fails for the reason that the other side has", async () => {
    await assert.rejects(
      fetched(failing("subprocess curl: curl: (22) The requested URL returned error: 500"), reason),
      {
        message: "mariadb-backup failed: no such table",
      },
    );
    // What was fetched is fine there, so it is the command's own failure that counts.
    await assert.rejects(
      fetched(failing("curl: (56) Recv failure: Connection reset by peer"), () => Promise.resolve({})),
      /Recv failure/,
    );
  });

  it("does not ask where nobody took what it had, as on a full disk", async () => {
    let asked = 0;
    const full = failing("no space left on device\ncurl: (23) Failure writing output to destination");
    await assert.rejects(
      fetched(full, async () => void asked++),
      /no space left/,
    );
    assert.equal(asked, 0);
    assert.equal(await fetched(Promise.resolve(7), async () => void asked++), 7);
  });
});
