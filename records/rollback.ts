import { type Judged, judgeMigrations, type Migration } from "../migrations/plan.ts";
import { worst } from "../migrations/verdict.ts";
import type { Release } from "./release.ts";

/** What a way back to an earlier release means for the schema. */
export interface Situation {
  /**
   * Names of the migrations that have run and that the earlier image does not contain, in the order in which they ran.
   */
  readonly since: readonly string[];
  /** What each of them does to code that does not know it. */
  readonly judged: readonly Judged[];
  /** Those with which the earlier code can't run, or of which that is not known. */
  readonly obstacles: readonly Judged[];
}

/** Oldest first: by batch, then by name, as Laravel runs them. */
export function inOrder(applied: Readonly<Record<string, number>>): string[] {
  return Object.entries(applied)
    .sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
    .map(([name]) => name);
}

/** Compares what has run with what the earlier image contains. */
export function situation(
  applied: Readonly<Record<string, number>>,
  target: Release,
  known: ReadonlyMap<string, Migration>,
): Situation {
  const since = inOrder(applied).filter((name) => !target.migrations.contained.includes(name));
  const judged = judgeMigrations(
    since.map(
      (name) => known.get(name) ?? { name, statements: [], error: "it ran before Drydock recorded what migrations do" },
    ),
  );
  return { since, judged, obstacles: judged.filter(({ verdict }) => verdict !== "additive") };
}

/**
 * How many of the newest migrations are rolled back before the switch, while the newer code serves, and how many after
 * it.
 */
export interface Steps {
  readonly before: number;
  readonly after: number;
}

/** Why migrations can't be rolled back without failing requests. */
export interface Refused {
  readonly refused: string;
}

/**
 * In which order `--migrations` goes. What the earlier code can't run with has to go before the switch, and everything
 * newer with it, for Laravel rolls back from the newest; the newer code must survive that. What the earlier code can
 * run with goes after the switch.
 *
 * @param downs what rolling back does, newest first; as judged for the newer code, which serves until the switch
 */
export function rollbackSteps(
  applied: Readonly<Record<string, number>>,
  { since, obstacles }: Situation,
  downs: readonly Judged[],
): Steps | Refused {
  const newest = inOrder(applied).slice(-since.length || undefined);
  if (since.length === 0) return { before: 0, after: 0 };
  if (newest.some((name) => !since.includes(name))) {
    const other = newest.filter((name) => !since.includes(name));
    return {
      refused:
        `Laravel rolls back from the newest migration, and ${other.join(", ")}, which the earlier release contains ` +
        `as well, ran after ${since[0]}`,
    };
  }
  const oldest = since.findIndex((name) => obstacles.some((one) => one.name === name));
  const before = oldest < 0 ? 0 : since.length - oldest;
  const harmful = downs.slice(0, before).filter(({ verdict }) => verdict !== "additive");
  if (harmful.length > 0) {
    const why = harmful.map(
      ({ name, findings, verdict }) =>
        `${name}: ${findings
          .filter((one) => one.verdict === worst([{ verdict }]))
          .map(({ reason, statement }) => `${reason ?? ""}${statement === "" ? "" : ` (${statement})`}`)
          .join("; ")}`,
    );
    return {
      refused:
        "the earlier code needs them rolled back before it serves, and the code that serves until then does not " +
        `survive that:\n  ${why.join("\n  ")}`,
    };
  }
  return { before, after: since.length - before };
}
