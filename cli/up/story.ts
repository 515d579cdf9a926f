import { appendFileSync } from "node:fs";
import { CliError } from "../shared/errors.ts";
import { changes, type EngineEvent } from "../shared/events.ts";
import type { Told } from "../shared/migrations.ts";
import { allHealthy, type Report } from "../shared/report.ts";
import type { Traffic } from "./traffic.ts";

/** What an `up` has to tell at its end, as far as it came. Filled while it goes on. */
export interface Story {
  readonly stack: string;
  /** Date.now() */
  readonly began: number;
  /** The events of each update that was made. */
  readonly events: EngineEvent[];
  told?: Told | undefined;
  report?: Report;
  traffic?: Traffic | undefined;
  error?: unknown;
}

export const beginStory = (stack: string): Story => ({ stack, began: Date.now(), events: [] });

/** Text in a table or a line of Markdown: nothing in it is markup. */
const plain = (text: string): string =>
  text.replaceAll(/[\\`*_[\]<>|#&~]/g, (sign) => `&#${sign.charCodeAt(0)};`).replaceAll(/\s+/g, " ");

/** Lines as they are, with a fence that none of them ends. */
function block(text: string): string {
  const fence = "`".repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length + 1)));
  return `${fence}text\n${text.trimEnd()}\n${fence}`;
}

/** How an operation of Pulumi's is called when it is done; parts of a replacement are counted once. */
const DONE: Readonly<Record<string, string>> = {
  create: "created",
  update: "updated",
  replace: "replaced",
  delete: "deleted",
};

/** What was made, changed and taken away: the operation and the resource's name, each once. */
function touched(events: readonly EngineEvent[]): readonly string[] {
  const lines = events
    .flatMap(({ resOutputsEvent }) => resOutputsEvent?.metadata ?? [])
    .filter(({ op, type }) => DONE[op] !== undefined && type !== "pulumi:pulumi:Stack")
    .map(({ op, urn }) => `${DONE[op]!.padEnd(8)} ${urn.split("::").at(-1) ?? ""}`);
  return [...new Set(lines)].sort();
}

/**
 * The job's summary in Markdown: what changed, the migrations, what visitors noticed, how the stack stands, and where
 * it is.
 */
export function summary({ stack, began, events, told, report, traffic, error }: Story, now = Date.now()): string {
  const healthy = report !== undefined && allHealthy(report);
  const head = error === undefined && healthy ? "✅" : "❌";
  const counts = Object.entries(changes(events))
    .filter(([op]) => DONE[op] !== undefined)
    .map(([op, count]) => `${count} ${DONE[op]}`);
  const release = report === undefined || report.release === "" ? "" : `, release \`${report.release}\``;
  const parts = [`### ${head} ${plain(stack)}${release}`];
  if (error !== undefined) {
    const remedy = error instanceof CliError && error.remedy !== undefined ? `\n\n${error.remedy}` : "";
    parts.push(block(`${error instanceof Error ? error.message : String(error)}${remedy}`));
  }
  parts.push(
    [
      `- **Changed:** ${counts.length === 0 ? "nothing" : counts.join(", ")}, in ${Math.round((now - began) / 1000)} s`,
      ...(told === undefined ? [] : [`- **${plain(told.lines[0] ?? "").replace(":", ":**")}`]),
      ...(traffic === undefined
        ? []
        : [`- **Requests failed:** ${traffic.failed} of ${traffic.total}${reasons(traffic)}`]),
      ...(report === undefined || report.url === "" ? [] : [`- **Site:** <${report.url}>`]),
    ].join("\n"),
  );
  if (report !== undefined) {
    const rows = report.services.map(
      ({ name, state, health }) => `| ${[name, state, health].map(plain).join(" | ")} |`,
    );
    parts.push(["| service | state | health |", "|---|---|---|", ...rows].join("\n"));
  }
  const lines = touched(events);
  if (lines.length > 0) {
    parts.push(`<details><summary>${lines.length} resources</summary>\n\n${block(lines.join("\n"))}\n\n</details>`);
  }
  return `${parts.join("\n\n")}\n`;
}

function reasons({ failed, reasons: why }: Traffic): string {
  if (failed === 0) return "";
  return ` (${Object.entries(why)
    .map(([reason, times]) => `${plain(reason)}: ${times}`)
    .join(", ")})`;
}

/**
 * Writes a story's end where it was asked for, or where GitHub shows it. What can't be written is said, and fails
 * nothing.
 */
export function tell(story: Story, file: string | undefined): void {
  const target = file ?? process.env.GITHUB_STEP_SUMMARY ?? "";
  if (target === "") return;
  try {
    appendFileSync(target, summary(story));
  } catch (error) {
    process.stderr.write(`drydock: the summary could not be written to ${target}: ${(error as Error).message}\n`);
  }
}
