import { EXIT, titleOf } from "../../contracts/agent.ts";
import { type BackupType, type Entry, sizesOf } from "../../contracts/entry.ts";
import type { Agent } from "../agent.ts";
import type { Sums } from "../files/sums.ts";
import { runHook } from "../hooks.ts";
import { verifyBackup } from "../restore/verify.ts";
import { steadyNow } from "../shared/clock.ts";
import { AgentError, messageOf, refused, wrongKey } from "../shared/errors.ts";
import { LOCK, withLock } from "../shared/lock.ts";
import { tryAgain } from "../shared/retry.ts";
import { type Attachments, nextSequence } from "../store/catalogue.ts";
import { makeRoom, tooLittle } from "../store/diskSpace.ts";
import { entryOf, newId, withSums, withSumsPosition } from "../store/entry.ts";
import { stateNow } from "../store/state.ts";
import { copyToS3 } from "../upkeep/copy.ts";
import { backUpDatabase, sumLive } from "./database.ts";
import { backUpFiles, type FilesCopy, type Making } from "./files.ts";
import { backUpVolume } from "./volumes.ts";

const HOUR = 3_600_000;

export interface RunOptions {
  readonly type: BackupType;
  readonly reason: string;
  readonly verify: boolean;
}

/**
 * Makes a backup, lists it when all of it is there, and proves it by restoring it. What failed for a reason that passes
 * is tried again.
 * @throws AgentError; nothing partial is listed, and what was listed before stays as it was
 */
export async function runBackup(agent: Agent, options: RunOptions): Promise<Entry> {
  return await withLock(LOCK, `a backup (${options.type}, ${options.reason})`, HOUR, async () => {
    const copied = await tryAgain(agent, (last) => copyParts(agent, options, last)).catch(async (error: unknown) => {
      if (isFull(error)) await makeRoom(agent.local.restic, agent.reporter);
      throw error;
    });
    const entry = await tryAgain(agent, () => publish(agent, copied, options.verify));
    if (options.verify && !entry.verified) {
      throw new AgentError(
        `backup ${entry.id} was made, but is not what was backed up: ${entry.verification?.problems.join("; ")}`,
        { code: EXIT.notVerified, remedy: "./drydock backup verify latest; the one before is untouched" },
      );
    }
    await runHook(agent, "post", { BACKUP_ID: entry.id });
    const safe = await copyToS3(agent, entry).catch((error: unknown) => {
      // It is safe here; the agent goes on trying.
      agent.reporter.log("error", `backup ${entry.id} is not in S3 yet: ${messageOf(error)}`);
      return entry;
    });
    if (copied.lost.length === 0) return safe;
    throw new AgentError(`backup ${entry.id} was made without ${copied.lost.join("; without ")}`, {
      remedy: "./drydock backup status",
    });
  });
}

/** What is in the repository, but not in the catalogue. */
interface Copied {
  readonly entry: Entry;
  /** Whole parts that could not be backed up, and why, in words. */
  readonly lost: readonly string[];
  readonly attachments: Attachments & {
    readonly files?: Sums;
    readonly volumes?: Readonly<Record<string, Sums>>;
  };
}

/** @param last no other try follows: then what there is of it is better than nothing */
async function copyParts(agent: Agent, { type, reason, verify }: RunOptions, last: boolean): Promise<Copied> {
  const { configuration, reporter, local } = agent;
  const [started, began] = [new Date(), steadyNow()];
  const id = newId(started);
  const { entries, unreadable } = await local.catalogue.list();
  if (entries.length === 0 && unreadable.length > 0) throw wrongKey("the repository", true);
  await local.restic.ensure();
  checkSpace(entries);
  reporter.log("info", `backup ${id} (${type}, ${reason}) begins`);
  await runHook(agent, "pre", { BACKUP_ID: id, BACKUP_TYPE: type });
  // The database beside the rest; where one part fails, the others are still waited for, and count by themselves.
  const making = { id, proven: verify };
  const [ofDatabase, [ofFiles, ...ofVolumes]] = await Promise.all([
    type === "files" ? undefined : outcomeOf("the database", backUpDatabase(agent, { ...making, type }, entries)),
    type === "db" ? ([] as const) : copyFiles(agent, making, entries),
  ]);
  const outcomes = [ofDatabase, ofFiles, ...ofVolumes].filter((one) => one !== undefined);
  const failed = outcomes.flatMap((one) => ("reason" in one ? [one] : []));
  const hopeless =
    failed.length > 0 && (failed.length === outcomes.length || failed.some(({ reason }) => isFull(reason)));
  const another = !last && failed.some(({ reason }) => reason instanceof AgentError && reason.transient);
  if (hopeless || another) throw failed[0]!.reason;
  const [database, files] = [copyOf(ofDatabase), copyOf(ofFiles)];
  const volumes = ofVolumes.flatMap((one): [string, FilesCopy][] => {
    const copy = copyOf(one);
    return copy === undefined ? [] : [[one.part, copy]];
  });
  if (database === undefined && files === undefined && volumes.length === 0)
    throw failed[0]?.reason ?? refused("there is no file to back up");
  const lost = failed.map(({ part, reason }) => `${part}: ${messageOf(reason)}`);
  for (const one of lost) reporter.log("error", `backup ${id} goes on without ${one}`);
  const entry = entryOf({
    id,
    sequence: nextSequence(entries),
    type,
    reason,
    stack: configuration.stack,
    started,
    seconds: (steadyNow() - began) / 1000,
    database,
    files,
    volumes: Object.fromEntries(volumes),
    lost,
  });
  const attachments = {
    state: stateNow(),
    ...(files === undefined ? {} : { files: files.sums }),
    ...(volumes.length === 0 ? {} : { volumes: Object.fromEntries(volumes.map(([title, { sums }]) => [title, sums])) }),
  };
  return { entry, lost, attachments };
}

/** What became of a part of a backup: what was stored (undefined: nothing is in it), or why it was not. */
type Outcome<T> = { readonly part: string } & ({ readonly copy: T } | { readonly reason: unknown });

async function outcomeOf<T>(part: string, work: Promise<T>): Promise<Outcome<T>> {
  return await work.then(
    (copy) => ({ part, copy }),
    (reason: unknown) => ({ part, reason }),
  );
}

const copyOf = <T>(outcome: Outcome<T> | undefined): T | undefined =>
  outcome !== undefined && "copy" in outcome ? outcome.copy : undefined;

/** Storage/app, then one volume after the other: more at once would want more memory than the agent has. */
async function copyFiles(
  agent: Agent,
  making: Making,
  entries: readonly Entry[],
): Promise<Outcome<FilesCopy | undefined>[]> {
  const outcomes = [await outcomeOf("the files", backUpFiles(agent, making, entries))];
  for (const volume of agent.configuration.volumes ?? [])
    outcomes.push(await outcomeOf(titleOf(volume), backUpVolume(agent, volume, making, entries)));
  return outcomes;
}

const isFull = (error: unknown): boolean => /no space left/i.test(messageOf(error));

/**
 * Lists the backup as soon as it has the sums of the live database, and restores it meanwhile: the moment at which they
 * are taken is known at once.
 */
async function publish(agent: Agent, { entry, attachments }: Copied, verify: boolean): Promise<Entry> {
  const live = entry.database === undefined ? undefined : await sumLive(agent, entry.database.schema);
  const started = withSumsPosition(entry, live?.position);
  const listed = (live?.summed.then((summed) => withSums(started, summed)) ?? Promise.resolve(started)).then(
    async (whole) => {
      await agent.local.catalogue.write(whole, attachments);
      return whole;
    },
  );
  if (!verify) return await listed;
  listed.catch(() => undefined); // said by whoever compares with it
  return await verifyBackup(agent, started, {
    recorded: listed,
    files: attachments.files,
    volumes: attachments.volumes,
  });
}

/** As much again as the last one added, and some air: a full disk fails later and worse. */
function checkSpace(entries: readonly Entry[]): void {
  const last = entries.find(({ type }) => type === "full") ?? entries[0];
  const problem = tooLittle(64 * 2 ** 20 + 1.2 * (last === undefined ? 0 : sizesOf(last).added));
  if (problem !== undefined)
    throw new AgentError(problem, { remedy: "make room on the Docker host, or keep fewer: ./drydock backup cleanup" });
}
