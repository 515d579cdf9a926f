import type { Entry } from "../../contracts/entry.ts";
import type { Agent, Place } from "../agent.ts";
import { refused } from "../shared/errors.ts";
import { after, inPlaces } from "../store/entry.ts";
import { lineage } from "../store/retention.ts";
import { s3Store } from "../store/store.ts";
import { whileThere } from "../store/whileThere.ts";

/**
 * Puts a backup, and what it is an increment of, into S3: data, then what lies beside the entry, then the entry, then
 * `latest`.
 */
export async function copyToS3(agent: Agent, entry: Entry): Promise<Entry> {
  const { s3 } = agent;
  if (s3 === undefined) return entry;
  return await whileThere(s3, async () => {
    await s3.ownership.hold();
    return await copy(agent, s3, entry);
  });
}

async function copy({ local, reporter, configuration }: Agent, s3: Place, entry: Entry): Promise<Entry> {
  await s3.restic.ensure();
  const { entries } = await local.catalogue.list();
  const [snapshots, there] = [await local.restic.ids(), await s3.restic.ids()];
  const wanted = lineage(entries, entry);
  let copied = entry;
  for (const [index, one] of wanted.entries()) {
    if (!there.has(one.id)) await s3.restic.copyFrom(local.restic, snapshots.get(one.id) ?? []);
    copied = inPlaces(one, "local", "s3");
    await s3.catalogue.write(inPlaces(copied, "s3"), await local.catalogue.attachments(one.id));
    await local.catalogue.write(copied);
    reporter.progress("copy", index + 1, wanted.length, "steps");
  }
  if (copied.verified)
    await s3Store(configuration)!.put(
      "latest",
      Buffer.from(JSON.stringify({ id: copied.id, finished: copied.finished, verified: copied.verified })),
    );
  reporter.log("info", `backup ${copied.id} is in S3`);
  return copied;
}

/** Those that are not in S3, oldest first. */
export async function copyMissing(agent: Agent): Promise<void> {
  const { entries } = await agent.local.catalogue.list();
  for (const entry of [...entries].reverse())
    if (entry.verified && !entry.copies.includes("s3")) await copyToS3(agent, entry);
}

/**
 * On an empty machine: takes S3's catalogue as its own, and the bucket too where no other agent is at work on it. As
 * long as one is, this one reads there and writes nothing: a drill beside the living stack.
 * @param takeOver whoever is at work there
 */
export async function adopt(agent: Agent, takeOver = false): Promise<number> {
  if (agent.s3 === undefined)
    throw refused(
      "no bucket is configured, so there is nothing to take over",
      "set drydock:backup.s3, or drydock:bucket, and deploy",
    );
  const { entries, unreadable } = await agent.s3.catalogue.list();
  if (entries.length === 0) {
    if (unreadable.length > 0)
      throw refused(
        `none of the ${unreadable.length} backups in the bucket can be read with this key`,
        "drydock:backup.key must be the one that ./drydock backup key export showed",
      );
    const { bucket, prefix } = agent.configuration.s3!;
    throw refused(
      `there is no backup in the bucket ${bucket}${prefix === "" ? "" : ` under ${prefix}`}`,
      "are drydock:backup.s3's bucket and prefix those of the stack that made them?",
    );
  }
  const { ownership } = agent.s3;
  const other = takeOver ? undefined : await ownership.other();
  if (other === undefined) await ownership.take();
  else
    agent.reporter.log(
      "warn",
      `the bucket is read, and not written to: the agent of stack ${other.stack} (container ${other.host}) ` +
        `was at work on it at ${other.seen}`,
    );
  const here = (await agent.local.catalogue.list()).entries;
  const known = new Set(here.map(({ id }) => id));
  const unknown = entries.filter(({ id }) => !known.has(id));
  // What was made here meanwhile is newer than all that is there.
  const there = new Set(entries.map(({ id }) => id));
  const last = Math.max(0, ...entries.map(({ sequence = 0 }) => sequence));
  for (const entry of here) {
    if (!there.has(entry.id) && (entry.sequence ?? 0) <= last) await agent.local.catalogue.write(after(entry, last));
  }
  for (const entry of [...unknown].reverse())
    await agent.local.catalogue.write(entry, await agent.s3.catalogue.attachments(entry.id));
  return unknown.length;
}
