import { existsSync, mkdirSync, renameSync } from "node:fs";
import { FOLDERS, type Results } from "../../contracts/agent.ts";
import type { Entry } from "../../contracts/entry.ts";
import type { Agent } from "../agent.ts";
import { AgentError, messageOf, refused } from "../shared/errors.ts";
import { LOCK, withLock } from "../shared/lock.ts";
import { damaged } from "../store/entry.ts";
import type { Restic } from "../store/restic.ts";
import { damagedPacks, isDamage } from "../store/resticMessages.ts";
import { lineage } from "../store/retention.ts";

const HOUR = 3_600_000;

/** Where restic puts copies of damaged packs, and where they are while it must not see them. */
const ASIDE = `${FOLDERS.backups}/damaged`;

/**
 * Checks the repository here and says which backups need what is damaged: those that S3 has as well are read from there
 * from now on, the others are not verified any more.
 * @param part of the data that is read, such as "10%"
 * @throws AgentError naming them, and what to do
 */
export async function checkRepository(agent: Agent, part: string): Promise<void> {
  const { local } = agent;
  await local.restic.ensure();
  await local.restic.check(part).catch(async (error: unknown) => {
    const said = messageOf(error);
    if (!isDamage(said)) throw error;
    const packs = damagedPacks(said);
    const affected = await affectedBy(agent, packs);
    if (affected === undefined) throw error;
    await note(agent, affected, packs);
    throw new AgentError(
      `the repository is damaged: ${packs.length} of its files, which ${affected.length} backups need${list(affected)}`,
      {
        remedy: "take the damaged files out: ./drydock backup repair; then make a full backup: ./drydock backup run",
        cause: error,
      },
    );
  });
}

const list = (entries: readonly Entry[]): string =>
  entries.length === 0
    ? ""
    : `: ${entries.map(({ id, copies }) => (copies.includes("s3") ? `${id} (in S3 as well)` : id)).join(", ")}`;

/** The backups that need a damaged file, or are increments of one that does; undefined where that can't be said. */
async function affectedBy({ local, reporter }: Agent, packs: readonly string[]): Promise<readonly Entry[] | undefined> {
  if (packs.length === 0) return undefined;
  try {
    const damaged = await needing(local.restic, packs);
    const { entries } = await local.catalogue.list();
    const here = entries.filter(({ copies }) => copies.includes("local"));
    return here.filter((entry) => lineage(entries, entry).some(({ id }) => damaged.has(id)));
  } catch (error) {
    reporter.log("warn", `which backups need what is damaged can't be said: ${messageOf(error)}`);
    return undefined;
  }
}

async function note({ local }: Agent, affected: readonly Entry[], packs: readonly string[]): Promise<void> {
  const problem = `what it needs in the repository is damaged (${packs.map((pack) => pack.slice(0, 8)).join(", ")})`;
  for (const entry of affected) await local.catalogue.write(damaged(entry, problem));
}

/**
 * Takes what is damaged out of the repository, so that the next backup stores anew what it shares with it; what can
 * still be read stays.
 */
export async function repair(agent: Agent): Promise<Results["repair"]> {
  return await withLock(LOCK, "a repair", HOUR, async () => {
    const { restic } = agent.local;
    const said = await restic.check("100%").then(() => "", messageOf);
    if (said === "") throw refused("nothing is damaged: all of the repository was read");
    const packs = damagedPacks(said);
    if (!isDamage(said) || packs.length === 0)
      throw new AgentError(`what is wrong can't be taken out: ${said}`, {
        remedy: "keep a copy of the volume of backups, then begin anew: ./drydock backup key reset",
      });
    const affected = (await affectedBy(agent, packs)) ?? [];
    await note(agent, affected, packs);
    await takeOut(restic, packs);
    agent.reporter.log("warn", `${packs.length} damaged files were taken out of the repository`);
    return { files: packs.length, affected: affected.map(({ id }) => id) };
  });
}

/**
 * The ids of the backups of which a snapshot needs one of these packs, which are damaged, of a repository on this disk.
 */
async function needing(restic: Restic, packs: readonly string[]): Promise<ReadonlySet<string>> {
  const said = await without(restic, packs, () => restic.run(["find", "--pack", ...packs]));
  const short = new Set([...said.matchAll(/in snapshot ([0-9a-f]+)/g)].map(([, id]) => id!));
  const named = [...(await restic.ids())].filter(([, snapshots]) =>
    snapshots.some((id) => [...short].some((begin) => id.startsWith(begin))),
  );
  return new Set(named.map(([id]) => id));
}

/** A damaged pack can't say what is in it; of one that is missing, the index says it. */
async function without<T>(restic: Restic, packs: readonly string[], work: () => Promise<T>): Promise<T> {
  const there = packsThere(restic, packs);
  for (const pack of there) renameSync(pathOf(restic, pack), `${ASIDE}/${pack}`);
  try {
    return await work();
  } finally {
    for (const pack of there) renameSync(`${ASIDE}/${pack}`, pathOf(restic, pack));
  }
}

/**
 * Takes damaged packs out of the repository, of its index, and what was in them out of the snapshots; what of them can
 * be read is stored once more.
 */
async function takeOut(restic: Restic, packs: readonly string[]): Promise<void> {
  const there = packsThere(restic, packs);
  // What is missing can't be read: the index is made of what is there.
  if (there.length < packs.length) await restic.run(["repair", "index"]);
  // It puts copies of them where it runs.
  if (there.length > 0) await restic.run(["repair", "packs", ...there], { cwd: ASIDE });
  await restic.run(["repair", "snapshots", "--forget"]);
}

const pathOf = ({ repository }: Restic, pack: string): string => `${repository}/data/${pack.slice(0, 2)}/${pack}`;

/** Those that are not missing; with a folder for them. */
function packsThere(restic: Restic, packs: readonly string[]): readonly string[] {
  mkdirSync(ASIDE, { recursive: true, mode: 0o700 });
  return packs.filter((pack) => existsSync(pathOf(restic, pack)));
}
