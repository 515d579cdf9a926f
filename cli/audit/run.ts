import { parseAudit, STARTED } from "../../records/audit.ts";
import { json, type ListOptions, limited, recordsFor, when } from "../shared/listing.ts";
import { readRecords, rememberedRecords } from "../shared/records.ts";
import { openSession } from "../shared/session.ts";
import { painter, table } from "../shared/ui.ts";

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
  return (
    table(["AT", "BY", "VERB", "RESULT", "TOOK"], rows, (cell, column) =>
      column === 3 ? paint(cell === "done" ? "green" : cell === STARTED ? "yellow" : "red", cell) : cell,
    ) + "\n"
  );
}
