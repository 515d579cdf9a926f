import { type Entry, sizesOf } from "../../contracts/entry.ts";
import { type Painter, table } from "../shared/ui.ts";
import { shownName } from "./shown.ts";

export function bytes(count: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = count < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(count) / 10));
  return `${power === 0 ? count : (count / 1024 ** power).toFixed(1)} ${units[power]}`;
}

export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

const when = (iso: string): string => iso.slice(0, 19).replace("T", " ");

export function backupTable(entries: readonly Entry[], paint: Painter): string {
  const rows = entries.map((entry) => [
    entry.id,
    entry.type,
    when(entry.started),
    duration(entry.seconds),
    bytes(sizesOf(entry).bytes),
    bytes(sizesOf(entry).added),
    entry.verified ? "verified" : "not verified",
    entry.verification === undefined ? "-" : duration(entry.verification.seconds),
    entry.copies.join(", "),
    entry.reason,
  ]);
  return table(
    ["id", "type", "started (UTC)", "took", "size", "new bytes", "proof", "RTO", "where", "why"],
    rows,
    (cell, column) => (column === 6 ? paint(cell === "verified" ? "green" : "red", cell) : cell),
  );
}

export function entryLines(entry: Entry): string[] {
  const { database, files, volumes = {}, verification } = entry;
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["backup", `${entry.id} (${entry.type}, ${entry.reason})`],
    ["started", `${entry.started}, took ${duration(entry.seconds)}`],
    [
      "verified",
      entry.verified
        ? `${verification?.at}: restored in ${duration(verification?.seconds ?? 0)}, ` +
          `${verification?.tables} tables with ${verification?.rows} rows and ${verification?.files} files as they ` +
          "were"
        : `no${verification === undefined ? "" : `: ${verification.problems.join("; ")}`}`,
    ],
    [
      "database",
      database &&
        `${database.schema}, ${database.format}, ${database.engine} ${database.version}, ${bytes(database.bytes)}, ` +
          `${bytes(database.added)} new`,
    ],
    [
      "position",
      database?.position && `${database.position.file} ${database.position.position}: points in time from here on`,
    ],
    ["migrations", database && `${database.migrations.length}, the last one ${database.migrations.at(-1) ?? "-"}`],
    ["files", files && `${files.count}, ${bytes(files.bytes)}, ${bytes(files.added)} new`],
    ...Object.entries(volumes).map(
      ([title, { count, bytes: all, added, changed }]) =>
        [
          "files",
          `${title}: ${count}, ${bytes(all)}, ` +
            `${bytes(added)} new${changed === 0 ? "" : `; ${changed} were written to while they were read`}`,
        ] as const,
    ),
    ["where", entry.copies.join(", ")],
    ...(entry.missing ?? []).map((one) => ["missing", one] as const),
    ...(entry.unproven ?? []).map((one) => ["unproven", one] as const),
    ...(database?.definers ?? []).map(
      (one) => ["definer", `${one}: views, triggers, routines or events run as it`] as const,
    ),
  ];
  // Names of tables, files and accounts were chosen by others.
  return rows.flatMap(([name, text]) => (text === undefined ? [] : [`${name.padEnd(11)}${shownName(text)}`]));
}
