import { folderOf, titleOf, type Volume } from "../../contracts/agent.ts";
import type { Entry } from "../../contracts/entry.ts";
import { own } from "../../lib/ownNames.ts";
import type { Agent } from "../agent.ts";
import { askReader, fetched, readCommand } from "../companion/client.ts";
import type { Archived } from "../files/tar.ts";
import { shortened } from "../store/entry.ts";
import { TAR } from "../store/parts.ts";
import { backUpFolder, type FilesCopy, type Making, type Manifest, manifestOf } from "./files.ts";

/** A volume beside storage/app. undefined where there is no file at all. */
export async function backUpVolume(
  agent: Agent,
  volume: Volume,
  backup: Making,
  entries: readonly Entry[],
): Promise<FilesCopy | undefined> {
  if (volume.kind === "service") return await backUpService(agent, volume, backup);
  const [part, root] = [titleOf(volume), folderOf(volume)];
  const last = entries.find(({ volumes }) => volumes !== undefined && Object.hasOwn(volumes, part));
  const sums =
    last === undefined
      ? undefined
      : await agent.local.catalogue.attachment<Readonly<Record<string, Manifest>>>(last.id, "volumes");
  const exclude = [`${root}/.drydock-*`];
  const previous = sums === undefined ? undefined : own(sums, part);
  return await backUpFolder(agent, backup, { part, root, include: ["."], exclude, previous });
}

/**
 * A service's files belong to its own user, and may be closed to all others: a container that runs as that user hands
 * them over, while the service goes on writing.
 */
async function backUpService({ local, reporter }: Agent, volume: Volume, { id, proven }: Making): Promise<FilesCopy> {
  const part = titleOf(volume);
  const info = async () => (await askReader(volume, `/volume/${id}?info`)) as Archived;
  const storing = local.restic.storeOutput(id, part, TAR, readCommand(volume, id), { reporter, proven });
  const { bytes, added } = await fetched(storing, info);
  const { sums, count, changed, unreadable } = await info();
  const missing = unreadable.map((one) => `${part}: ${one}`);
  for (const one of shortened(missing, 5)) reporter.log("warn", one);
  return { sums, missing, entry: { count, bytes, added, manifest: manifestOf(sums), changed } };
}
