import { parseLines, parseReleases, ranWith } from "../../records/release.ts";
import { type TrafficLine, trafficOf } from "../../records/traffic.ts";
import { json, type ListOptions, limited, recordsFor, when } from "../shared/listing.ts";
import { readRecords } from "../shared/records.ts";
import { openSession } from "../shared/session.ts";
import { painter, table } from "../shared/ui.ts";

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
    release.image.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+/, "$1…") + (release.pinned === true ? " (rollback)" : ""),
    String(Object.keys(ranWith(all, release)).length),
    when(release.at),
    release.by,
    release.commit ?? "",
    release.seconds == null ? "" : `${release.seconds} s`,
    failedOf(release, trafficOf(watched, release)),
  ]);
  if (rows.length === 0) return "Nothing was released yet.\n";
  const paint = painter(process.stdout);
  return (
    table(["  #", "RELEASE", "IMAGE", "MIGRATIONS", "AT", "BY", "COMMIT", "TOOK", "FAILED"], rows, (cell, column) =>
      column === 0 && cell.startsWith("*") ? paint("green", cell) : cell,
    ) + "\n"
  );
}

/** The requests of `up --watch-traffic` where it watched, else those of the release's own check. */
function failedOf(
  { probes }: { readonly probes?: { readonly failed: number; readonly requests: number } | null },
  traffic: TrafficLine | undefined,
): string {
  if (traffic !== undefined) return `${traffic.failed}/${traffic.total}`;
  return probes == null ? "" : `${probes.failed}/${probes.requests}`;
}
