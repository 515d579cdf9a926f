import { Judge } from "./classify.ts";
import type { Columns } from "./columns.ts";
import { type Finding, type Verdict, worst } from "./verdict.ts";

/** One migration as runtime/pending.php tells it; also a line of the records' migrations.jsonl. */
export interface Migration {
  readonly name: string;
  /** What `DB::pretend` says it would run; in the records without the values in it. */
  readonly statements: readonly string[];
  /**
   * Marked with `public bool $drydockContract = true;`: the second half of a change, for the release after the one that
   * brings it.
   */
  readonly contract?: boolean;
  /** Why it could not be pretended. */
  readonly error?: string;
  /** The columns, as they were before, of the tables in which it changes columns. */
  readonly columns?: Columns;
}

/** What runtime/pending.php prints. */
export interface Pending {
  readonly pending: readonly string[];
  /** Tables that the database has; 0 before the first release. */
  readonly tables: number;
  readonly migrations: readonly Migration[];
}

export interface Judged {
  readonly name: string;
  readonly verdict: Verdict;
  /** All of its statements. */
  readonly findings: readonly Finding[];
  readonly contract: boolean;
}

/** Judges migrations in the order in which they run. */
export function judgeMigrations(migrations: readonly Migration[]): Judged[] {
  const judge = new Judge(Object.assign({}, ...migrations.map(({ columns }) => columns ?? {})) as Columns);
  return migrations.map(({ name, statements, contract = false, error }) => {
    const findings = statements.map((statement) => judge.judge(statement));
    if (error !== undefined)
      findings.push({ statement: "", verdict: "unknown", reason: `could not be run as a rehearsal: ${error}` });
    else if (statements.length === 0)
      findings.push({
        statement: "",
        verdict: "unknown",
        reason: "says nothing of what it does, as it works on rows or asks the database first",
      });
    return { name, verdict: worst(findings), findings, contract };
  });
}

/** What is done with migrations that break the release that still serves. */
export type Breaking = "warn" | "refuse";

export interface Plan {
  /** Those that run now, judged. */
  readonly run: readonly Judged[];
  /** Contracting halves that wait for the next release, because the code that serves does not contain them yet. */
  readonly hold: readonly string[];
  /** Those of `run` for which the release is refused. */
  readonly refused: readonly Judged[];
}

/**
 * What a release does with its pending migrations.
 *
 * @param serving the migrations that the image of the serving release contains: who contains the contracting half can
 *   do without what it removes
 */
export function planMigrations({ migrations, tables }: Pending, breaking: Breaking, serving: readonly string[]): Plan {
  // Nobody is served from an empty database.
  const first = tables === 0;
  const hold = first
    ? []
    : migrations.filter(({ name, contract }) => contract === true && !serving.includes(name)).map(({ name }) => name);
  const run = judgeMigrations(migrations.filter(({ name }) => !hold.includes(name)));
  const breaks = ({ verdict, contract }: Judged) => verdict === "breaking" && !contract;
  return { run, hold, refused: first || breaking === "warn" ? [] : run.filter(breaks) };
}

const TITLES: Readonly<Record<Verdict, string>> = {
  additive: "safe for the release that serves",
  breaking: "BREAKS the release that still serves",
  unknown: "can't be judged: look at it",
};

const LONGEST = 300;
const short = (statement: string): string => {
  const line = statement.replace(/\s+/g, " ").trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
};

/** The plan for a person: each migration, its SQL, and what is wrong with it. */
export function describePlan({ run, hold }: Plan, { first = false }: { readonly first?: boolean } = {}): string[] {
  const lines = run.flatMap(({ name, verdict, findings, contract }) => [
    `  ${name}: ` +
      (first
        ? "first release"
        : contract && verdict === "breaking"
          ? "the second half of a change: the code that serves contains it, so it can do without"
          : TITLES[verdict]),
    ...findings.flatMap(({ statement, verdict: one, reason }) => [
      ...(statement === "" ? [] : [`    ${short(statement)}`]),
      ...(reason === undefined || first ? [] : [`      ${one === "breaking" ? "✗" : "?"} ${reason}`]),
    ]),
  ]);
  return [
    ...lines,
    ...hold.map(
      (name) =>
        `  ${name}: waits for the next release, as it is marked as the second half of a change ($drydockContract)`,
    ),
  ];
}

/** Why a release is refused, and what to do. */
export function refusal(refused: readonly Judged[], stack: string): string {
  const why = refused.map(({ name, findings }) => {
    const worstOnes = findings.filter(({ verdict }) => verdict === "breaking");
    return (
      `${name} breaks the release that still serves: ` +
      `${worstOnes.map(({ statement, reason }) => `it ${reason ?? ""} (${short(statement)})`).join("; ")}`
    );
  });
  const names = refused.map(({ name }) => name).join(", ");
  return [
    ...why,
    "Change it in two releases: first code that no longer needs what goes (and new columns with a default or " +
      "NULL), then the migration that removes it.",
    `- Both halves in one: mark the second with \`public bool $drydockContract = true;\` in ${names}; ` +
      "it then runs with the release after this one.",
    `- Or accept that requests fail until the new release serves: pulumi config set -s ${stack} --path ` +
      "drydock:migrate.breaking warn",
  ].join("\n");
}
