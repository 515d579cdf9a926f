import type { Writable } from "node:stream";
import type { Entry } from "../../contracts/entry.ts";
import { own } from "../../lib/ownNames.ts";
import { type Agent, placeOf, reading } from "../agent.ts";
import { companionSpace, forgetKept, Restore } from "../companion/client.ts";
import type { FileSums, Sums } from "../files/sums.ts";
import { runHook } from "../hooks.ts";
import { steadyNow } from "../shared/clock.ts";
import { AgentError, messageOf } from "../shared/errors.ts";
import { withVerification } from "../store/entry.ts";
import { readVolume } from "../store/parts.ts";
import { differences, fileDifferences } from "./compare.ts";
import { needed, restoreDatabase, sumsUntil } from "./database.ts";

/** What a restore is compared with where the backup was made just now. */
export interface Recorded {
  /** The entry with its sums, once they have been taken and it is listed. */
  readonly recorded: Promise<Entry>;
  readonly files: Sums | undefined;
  readonly volumes: Readonly<Record<string, Sums>> | undefined;
}

/** Restores a backup, compares everything, and notes the outcome in the catalogue. Only the same is verified. */
export async function verifyBackup(agent: Agent, entry: Entry, fresh?: Recorded): Promise<Entry> {
  const began = steadyNow();
  let listed = entry;
  const problems: string[] = [];
  let [tables, rows, files] = [0, 0, 0];
  const restores: Restore[] = [];
  const place = placeOf(agent, entry);
  const unpacked = async (read: (to: Writable) => Promise<void>): Promise<FileSums> => {
    const restore = await Restore.begin();
    restores.push(restore);
    await reading(agent, entry, () => restore.send("files", read));
    return await restore.fileSums();
  };
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
      if (fresh !== undefined) listed = await fresh.recorded;
      const expected = fresh?.files ?? (await place.catalogue.attachment<Sums>(entry.id, "files"));
      if (expected === undefined) problems.push("the sums of its files are gone");
      const found = await unpacked((to) => place.restic.readFolder(entry.id, "files", to));
      problems.push(...fileDifferences(expected ?? {}, found));
      files = Object.keys(found).length;
    }
    const titles = Object.keys(entry.volumes ?? {});
    if (titles.length > 0) {
      if (fresh !== undefined) listed = await fresh.recorded;
      const sums =
        fresh?.volumes ?? (await place.catalogue.attachment<Record<string, Sums>>(entry.id, "volumes")) ?? {};
      for (const title of titles) {
        const expected = own(sums, title);
        if (expected === undefined) problems.push(`${title}: the sums of its files are gone`);
        const found = await unpacked((to) => readVolume(place.restic, entry.id, title, to));
        problems.push(...fileDifferences(expected ?? {}, found).map((one) => `${title}: ${one}`));
        files += Object.keys(found).length;
      }
    }
    const seconds = (steadyNow() - began) / 1000;
    await runHook(agent, "validate", { BACKUP_ID: entry.id, RESTORES: restores.map(({ id }) => id).join(" ") });
    const noted = await note(agent, withVerification(listed, { seconds, problems, tables, rows, files }));
    if (noted.verified && noted.database !== undefined) await keepRestored(agent, noted, restores[0]!);
    return noted;
  } catch (error) {
    // Without its sums it is not listed.
    if (fresh !== undefined) listed = await fresh.recorded;
    if (error instanceof AgentError && error.transient) throw error;
    const seconds = (steadyNow() - began) / 1000;
    await note(agent, withVerification(listed, { seconds, problems: [messageOf(error)], tables, rows, files }));
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
      `backup ${entry.id} is verified: ${verification!.tables} tables, ${verification!.rows} rows, ` +
        `${verification!.files} files, restored in ${verification!.seconds.toFixed(1)} s`,
    );
  else agent.reporter.log("error", `backup ${entry.id} is not verified: ${verification!.problems.join("; ")}`);
  return entry;
}
