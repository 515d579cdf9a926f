import { createHash, randomBytes } from "node:crypto";
import { type BackupType, type Entry, EXIT, FOLDERS } from "../../contracts/agent.ts";
import type { Agent } from "../agent.ts";
import { verifyBackup } from "../restore/verify.ts";
import { steadyNow } from "../shared/clock.ts";
import { AgentError, messageOf, refused, wrongKey } from "../shared/errors.ts";
import { withLock } from "../shared/lock.ts";
import { type Attachment, nextSequence } from "../store/catalogue.ts";
import { copyToS3 } from "../store/copy.ts";
import { makeRoom, tooLittle } from "../store/diskSpace.ts";
import { backUpDatabase, type DatabaseCopy, record } from "./database.ts";
import { filesToBackUp, type Manifest, settledSums } from "./files.ts";
import { runHook } from "./hooks.ts";
import { stateNow } from "./state.ts";

export const LOCK = `${FOLDERS.backups}/state/lock`;
const HOUR = 3_600_000;

export interface RunOptions {
  readonly type: BackupType;
  readonly reason: string;
  readonly verify: boolean;
}

/** 20261122T163000Z-3f2a: sorts by time. */
const newId = (now: Date): string =>
  `${now.toISOString().replace(/[-:]|\.\d+/g, "")}-${randomBytes(2).toString("hex")}`;

/**
 * Makes a backup, lists it when all of it is there, and proves it by restoring it. What can mend itself is tried again.
 * @throws AgentError; nothing partial is listed, and what was listed before stays as it was
 */
export async function runBackup(agent: Agent, options: RunOptions): Promise<Entry> {
  return await withLock(LOCK, `a backup (${options.type}, ${options.reason})`, HOUR, async () => {
    const copied = await tryAgain(agent, (last) => copyAll(agent, options, last)).catch(async (error: unknown) => {
      if (isFull(error)) await makeRoom(agent);
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
    const safe =
      agent.s3 === undefined
        ? entry
        : await copyToS3(agent, entry).catch((error: unknown) => {
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
  readonly attachments: Partial<Record<Attachment, unknown>>;
}

/** @param last no other try follows: then what there is of it is better than nothing */
async function copyAll(agent: Agent, { type, reason, verify }: RunOptions, last: boolean): Promise<Copied> {
  const { configuration, reporter, local } = agent;
  const [started, began] = [new Date(), steadyNow()];
  const id = newId(started);
  const { entries, unreadable } = await local.catalogue.list();
  if (entries.length === 0 && unreadable.length > 0) throw wrongKey("the repository", true);
  await local.restic.ensure();
  checkSpace(entries);
  reporter.log("info", `backup ${id} (${type}, ${reason}) begins`);
  await runHook(agent, "pre", { BACKUP_ID: id, BACKUP_TYPE: type });
  // Both at once; where one fails, the other is still waited for, and counts by itself.
  const parts = await Promise.allSettled([
    type === "files" ? undefined : backUpDatabase(agent, { id, type, proven: verify }, entries),
    type === "db" ? undefined : backUpFiles(agent, id, verify, entries),
  ] as const);
  const failed = parts.flatMap((part, index) =>
    part.status === "rejected" ? [{ part: PARTS[index]!, reason: part.reason as unknown }] : [],
  );
  const [database, files] = parts.map((part) => (part.status === "fulfilled" ? part.value : undefined)) as [
    DatabaseCopy | undefined,
    FilesCopy | undefined,
  ];
  const hopeless =
    failed.length > 0 &&
    (failed.length === Number(type !== "files") + Number(type !== "db") || failed.some(({ reason }) => isFull(reason)));
  const another = !last && failed.some(({ reason }) => reason instanceof AgentError && reason.transient);
  if (hopeless || another) throw failed[0]!.reason;
  if (database === undefined && files === undefined) throw failed[0]?.reason ?? refused("there is no file to back up");
  const lost = failed.map(({ part, reason }) => `the ${part}: ${messageOf(reason)}`);
  for (const one of lost) reporter.log("error", `backup ${id} goes on without ${one}`);
  const missing = [...lost, ...(database?.missing ?? []), ...(files?.missing ?? [])];
  const finished = new Date();
  const entry: Entry = {
    id,
    sequence: nextSequence(entries),
    type,
    reason,
    stack: configuration.stack,
    started: started.toISOString(),
    finished: finished.toISOString(),
    seconds: (steadyNow() - began) / 1000,
    verified: false,
    ...(missing.length === 0 ? {} : { missing: shortened(missing) }),
    ...(database === undefined ? {} : { database: database.entry }),
    ...(files === undefined ? {} : { files: files.entry }),
    copies: ["local"],
  };
  return { entry, lost, attachments: { state: stateNow(), ...(files === undefined ? {} : { files: files.sums }) } };
}

const PARTS = ["database", "files"] as const;
const isFull = (error: unknown): boolean => /no space left/i.test(messageOf(error));

/** An entry has room for the first of many. */
function shortened(texts: readonly string[], most = 50): string[] {
  return texts.length <= most ? [...texts] : [...texts.slice(0, most), `and ${texts.length - most} more`];
}

/** Lists the backup as soon as it has its sums, and restores it meanwhile. */
async function publish(agent: Agent, { entry: copied, attachments }: Copied, verify: boolean): Promise<Entry> {
  const { entry, recorded } = await record(agent, copied);
  const listed = recorded.then(async (whole) => {
    await agent.local.catalogue.write(whole, attachments);
    return whole;
  });
  if (!verify) return await listed;
  listed.catch(() => undefined); // said by whoever compares with it
  return await verifyBackup(agent, entry, { recorded: listed, files: attachments.files as Manifest | undefined });
}

interface FilesCopy {
  readonly entry: NonNullable<Entry["files"]>;
  readonly sums: Manifest;
  /** What could not be read, in words. */
  readonly missing: readonly string[];
}

/** undefined where there is no file at all: of nothing restic makes no snapshot. */
async function backUpFiles(
  agent: Agent,
  id: string,
  proven: boolean,
  entries: readonly Entry[],
): Promise<FilesCopy | undefined> {
  const {
    configuration: {
      files: { include, exclude },
    },
    reporter,
    local,
  } = agent;
  const previous = entries.find(({ files }) => files !== undefined);
  const before = await filesToBackUp(
    include,
    previous === undefined ? undefined : await local.catalogue.attachment(previous.id, "files"),
  );
  const stored = await local.restic
    .storeFolder(id, "files", FOLDERS.storage, include, exclude, { reporter, proven })
    .catch((error: unknown) => {
      if (/snapshot is empty/.test(messageOf(error))) return undefined;
      throw error;
    });
  if (stored === undefined) return void reporter.log("warn", "there is no file to back up");
  const { sums, changed, count } = settledSums(before.sums, stored.names);
  // What is left out on purpose need not be readable: only where restic missed something does it count.
  const found = before.unreadable.length === 0 ? [`some files could not be read: ${stored.unread}`] : before.unreadable;
  const missing = stored.unread === undefined ? [] : found;
  for (const one of shortened(missing, 5)) reporter.log("warn", one);
  const manifest = createHash("sha256").update(JSON.stringify(sums)).digest("hex");
  return { sums, missing, entry: { count, bytes: stored.bytes, added: stored.added, manifest, changed } };
}

/** As much again as the last one added, and some air: a full disk fails later and worse. */
function checkSpace(entries: readonly Entry[]): void {
  const last = entries.find(({ type }) => type === "full") ?? entries[0];
  const problem = tooLittle(64 * 2 ** 20 + 1.2 * ((last?.database?.added ?? 0) + (last?.files?.added ?? 0)));
  if (problem !== undefined)
    throw new AgentError(problem, { remedy: "make room on the Docker host, or keep fewer: ./drydock backup cleanup" });
}

/** Lost connections mend themselves; three times, each after a longer pause. */
export async function tryAgain<T>(
  { reporter }: Pick<Agent, "reporter">,
  work: (last: boolean) => Promise<T>,
  pauses: readonly number[] = [5_000, 20_000],
): Promise<T> {
  for (const pause of [...pauses, undefined]) {
    try {
      return await work(pause === undefined);
    } catch (error) {
      if (pause === undefined || !(error instanceof AgentError) || !error.transient) throw error;
      reporter.log("warn", `${error.message}; trying again in ${pause / 1000} s`);
      await new Promise((wake) => setTimeout(wake, pause));
    }
  }
  throw new Error("unreachable");
}
