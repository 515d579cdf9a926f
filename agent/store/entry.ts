import { randomBytes } from "node:crypto";
import type { BackupType, BinlogPosition, Entry, TableSum } from "../../contracts/entry.ts";
import { defined } from "../../lib/defined.ts";
import { keepsHistory } from "../database/dumpPlan.ts";
import type { Summed } from "../database/sums.ts";
import { shown } from "../files/names.ts";

// All that becomes of an entry of the catalogue, from its first form to its copy: no other module makes or changes one.

/** A name that sorts by time, such as 20261122T163000Z-3f2a. */
export const newId = (now: Date): string =>
  `${now.toISOString().replace(/[-:]|\.\d+/g, "")}-${randomBytes(2).toString("hex")}`;

/** What was put into the repository as one part of a backup; `missing`: what was not, in words. */
export interface PartCopy<T> {
  readonly entry: T;
  readonly missing: readonly string[];
}

/** What a backup is made of, before anybody has looked whether it can be restored. */
export interface Made {
  readonly id: string;
  readonly sequence: number;
  readonly type: BackupType;
  readonly reason: string;
  readonly stack: string;
  readonly started: Date;
  readonly seconds: number;
  readonly database: PartCopy<NonNullable<Entry["database"]>> | undefined;
  readonly files: PartCopy<NonNullable<Entry["files"]>> | undefined;
  /** By their titles. */
  readonly volumes: Readonly<Record<string, PartCopy<NonNullable<Entry["files"]>>>>;
  /** Whole parts that could not be backed up, and why, in words. */
  readonly lost: readonly string[];
}

/** A backup as it lies in the repository: not proven, and of its database without the sums: see `withSums`. */
export function entryOf({ database, files, volumes, lost, started, ...made }: Made): Entry {
  const others = Object.entries(volumes);
  const missing = [
    ...lost,
    ...(database?.missing ?? []),
    ...(files?.missing ?? []),
    ...others.flatMap(([, one]) => one.missing),
  ];
  return {
    ...made,
    started: started.toISOString(),
    finished: new Date().toISOString(),
    verified: false,
    ...(missing.length === 0 ? {} : { missing: shortened(missing) }),
    ...defined({ database: database?.entry, files: files?.entry }),
    ...(others.length === 0 ? {} : { volumes: Object.fromEntries(others.map(([title, { entry }]) => [title, entry])) }),
    copies: ["local"],
  };
}

/** The first of many texts, and how many more there are. @param most @default 50: an entry has room for them */
export function shortened(texts: readonly string[], most = 50): string[] {
  return texts.length <= most ? [...texts] : [...texts.slice(0, most), `and ${texts.length - most} more`];
}

/** With the place in the binary log at which its sums are taken; undefined where the server writes none. */
export const withSumsPosition = (entry: Entry, sumsPosition: BinlogPosition | undefined): Entry =>
  entry.database === undefined ? entry : { ...entry, database: { ...entry.database, ...defined({ sumsPosition }) } };

/** With what a restore of it has to have, of what the live database had. */
export function withSums(
  entry: Entry,
  { sums, sequences, objects, migrations, inMemory, versioned, unlisted }: Summed,
): Entry {
  const { excluded = [], absentDefiners = [], ...database } = entry.database!;
  const lost = "its rows are in the server's memory alone (MEMORY), and so in no copy of its files";
  const past = `a dump of ${database.version} has its rows of now, and not its history`;
  const before = Object.entries(database.sums);
  const settled = (table: string, { rows, checksum }: TableSum): boolean =>
    before.length === 0 ||
    before.some(([name, one]) => name === table && one.rows === rows && one.checksum === checksum);
  const unprovenOf = (table: string, sum: TableSum): string | undefined => {
    if (database.format === "physical") return inMemory.includes(table) ? lost : undefined;
    if (versioned.includes(table) && !keepsHistory(database.version)) return past;
    return sum.unproven !== undefined || settled(table, sum) ? undefined : "it was written to while it was dumped";
  };
  const judged = Object.entries(sums)
    .filter(([table]) => !excluded.includes(`table ${table}`))
    .map(([table, sum]): [string, TableSum] => {
      const reason = unprovenOf(table, sum);
      return [table, reason === undefined ? sum : { ...sum, unproven: reason }];
    });
  const unproven = [
    ...judged.flatMap(([table, { unproven }]) => (unproven === undefined ? [] : [`table ${table}: ${unproven}`])),
    ...unlisted,
    ...absentDefiners.map(
      (account) => `the account ${account}, which views, triggers, routines or events run as, does not exist`,
    ),
  ].map(shown);
  return {
    ...entry,
    ...(unproven.length === 0 ? {} : { unproven: [...(entry.unproven ?? []), ...unproven] }),
    database: {
      ...entry.database!,
      sums: Object.fromEntries(judged),
      sequences: { ...sequences },
      objects: objects.filter((object) => !excluded.includes(object)),
      migrations: [...migrations],
    },
  };
}

/** With what came of restoring it. No problem: it is verified. */
export const withVerification = (entry: Entry, found: Omit<NonNullable<Entry["verification"]>, "at">): Entry => ({
  ...entry,
  verified: found.problems.length === 0,
  verification: { at: new Date().toISOString(), ...found },
});

/** With the places where it is. */
export const inPlaces = (entry: Entry, ...copies: Entry["copies"]): Entry => ({ ...entry, copies });

/** Of what is no longer whole here: it counts in S3 alone, where it is there; else no longer as verified. */
export function damaged(entry: Entry, problem: string): Entry {
  if (entry.copies.includes("s3")) return inPlaces(entry, "s3");
  const { verification } = entry;
  return {
    ...entry,
    verified: false,
    ...(verification === undefined ? {} : { verification: { ...verification, problems: [problem] } }),
  };
}

/** With its place behind all that another machine has made. */
export const after = (entry: Entry, last: number): Entry => ({ ...entry, sequence: last + (entry.sequence ?? 0) });
