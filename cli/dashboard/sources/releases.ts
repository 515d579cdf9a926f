import { parseAudit } from "../../../records/audit.ts";
import { parseLines, parseReleases, type Release, ranWith } from "../../../records/release.ts";
import { type TrafficLine, trafficOf } from "../../../records/traffic.ts";
import { readRecords } from "../../shared/records.ts";
import type { ReleaseRow } from "../page/state.ts";
import type { Changes } from "../release/changes.ts";
import type { Target } from "../target.ts";
import { type Source, told } from "./source.ts";

/** How many releases the page shows. */
const MOST = 20;

/** What `./drydock releases` and `./drydock audit` say. */
export function releases(target: Target, changes: Changes): Source {
  return {
    name: "releases",
    parts: ["releases"],
    every: 60_000,
    async read() {
      const { records, outputs } = await target.now();
      if (records === undefined) return { releases: { absent: { what: "nothing was recorded of this stack yet" } } };
      const files = ["releases.jsonl", "traffic.jsonl", "audit.jsonl"] as const;
      const read = await readRecords(records, target.session.env, files);
      changes.audit = parseAudit(read["audit.jsonl"]);
      changes.recorded = parseReleases(read["releases.jsonl"]);
      const watched = parseLines<TrafficLine>(read["traffic.jsonl"]);
      return { releases: told(releaseRows(parseReleases(read["releases.jsonl"]), watched, outputs.release)) };
    },
    key: ({ containers, activity }) =>
      JSON.stringify([containers.value?.release, activity.value?.change?.since, activity.value?.releases.length]),
  };
}

/** @param all oldest first @param serving the release that visitors are served by */
export function releaseRows(all: readonly Release[], watched: readonly TrafficLine[], serving: string): ReleaseRow[] {
  const current = all.findLast(({ release }) => release === serving)?.sequence;
  return all
    .map((one, index): ReleaseRow => {
      const traffic = trafficOf(watched, one);
      const counted = traffic ?? (one.probes == null ? undefined : { total: one.probes.requests, ...one.probes });
      return {
        ...{ sequence: one.sequence, release: one.release, image: one.image, by: one.by, at: one.at },
        commit: one.commit ?? "",
        current: one.sequence === current,
        seconds: one.seconds ?? null,
        changes: changesOf(one, all[index - 1], Object.keys(ranWith(all, one))),
        requests: counted === undefined ? null : { total: counted.total, failed: counted.failed },
      };
    })
    .reverse()
    .slice(0, MOST);
}

const short = (image: string): string => image.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]+/, "$1…");

/** What is not as it was in the release before. Of variables and settings, records have a hash alone. */
export function changesOf(one: Release, before: Release | undefined, ran: readonly string[]): string[] {
  const migrations = ran.length === 0 ? [] : [`ran ${ran.join(", ")}`];
  if (before === undefined) return ["the first one that is recorded", ...migrations];
  const found = [
    ...(one.pinned === true && before.pinned !== true ? ["gone back to an earlier release"] : []),
    ...(one.image !== before.image
      ? [`image: ${short(before.image)} → ${short(one.image)}`]
      : one.id !== before.id
        ? ["image: another one of the same name"]
        : []),
    ...(one.env !== before.env ? ["variables"] : []),
    ...(one.settings !== before.settings ? ["settings"] : []),
    ...((one.commit ?? "") !== (before.commit ?? "") ? [`commit: ${before.commit ?? "–"} → ${one.commit ?? "–"}`] : []),
    ...migrations,
  ];
  return found.length === 0 ? ["nothing that is recorded"] : found;
}
