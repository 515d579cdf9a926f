import type { Entry } from "../../../contracts/entry.ts";

export const DAY = 86_400_000;
/** A day of November 2026, at two in the morning. */
export const day = (n: number): string => new Date(Date.UTC(2026, 10, n, 2)).toISOString();

/** A verified physical backup with files, made on that day. */
export const entry = (id: string, n: number, more: Partial<Entry> = {}, base?: string): Entry => ({
  id,
  type: "full",
  reason: "scheduled",
  stack: "unit",
  started: day(n),
  finished: day(n),
  seconds: 1,
  verified: true,
  copies: ["local"],
  database: {
    format: "physical",
    engine: "mariadb",
    version: "11.8",
    schema: "shop",
    bytes: 100,
    added: 10,
    sums: {},
    migrations: [],
    position: { file: "binlog.000003", position: 400 },
    ...(base === undefined ? {} : { base }),
  },
  files: { count: 1, bytes: 1, added: 1, manifest: "", changed: 0 },
  ...more,
});
