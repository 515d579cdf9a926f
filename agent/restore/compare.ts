import type { Entry, TableSums } from "../../contracts/entry.ts";
import { own } from "../../lib/ownNames.ts";
import type { Summed } from "../database/sums.ts";
import { shown } from "../files/names.ts";
import type { FileSums, Sums } from "../files/sums.ts";

/** What a database is compared by; what is optional is absent in backups of earlier agents. */
type Content = Pick<NonNullable<Entry["database"]>, "sums" | "sequences" | "objects" | "migrations">;
export type Restored = Pick<Summed, "sums" | "objects" | "migrations"> &
  Partial<Pick<Summed, "sequences" | "versioned">>;

/**
 * What differs between a database and what was recorded of it, in words. What could not be proven is only to be there.
 */
export function differences(expected: Content, restored: Restored): string[] {
  const other = Object.entries(expected.sums).flatMap(([table, { rows, checksum, columns, unproven }]) => {
    const found = own(restored.sums, table);
    if (found === undefined || unproven !== undefined) return [];
    if (found.unproven !== undefined) return [`table ${table} can't be compared: ${found.unproven}`];
    if (found.rows !== rows) return [`table ${table} has ${found.rows} rows instead of ${rows}`];
    // Earlier agents took the sum otherwise.
    if (columns === undefined && found.columns !== undefined) return [];
    return found.checksum === checksum ? [] : [`table ${table} has ${rows} rows, but other content`];
  });
  // Earlier agents did not look at tables with a history.
  const ignored = expected.sequences === undefined ? (restored.versioned ?? []) : [];
  const there = Object.fromEntries(
    Object.entries(restored.sums).filter(([table]) => Object.hasOwn(expected.sums, table) || !ignored.includes(table)),
  );
  return [
    ...unlike(names(expected.sums), names(there)),
    ...other,
    ...(expected.sequences === undefined ? [] : sequenceDifferences(expected.sequences, restored.sequences ?? {})),
    // A dump that loses a view has the same tables.
    ...(expected.objects === undefined ? [] : unlike(expected.objects, restored.objects)),
    ...(expected.migrations.join() === restored.migrations.join() ? [] : ["the table migrations says otherwise"]),
  ].map(shown);
}

/**
 * A sequence knows no transactions: its next value is to lie between those from before and after the backup's moment.
 */
function sequenceDifferences(expected: NonNullable<Content["sequences"]>, restored: Summed["sequences"]): string[] {
  const named = (sequences: object): string[] => Object.keys(sequences).map((name) => `sequence ${name}`);
  const wrong = Object.entries(expected).flatMap(([name, range]) => {
    const [found] = own(restored, name) ?? [];
    if (found === undefined) return [];
    const [low, high] = [...range].map(BigInt).sort((a, b) => (a < b ? -1 : 1)) as [bigint, bigint];
    if (BigInt(found) >= low && BigInt(found) <= high) return [];
    return [`sequence ${name} goes on with ${found} instead of ${[...new Set(range)].join(" to ")}`];
  });
  return [...unlike(named(expected), named(restored)), ...wrong];
}

const names = (sums: TableSums): string[] => Object.keys(sums).map((table) => `table ${table}`);
const unlike = (expected: readonly string[], restored: readonly string[]): string[] => [
  ...expected.filter((one) => !restored.includes(one)).map((one) => `${one} is missing`),
  ...restored.filter((one) => !expected.includes(one)).map((one) => `${one} was not there`),
];

export function fileDifferences(expected: Sums, restored: FileSums): string[] {
  const wrong = Object.entries(expected)
    .filter(([path, { sum }]) => !Object.hasOwn(restored, path) || restored[path] !== sum)
    .map(([path]) => `${shown(path)} ${Object.hasOwn(restored, path) ? "has other content" : "is missing"}`);
  return wrong.length > 5 ? [...wrong.slice(0, 5), `and ${wrong.length - 5} files more`] : wrong;
}
