import { writeFileSync } from "node:fs";
import { after } from "mocha";

/** What was seen of one fault. */
export interface Row {
  readonly fault: string;
  readonly failed: number;
  readonly total: number;
  readonly lost: number;
  /** Seconds of the next plain `up`. */
  readonly converged: number;
  /** The failed requests: which, how, and how often. */
  readonly reasons: Readonly<Record<string, number>>;
  /** Why requests may fail. */
  readonly why?: string;
}

const rows: Row[] = [];

/** Also into the file that the environment names, at once: a run that is cut short has said what it saw. */
export function report(row: Row): void {
  rows.push(row);
  const file = process.env.DRYDOCK_FAULTS_JSON;
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(rows, null, 2)}\n`);
}

const shown = (value: number) => (Number.isNaN(value) ? "-" : String(Math.round(value * 10) / 10));

/** All faults, as Markdown. */
export function table(): string {
  const lines = rows.map(
    ({ fault, failed, total, lost, converged, why }) =>
      `| ${fault}${why === undefined ? "" : ` (${why})`} | ${failed} / ${total} | ${shown(lost)} | ` +
      `${shown(converged)} |`,
  );
  return ["| fault | failed / requests | rows lost | seconds to converge |", "|---|---|---|---|", ...lines].join("\n");
}

after(() => {
  if (rows.length > 0) console.log(`\n${table()}\n`);
});
