import { parseAudit } from "../records/audit.ts";
import { parseLines, parseReleases, ranWith } from "../records/release.ts";
import { type TrafficLine, trafficOf } from "../records/traffic.ts";
import { CliError, Exit } from "./errors.ts";
import { LOCAL } from "./project.ts";
import { type Records, readRecords, rememberedRecords } from "./records.ts";
import { deployed } from "./services.ts";
import { openSession, type Session } from "./session.ts";
import { painter, table } from "./ui.ts";

export interface ListOptions {
  readonly stack?: string | undefined;
  readonly limit: number;
  readonly json: boolean;
}

/** What `./drydock releases` prints. */
export async function releases(options: ListOptions): Promise<string> {
  const session = await openSession({ stack: options.stack, brief: true });
  const [records, serving] = await recordsFor(session);
  const files = await readRecords(records, session.env, ["releases.jsonl", "traffic.jsonl"]);
  const all = parseReleases(files["releases.jsonl"]);
  const watched = parseLines<TrafficLine>(files["traffic.jsonl"]);
  const current = all.findLast(({ release }) => serving === undefined || release === serving)?.sequence;
  const newest = all.toReversed().slice(0, limited(options));
  if (options.json) {
    return json(
      newest.map((release) => ({
        ...release,
        current: release.sequence === current,
        traffic: trafficOf(watched, release) ?? null,
        migrations: { ...release.migrations, ran: ranWith(all, release) },
      })),
    );
  }
  const rows = newest.map((release) => [
    `${release.sequence === current ? "*" : " "} ${release.sequence}`,
    release.release,
    `${release.image.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+/, "$1…")}${release.pinned === true ? " (rollback)" : ""}`,
    String(Object.keys(ranWith(all, release)).length),
    when(release.at),
    release.by,
    release.commit ?? "",
    release.seconds == null ? "" : `${release.seconds} s`,
    failedOf(release, trafficOf(watched, release)),
  ]);
  if (rows.length === 0) return "Nothing was released yet.\n";
  const paint = painter(process.stdout);
  return `${table(["  #", "RELEASE", "IMAGE", "MIGRATIONS", "AT", "BY", "COMMIT", "TOOK", "FAILED"], rows, (cell, column) => (column === 0 && cell.startsWith("*") ? paint("green", cell) : cell))}\n`;
}

/** The requests of `up --watch-traffic` where it watched, else those of the release's own check. */
function failedOf(
  { probes }: { readonly probes?: { readonly failed: number; readonly requests: number } | null },
  traffic: TrafficLine | undefined,
): string {
  if (traffic !== undefined) return `${traffic.failed}/${traffic.total}`;
  return probes == null ? "" : `${probes.failed}/${probes.requests}`;
}

/** What `./drydock audit` prints. */
export async function auditLog(options: ListOptions): Promise<string> {
  const session = await openSession({ stack: options.stack, brief: true });
  const records = rememberedRecords(session) ?? (await recordsFor(session))[0];
  const newest = parseAudit((await readRecords(records, session.env, ["audit.jsonl"]))["audit.jsonl"])
    .reverse()
    .slice(0, limited(options));
  if (options.json) return json(newest);
  if (newest.length === 0) return "Nothing was written down yet.\n";
  const paint = painter(process.stdout);
  const rows = newest.map(({ at, by, verb, args, result, seconds }) => [
    when(at),
    by,
    [verb, ...args].join(" "),
    result,
    seconds === undefined ? "" : `${seconds} s`,
  ]);
  return `${table(["AT", "BY", "VERB", "RESULT", "TOOK"], rows, (cell, column) => (column === 3 ? paint(cell === "done" ? "green" : cell === "begun" ? "yellow" : "red", cell) : cell))}\n`;
}

async function recordsFor(session: Session): Promise<readonly [Records, string | undefined]> {
  const { records, outputs } = await deployed(session);
  if (records === undefined) {
    throw new CliError({
      what: `stack ${session.stack} has no records yet`,
      remedy: `./drydock up${session.stack === LOCAL ? "" : ` -s ${session.stack}`} begins them`,
    });
  }
  return [records, outputs.release];
}

function limited({ limit }: ListOptions): number {
  if (!Number.isInteger(limit) || limit < 1)
    throw new CliError({ what: "--limit is a whole number, 1 or more", code: Exit.usage });
  return limit;
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const when = (iso: string): string => iso.replace("T", " ").replace(/(\.\d+)?Z$/, "Z");
