import type { Manifest } from "./filesBackup.ts";
import { Restore } from "./companion/client.ts";
import { placeOf, type Agent } from "./context.ts";
import { AgentError, messageOf } from "./errors.ts";
import { runHook } from "./hooks.ts";
import type { Entry, TableSums } from "./protocol.ts";
import { restoreDatabase, sumsUntil } from "./restore.ts";

/** What differs between two sets of sums, in words. */
export function differences(expected: TableSums, restored: TableSums): string[] {
  const missing = Object.keys(expected).filter((table) => restored[table] === undefined).map((table) => `table ${table} is missing`);
  const more = Object.keys(restored).filter((table) => expected[table] === undefined).map((table) => `table ${table} was not there`);
  const other = Object.entries(expected).flatMap(([table, { rows, checksum }]) => {
    const found = restored[table];
    if (found === undefined) return [];
    if (found.rows !== rows) return [`table ${table} has ${found.rows} rows instead of ${rows}`];
    return found.checksum === checksum ? [] : [`table ${table} has ${rows} rows, but other content`];
  });
  return [...missing, ...more, ...other];
}

/** Views and the like, by their names: a dump that loses one has the same tables. */
export function objectDifferences(expected: readonly string[] | undefined, restored: readonly string[]): string[] {
  if (expected === undefined) return [];
  return [...expected.filter((one) => !restored.includes(one)).map((one) => `${one} is missing`), ...restored.filter((one) => !expected.includes(one)).map((one) => `${one} was not there`)];
}

export function fileDifferences(expected: Manifest, restored: Readonly<Record<string, string>>): string[] {
  const wrong = Object.entries(expected).filter(([path, { sum }]) => restored[path] !== sum).map(([path]) => `${path} ${restored[path] === undefined ? "is missing" : "has other content"}`);
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
  const began = Date.now();
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
      const { sums, objects, migrations } = listed.database!;
      problems.push(...differences(sums, restored.sums), ...objectDifferences(objects, restored.objects));
      if (migrations.join() !== restored.migrations.join()) problems.push("the table migrations says otherwise");
      tables = Object.keys(restored.sums).length;
      rows = Object.values(restored.sums).reduce((sum, one) => sum + one.rows, 0);
    }
    if (entry.files !== undefined) {
      const place = placeOf(agent, entry);
      if (fresh !== undefined) listed = await fresh.recorded;
      const expected = fresh?.files ?? await place.catalogue.attachment<Manifest>(entry.id, "files");
      if (expected === undefined) problems.push("the sums of its files are gone");
      const restore = await Restore.begin();
      restores.push(restore);
      await restore.send("files", (to) => place.restic.readFolder(entry.id, "files", to));
      const found = await restore.fileSums();
      problems.push(...fileDifferences(expected ?? {}, found));
      files = Object.keys(found).length;
    }
    const seconds = (Date.now() - began) / 1000;
    await runHook(agent, "validate", { BACKUP_ID: entry.id, RESTORES: restores.map(({ id }) => id).join(" ") });
    return await note(agent, { ...listed, verified: problems.length === 0, verification: { at: new Date().toISOString(), seconds, problems, tables, rows, files } });
  } catch (error) {
    // Without its sums it is not listed.
    if (fresh !== undefined) listed = await fresh.recorded;
    if (error instanceof AgentError && error.transient) throw error;
    await note(agent, { ...listed, verified: false, verification: { at: new Date().toISOString(), seconds: (Date.now() - began) / 1000, problems: [messageOf(error)], tables, rows, files } });
    throw error;
  } finally {
    for (const restore of restores) await restore.remove();
  }
}

async function note(agent: Agent, entry: Entry): Promise<Entry> {
  await agent.local.catalogue.write(entry);
  const { verification } = entry;
  if (entry.verified) agent.reporter.log("info", `backup ${entry.id} is verified: ${verification!.tables} tables, ${verification!.rows} rows, ${verification!.files} files, restored in ${verification!.seconds.toFixed(1)} s`);
  else agent.reporter.log("error", `backup ${entry.id} is not verified: ${verification!.problems.join("; ")}`);
  return entry;
}
