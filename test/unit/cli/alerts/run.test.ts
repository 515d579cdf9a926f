import assert from "node:assert/strict";
import { alertLines, shownAlerts } from "../../../../cli/alerts/run.ts";

const active = (alertname: string, severity: string, state: "firing" | "pending", activeAt: string) => ({
  state,
  activeAt,
  labels: { alertname, severity, subject: "laravel", told: "here", queue: "mail" },
  annotations: { summary: `${alertname} is so`, remedy: "see", command: "./drydock logs horizon" },
});

describe("the alerts of a stack", () => {
  const all = [
    active("Watchdog", "info", "firing", "2026-11-29T09:00:00Z"),
    active("Slow", "warning", "firing", "2026-11-29T10:00:00Z"),
    active("QueueStuck", "critical", "firing", "2026-11-29T11:00:00Z"),
    active("SiteDown", "critical", "firing", "2026-11-29T10:30:00Z"),
    active("ErrorRate", "critical", "pending", "2026-11-29T11:10:00Z"),
  ];

  it("are those that are raised, the worst and oldest first, without the watchdog", () => {
    assert.deepEqual(
      shownAlerts(all, false).map(({ name }) => name),
      ["SiteDown", "QueueStuck", "Slow"],
    );
  });

  it("are those that wait as well where that is asked", () => {
    assert.deepEqual(
      shownAlerts(all, true).map(({ name, state }) => `${name} ${state}`),
      ["SiteDown raised", "QueueStuck raised", "ErrorRate pending", "Slow raised"],
    );
  });

  it("show what a terminal would obey in a queue's name, which is the application's", () => {
    const [one] = shownAlerts([all[2]!], false);
    const summary = "a job of queue \u001b]0;x\u0007\u001b[2Jmail\n\r\u009b1A has been waiting";
    const [, line] = alertLines([{ ...one!, summary }], [], (_, text) => text);
    assert.equal(line, "  a job of queue ␛]0;x␇␛[2Jmail␊␍\\x9b1A has been waiting");
  });

  it("say what is wrong, what to do and the command, and what is silent", () => {
    const lines = alertLines(
      shownAlerts([all[2]!], false),
      [{ status: { state: "active" }, endsAt: "2026-11-29T12:00:00.000Z", comment: "a restore" }],
      (_, text) => text,
    );
    assert.deepEqual(lines, [
      "critical  QueueStuck  since 2026-11-29 11:00:00Z",
      "  QueueStuck is so",
      "  see",
      "  ./drydock logs horizon",
      "silent until 2026-11-29 12:00:00Z: a restore",
    ]);
    assert.deepEqual(
      alertLines([], [], (_, text) => text),
      ["no alert is raised"],
    );
  });
});
