import assert from "node:assert/strict";
import type { Inspected } from "../../../../cli/shared/docker.ts";
import { allHealthy, isGone, isStarting, reportOf, statusTable } from "../../../../cli/shared/report.ts";

const outputs = {
  stack: "local",
  url: "http://localhost:8080",
  release: "1a2b3c",
  services: [
    { name: "app-1", role: "app", container: "app-1-abc1234", image: "acme/app:2" },
    { name: "database", role: "database", container: "database-def5678", image: `mariadb@sha256:${"a".repeat(64)}` },
    { name: "redis", role: "redis", container: "redis-0123456", image: "redis:8" },
  ],
};
const live = (name: string, status: string, health?: string): Inspected => ({
  Id: `id-${name}`,
  Name: `/${name}`,
  Created: "2026-01-31T10:00:00Z",
  Config: { Image: `image-of-${name}` },
  State: { Status: status, ...(health === undefined ? {} : { Health: { Status: health } }) },
});

describe("the report of a stack", () => {
  const report = reportOf(outputs, [live("app-1-abc1234", "running", "healthy"), live("database-def5678", "running")]);

  it("has what --json promises, and what Docker says of each container", () => {
    assert.deepEqual(report, {
      stack: "local",
      url: "http://localhost:8080",
      release: "1a2b3c",
      services: [
        {
          name: "app-1",
          role: "app",
          container: "app-1-abc1234",
          image: "image-of-app-1-abc1234",
          state: "running",
          health: "healthy",
        },
        {
          name: "database",
          role: "database",
          container: "database-def5678",
          image: "image-of-database-def5678",
          state: "running",
          health: "none",
        },
        {
          name: "redis",
          role: "redis",
          container: "redis-0123456",
          image: "redis:8",
          state: "missing",
          health: "none",
        },
      ],
    });
  });

  it("takes what ends and is started again over and over for broken, though it runs just now", () => {
    const now = Date.parse("2026-01-31T12:00:00Z");
    const only = { ...outputs, services: [{ name: "backup-agent", role: "backup", container: "agent", image: "x" }] };
    const seen = (RestartCount: number, minutes: number, status = "running") =>
      reportOf(
        only,
        [
          {
            ...live("agent", status, "healthy"),
            RestartCount,
            State: {
              Status: status,
              StartedAt: new Date(now - minutes * 60_000).toISOString(),
              Health: { Status: "healthy" },
            },
          },
        ],
        undefined,
        now,
      );
    assert.deepEqual([seen(2, 1), seen(3, 10), seen(9, 1), seen(3, 10, "restarting")].map(allHealthy), [
      true,
      true,
      false,
      false,
    ]);
    const said = statusTable(seen(9, 1), (_, cell) => cell);
    assert.match(
      said,
      new RegExp(
        String.raw`backup-agent ends and is started again, over and over \(9 times\)\. No backup is made ` +
          String.raw`meanwhile, and no alarm raised\. Why: \./drydock logs backup`,
      ),
    );
    assert.doesNotMatch(
      statusTable(seen(2, 1), (_, cell) => cell),
      /over and over/,
    );
  });

  it("is healthy only when every service is", () => {
    assert.equal(allHealthy(report), false);
    assert.equal(allHealthy({ ...report, services: report.services.slice(0, 2) }), true);
    assert.equal(allHealthy({ ...report, services: [] }), false);
  });

  it("tells what is gone from what is only starting", () => {
    const [healthy, , missing] = report.services;
    assert.ok(healthy && missing);
    assert.deepEqual([isGone(healthy), isGone(missing), isGone({ ...healthy, state: "exited" })], [false, true, true]);
    assert.deepEqual(
      [
        isStarting(healthy),
        isStarting({ ...healthy, health: "starting" }),
        isStarting({ ...healthy, state: "restarting" }),
      ],
      [false, true, true],
    );
  });

  it("is a table for people, with digests cut short", () => {
    const text = statusTable(reportOf({ ...outputs, services: outputs.services.slice(1, 2) }, []), (_, cell) => cell);
    assert.equal(
      text,
      [
        "stack    local",
        "url      http://localhost:8080",
        "release  1a2b3c",
        "",
        "NAME      ROLE      CONTAINER         IMAGE                         STATE    HEALTH",
        "database  database  database-def5678  mariadb@sha256:aaaaaaaaaaaa…  missing  none",
      ].join("\n"),
    );
  });
});
