/** What a suite needs to be set up. */
export type Need = "engine" | "containers" | "linters";

export interface Suite {
  /** Where its `*.test.ts` are; the type check has none. */
  readonly folder?: string;
  /** A folder in it that is a suite of its own. */
  readonly without?: string;
  readonly needs: readonly Need[];
  /** Of one test, in ms. */
  readonly timeout: number;
  /** Only with --all. */
  readonly long?: true;
}

/** In the order in which they run: the quick ones first. */
export const SUITES = {
  types: { needs: [], timeout: 0 },
  style: { folder: "test/style", needs: ["linters"], timeout: 120_000 },
  unit: { folder: "test/unit", without: "test/unit/policies", needs: [], timeout: 20_000 },
  policies: { folder: "test/unit/policies", needs: [], timeout: 60_000 },
  // Needs no Docker: the plugins are asked as the engine asks them, of an engine that only keeps what it is told.
  conformance: { folder: "test/conformance", needs: ["engine"], timeout: 60_000 },
  engine: { folder: "test/engine", needs: ["engine", "containers"], timeout: 300_000 },
  e2e: { folder: "test/e2e", needs: ["engine", "containers"], timeout: 900_000 },
  component: { folder: "test/component", needs: ["engine", "containers"], timeout: 1_800_000, long: true },
  supply: { folder: "test/supply", needs: [], timeout: 180_000, long: true },
  releases: { folder: "test/releases", needs: ["engine", "containers"], timeout: 900_000, long: true },
  remote: { folder: "test/remote", needs: ["engine", "containers"], timeout: 900_000, long: true },
  dockerVersions: { folder: "test/dockerVersions", needs: ["engine", "containers"], timeout: 1_200_000, long: true },
  backup: { folder: "test/backup", needs: ["engine", "containers"], timeout: 900_000, long: true },
  edge: { folder: "test/edge", needs: ["engine", "containers"], timeout: 600_000, long: true },
  monitoring: { folder: "test/monitoring", needs: ["engine", "containers"], timeout: 1_800_000, long: true },
  hostile: { folder: "test/hostile", needs: ["engine", "containers"], timeout: 900_000, long: true },
  images: { folder: "test/images", needs: ["engine", "containers"], timeout: 900_000, long: true },
  faults: { folder: "test/faults", needs: ["engine", "containers"], timeout: 900_000, long: true },
} as const satisfies Readonly<Record<string, Suite>>;

export type SuiteName = keyof typeof SUITES;

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NONE: Counts = { passed: 0, failed: 0, skipped: 0 };

export function add(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/**
 * What a suite's process has to show for itself: its own counts, and one failure more where it ended badly without
 * naming one (a file that can't be loaded, a crash, a signal).
 */
export function countsOf(written: Counts | undefined, code: number): Counts {
  const counts = written ?? NONE;
  return code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

export function total({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

/** Nothing run is nothing proven. */
export function isSuccess({ passed, failed }: Counts): boolean {
  return failed === 0 && passed > 0;
}

/** Which suites a command line means. */
export function chosen({
  all,
  only,
  grep,
}: {
  readonly all?: boolean;
  readonly only?: SuiteName;
  readonly grep?: string;
}): readonly SuiteName[] {
  if (only !== undefined) return [only];
  const names = Object.keys(SUITES) as SuiteName[];
  return names.filter(
    (name) => (all === true || !("long" in SUITES[name])) && !(name === "types" && grep !== undefined),
  );
}
