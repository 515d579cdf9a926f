/** What the process says to its caller; documented in every --help. */
export const Exit = { ok: 0, failed: 1, usage: 2, refused: 3, drift: 4, interrupted: 130, terminated: 143 } as const;

export interface Problem {
  /** What happened, and where. */
  readonly what: string;
  /** What to do: whole commands, one a line. */
  readonly remedy?: string;
  /** @default Exit.failed */
  readonly code?: number;
  /** Somebody else changes the stack: waiting may help. */
  readonly held?: Holding;
}

/** Who is changing a stack, as far as it is known. */
export interface Holding {
  /** Undefined where only that somebody does is known. */
  readonly holder?: {
    readonly pid: number;
    readonly username: string;
    readonly hostname: string;
    readonly timestamp: string;
  };
}

/** An error that a person can act on: shown without a stack trace. */
export class CliError extends Error implements Problem {
  readonly what: string;
  readonly remedy?: string;
  readonly code: number;
  readonly held?: Holding;

  constructor(problem: Problem) {
    super(problem.what);
    this.name = "CliError";
    this.what = problem.what;
    if (problem.remedy !== undefined) this.remedy = problem.remedy;
    this.code = problem.code ?? Exit.failed;
    if (problem.held !== undefined) this.held = problem.held;
  }
}

/** An error as a person reads it: `drydock: what`, then the remedy, line under line. */
export function describe(error: unknown, debug = false): string {
  const problem = error instanceof CliError ? error : undefined;
  const what = error instanceof Error ? error.message : String(error);
  const lines = [`drydock: ${what.trimEnd()}`];
  if (problem?.remedy !== undefined) {
    const [first = "", ...rest] = problem.remedy.split("\n");
    lines.push(`  remedy: ${first}`, ...rest.map((line) => `          ${line}`));
  }
  if (debug && error instanceof Error && error.stack !== undefined) lines.push(error.stack);
  return lines.join("\n");
}
