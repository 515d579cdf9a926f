import assert from "node:assert/strict";
import { eventOf } from "../../../../cli/backup/agent.ts";
import { bytes, duration } from "../../../../cli/backup/format.ts";
import { bar } from "../../../../cli/backup/progress.ts";
import { quoted, text } from "../../../../cli/backup/sql.ts";

describe("backups on the command line", () => {
  it("say amounts as people read them", () => {
    assert.deepEqual([0, 1023, 1024, 1_500_000, 3 * 1024 ** 3].map(bytes), [
      "0 B",
      "1023 B",
      "1.0 KiB",
      "1.4 MiB",
      "3.0 GiB",
    ]);
    assert.deepEqual([0.25, 42.4, 600, 7200].map(duration), ["0.3 s", "42 s", "10 min", "2.0 h"]);
  });

  it("draw how far it is, and only the amount where the end is not known", () => {
    assert.equal(
      bar("database", { event: "progress", step: "dump", done: 512, total: 1024, unit: "bytes" }),
      `→ database        [${"█".repeat(14)}${"░".repeat(14)}]  50 %  512 B of 1.0 KiB`,
    );
    assert.equal(
      bar("files", { event: "progress", step: "files", done: 3, total: 0, unit: "files" }),
      "→ files           3 files",
    );
  });

  it("take the agent's events, and nothing else, for events", () => {
    assert.deepEqual(eventOf('{"event":"log","level":"info","message":"hello"}'), {
      event: "log",
      level: "info",
      message: "hello",
    });
    assert.deepEqual(eventOf('{"event":"result","backups":[]}'), { event: "result", backups: [] });
    for (const line of ["", "panic", '{"event":"other"}', '{"level":"info"}'])
      assert.equal(eventOf(line), undefined, line);
  });

  it("quote names and texts for SQL", () => {
    assert.equal(quoted("a`b"), "`a``b`");
    assert.equal(text("it's \\ it"), "CONVERT(X'69742773205c206974' USING utf8mb4)");
  });
});
