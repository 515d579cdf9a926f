import type { State } from "../../../cli/dashboard/page/state.ts";

/** 2026-01-31, a Saturday. */
export const NOW = Date.parse("2026-01-31T12:00:00Z");
const at = new Date(NOW).toISOString();
const told = <T>(value: T) => ({ value, at });

const service = (name: string, role: string, more: object = {}) => ({
  ...{
    name,
    role,
    container: `${name}-0a1b2c3`,
    image: `registry.test/${role}:1`,
    state: "running",
    health: "healthy",
  },
  ...more,
});

const line = (name: string, value: number) => ({ name, values: Array.from({ length: 121 }, () => value) });

/** All that a page may show, with a release on its way. */
export const sample: State = {
  stack: "shop",
  at,
  parts: {
    containers: told({
      ...{ stack: "shop", url: "https://shop.example.com", release: "111111111111" },
      services: [
        service("proxy", "proxy"),
        service("app-1", "app"),
        service("horizon", "horizon", { health: "unhealthy" }),
      ],
      alarms: ["Redis is nearly full"],
      restore: { state: "at work", what: "a restore by ops@host" },
      unfinished: { release: "222222222222", serves: false, others: [service("app-1", "app", { restarts: 4 })] },
    }),
    activity: told({
      change: { verb: "up", by: "ops@host", since: "2026-01-31T11:59:00.000Z", certain: true },
      steps: [
        { id: "image", status: "same" },
        { id: "servers", status: "done", seconds: 2 },
        { id: "backup", status: "done", seconds: 4, says: "verified" },
        { id: "migrate", status: "running", since: "2026-01-31T11:59:30.000Z", says: "2026_01_01_add_index" },
        { id: "assets", status: "waiting" },
      ],
      from: "events",
      releases: [
        { release: "222222222222", running: 1, healthy: 0 },
        { release: "111111111111", running: 3, healthy: 3 },
      ],
    }),
    meanwhile: told({
      since: "2026-01-31T11:59:00.000Z",
      codes: [
        { code: "200", count: 120 },
        { code: "502", count: 1 },
      ],
    }),
    releases: told([
      {
        ...{ sequence: 2, release: "111111111111", image: "registry.test/shop:2", by: "ops@host", commit: "abc" },
        ...{ at: "2026-01-31T11:30:00Z", current: true, seconds: 30, changes: ["image: a → b"] },
        requests: { total: 40, failed: 0 },
      },
      {
        ...{ sequence: 1, release: "000000000000", image: "registry.test/shop:1", by: "ops@host", commit: "" },
        ...{ at: "2026-01-30T10:00:00Z", current: false, seconds: null, changes: ["the first one that is recorded"] },
        requests: null,
      },
    ]),
    charts: told({
      hour: {
        ...{ from: NOW / 1000 - 3_600, step: 30 },
        charts: [
          { id: "requests", title: "Requests", unit: "per second", lines: [line("requests", 2)] },
          { id: "codes", title: "Answers by status", unit: "per second", lines: [line("2xx", 2), line("5xx", 0.1)] },
          { id: "times", title: "How long they take", unit: "seconds", lines: [line("p50", 0.02), line("p99", 0.3)] },
          { id: "queues", title: "Jobs that wait", unit: "number", lines: [line("default", 3)] },
        ],
      },
    }),
    queues: told({
      queues: [{ name: "default", pending: 3, delayed: 1, reserved: null, oldest: 12 }],
      failed: 2,
    }),
    alerts: told({
      alerts: [
        {
          ...{ name: "QueueStuck", severity: "critical", state: "raised", since: "2026-01-31T11:50:00Z" },
          ...{ summary: "a job waits", remedy: "look at Horizon", command: "./drydock logs horizon" },
        },
        {
          ...{ name: "DiskFillsUp", severity: "warning", state: "pending", since: "2026-01-31T11:55:00Z" },
          ...{ summary: "the disk fills up", remedy: "see what grows", command: "docker system df" },
        },
      ],
      silences: [{ comment: "a release", until: "2026-01-31T12:30:00Z" }],
    }),
    backups: told({
      backups: [
        {
          ...{ id: "20260131T020000Z-3f2a", type: "full", reason: "daily", started: "2026-01-31T02:00:00Z" },
          ...{ seconds: 4, verified: true, bytes: 2_000_000, added: 30_000, copies: ["local", "s3"] },
        },
        {
          ...{ id: "20260130T020000Z-3f2b", type: "full", reason: "daily", started: "2026-01-30T02:00:00Z" },
          ...{ seconds: 4, verified: false, bytes: 2_000_000, added: 20_000, copies: ["local"] },
        },
      ],
      ...{
        rpoSeconds: 12,
        rtoSeconds: 9,
        running: "full",
        next: "2026-02-01T02:00:00Z",
        alarms: ["the disk is nearly full"],
      },
    }),
    certificates: told([
      { name: "shop.example.com", kind: "authority", until: "2026-03-31T00:00:00Z", problems: [] },
      { name: "www.example.com", kind: "placeholder", until: "", problems: ["its certificate is not there yet"] },
    ]),
  },
};

/** The same with every text another one: names, images, messages, commands. */
export function withTexts(state: State, text: (was: string) => string): State {
  const walk = (value: unknown, key: string): unknown => {
    if (Array.isArray(value)) return value.map((one) => walk(one, key));
    if (typeof value === "object" && value !== null)
      return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, walk(one, name)]));
    const fixed = FIXED.has(key) || value === "raised" || value === "pending";
    return typeof value === "string" && !fixed ? text(value) : value;
  };
  return walk(state, "") as State;
}

/** What is one of a few words, or a time: never what somebody has chosen. */
const FIXED = new Set(["id", "unit", "status", "from", "at", "since", "until", "started", "next", "severity"]);
