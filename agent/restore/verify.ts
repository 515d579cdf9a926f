import type { Entry, TableSums } from "../../contracts/agent.ts";
import { own } from "../../lib/ownNames.ts";
import { type Agent, placeOf } from "../agent.ts";
import type { Summed } from "../database/sums.ts";
import { shown } from "../files/names.ts";
import type { FileSums } from "../files/sums.ts";
import { companionSpace, forgetKept, Restore } from "../sandbox/client.ts";
import { steadyNow } from "../shared/clock.ts";
import { AgentError, messageOf } from "../shared/errors.ts";
import type { Manifest } from "../snapshot/files.ts";
import { runHook } from "../snapshot/hooks.ts";
import { reading } from "../store/copy.ts";
import { needed, restoreDatabase, sumsUntil } from "./database.ts";

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

export function fileDifferences(expected: Manifest, restored: FileSums): string[] {
  const wrong = Object.entries(expected)
    .filter(([path, { sum }]) => !Object.hasOwn(restored, path) || restored[path] !== sum)
    .map(([path]) => `${shown(path)} ${Object.hasOwn(restored, path) ? "has other content" : "is missing"}`);
  return wrong.length > 5 ? [...wrong.slice(0, 5), `and ${wrong.length - 5} files more`] : wrong;
}

/** What a restore is compared with where the backup was made just now. */
export interface Recorded {
  /** The entry with its sums, once they have been taken and it is listed. */
  readonly recorded: Promise<Entry>;
  readonly files: Manifest | undefined;
}

/** Restores a backup, compares everything, and notes the outcome in the catalogue. Only the same is verified. */
export async function verifyBackup(agent: Agent, entry: Entry, fresh?: Recorded): Promise<Entry> {
  const began = steadyNow();
  let listed = entry;
  const problems: string[] = [];
  let [tables, rows, files] = [0, 0, 0];
  const restores: Restore[] = [];
  try {
    if (entry.database !== undefined) {
      const restore = await restoreDatabase(agent, entry, sumsUntil(entry));
      restores.push(restore);
      const restored = await restore.sums(entry.database.schema);
      if (fresh !== undefined) listed = await fresh.recorded;
      problems.push(...differences(listed.database!, restored));
      tables = Object.keys(restored.sums).length;
      rows = Object.values(restored.sums).reduce((sum, one) => sum + one.rows, 0);
    }
    if (entry.files !== undefined) {
      const place = placeOf(agent, entry);
      if (fresh !== undefined) listed = await fresh.recorded;
      const expected = fresh?.files ?? (await place.catalogue.attachment<Manifest>(entry.id, "files"));
      if (expected === undefined) problems.push("the sums of its files are gone");
      const restore = await Restore.begin();
      restores.push(restore);
      await reading(agent, entry, () => restore.send("files", (to) => place.restic.readFolder(entry.id, "files", to)));
      const found = await restore.fileSums();
      problems.push(...fileDifferences(expected ?? {}, found));
      files = Object.keys(found).length;
    }
    const seconds = (steadyNow() - began) / 1000;
    await runHook(agent, "validate", { BACKUP_ID: entry.id, RESTORES: restores.map(({ id }) => id).join(" ") });
    const noted = await note(agent, {
      ...listed,
      verified: problems.length === 0,
      verification: { at: new Date().toISOString(), seconds, problems, tables, rows, files },
    });
    if (noted.verified && noted.database !== undefined) await keepRestored(agent, noted, restores[0]!);
    return noted;
  } catch (error) {
    // Without its sums it is not listed.
    if (fresh !== undefined) listed = await fresh.recorded;
    if (error instanceof AgentError && error.transient) throw error;
    await note(agent, {
      ...listed,
      verified: false,
      verification: {
        at: new Date().toISOString(),
        seconds: (steadyNow() - began) / 1000,
        problems: [messageOf(error)],
        tables,
        rows,
        files,
      },
    });
    throw error;
  } finally {
    for (const restore of restores) await restore.remove();
  }
}

/**
 * Leaves what was compared for restores, where it is of the newest backup and as much room stays for the next proof.
 */
async function keepRestored({ configuration, local, reporter }: Agent, entry: Entry, restore: Restore): Promise<void> {
  try {
    const { entries } = await local.catalogue.list();
    if (entries.find(({ verified, database }) => verified && database?.format === "physical")?.id !== entry.id) return;
    await forgetKept();
    // A hook may have changed what was restored.
    if (!configuration.keepRestored || configuration.hooks.validate !== undefined) return;
    if ((await companionSpace()) >= needed(entry)) await restore.keep(entry.id, entry.database!.schema);
    else reporter.log("info", "what was restored is not kept: there would not be room for another restore");
  } catch (error) {
    reporter.log("warn", `what was restored is not kept: ${messageOf(error)}`);
  }
}

async function note(agent: Agent, entry: Entry): Promise<Entry> {
  await agent.local.catalogue.write(entry);
  const { verification } = entry;
  if (entry.verified)
    agent.reporter.log(
      "info",
      `backup ${entry.id} is verified: ${verification!.tables} tables, ${verification!.rows} rows, ${verification!.files} files, restored in ${verification!.seconds.toFixed(1)} s`,
    );
  else agent.reporter.log("error", `backup ${entry.id} is not verified: ${verification!.problems.join("; ")}`);
  return entry;
}
