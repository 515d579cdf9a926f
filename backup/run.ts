import { createHash, randomBytes } from "node:crypto";
import { steadyNow } from "./clock.ts";
import type { Agent } from "./context.ts";
import { nextSequence, type Attachment } from "./catalogue.ts";
import { AgentError, messageOf, refused } from "./errors.ts";
import { backUpDatabase, record } from "./databaseBackup.ts";
import { filesToBackUp, settledSums, type Manifest } from "./filesBackup.ts";
import { runHook } from "./hooks.ts";
import { withLock } from "./lock.ts";
import { EXIT, FOLDERS, type BackupType, type Entry } from "./protocol.ts";
import { makeRoom, tooLittle } from "./room.ts";
import { stateNow } from "./state.ts";
import { copyToS3 } from "./copy.ts";
import { verifyBackup } from "./verify.ts";

export const LOCK = `${FOLDERS.backups}/state/lock`;
const HOUR = 3_600_000;

export interface RunOptions {
  readonly type: BackupType;
  readonly reason: string;
  readonly verify: boolean;
}

/** 20261122T163000Z-3f2a: sorts by time. */
export const newId = (now: Date): string => `${now.toISOString().replace(/[-:]|\.\d+/g, "")}-${randomBytes(2).toString("hex")}`;

/**
 * Makes a backup, lists it when all of it is there, and proves it by restoring it. What can mend itself is tried again.
 * @throws AgentError; nothing partial is listed, and what was listed before stays as it was
 */
export async function runBackup(agent: Agent, options: RunOptions): Promise<Entry> {
  return await withLock(LOCK, `a backup (${options.type}, ${options.reason})`, HOUR, async () => {
    const copied = await tryAgain(agent, () => copyAll(agent, options)).catch(async (error: unknown) => {
      if (/no space left/i.test(messageOf(error))) await makeRoom(agent);
      throw error;
    });
    const entry = await tryAgain(agent, () => publish(agent, copied, options.verify));
    if (options.verify && !entry.verified) {
      throw new AgentError(`backup ${entry.id} was made, but is not what was backed up: ${entry.verification?.problems.join("; ")}`, { code: EXIT.notVerified, remedy: "./drydock backup verify latest; the one before is untouched" });
    }
    await runHook(agent, "post", { BACKUP_ID: entry.id });
    return agent.s3 === undefined ? entry : await copyToS3(agent, entry).catch((error: unknown) => {
      // It is safe here; the agent goes on trying.
      agent.reporter.log("error", `backup ${entry.id} is not in S3 yet: ${messageOf(error)}`);
      return entry;
    });
  });
}

/** What is in the repository, but not in the catalogue. */
interface Copied {
  readonly entry: Entry;
  readonly attachments: Partial<Record<Attachment, unknown>>;
}

async function copyAll(agent: Agent, { type, reason, verify }: RunOptions): Promise<Copied> {
  const { configuration, reporter, local } = agent;
  const [started, began] = [new Date(), steadyNow()];
  const id = newId(started);
  const { entries, unreadable } = await local.catalogue.list();
  if (entries.length === 0 && unreadable.length > 0) throw refused("the repository has another key than drydock:backup.key", "pulumi config set --secret --path drydock:backup.key (the key that it was made with)");
  await local.restic.ensure();
  checkSpace(entries);
  reporter.log("info", `backup ${id} (${type}, ${reason}) begins`);
  await runHook(agent, "pre", { BACKUP_ID: id, BACKUP_TYPE: type });
  // Both at once; where one fails, the other is still waited for.
  const parts = await Promise.allSettled([type === "files" ? undefined : backUpDatabase(agent, { id, type, proven: verify }, entries), type === "db" ? undefined : backUpFiles(agent, id, verify, entries)] as const);
  const [database, files] = parts.map((part) => { if (part.status === "rejected") throw part.reason; return part.value; }) as [Entry["database"], Awaited<ReturnType<typeof backUpFiles>> | undefined];
  const finished = new Date();
  const entry: Entry = {
    id, sequence: nextSequence(entries), type, reason, stack: configuration.stack,
    started: started.toISOString(), finished: finished.toISOString(), seconds: (steadyNow() - began) / 1000,
    verified: false,
    ...(database === undefined ? {} : { database }),
    ...(files === undefined ? {} : { files: files.entry }),
    copies: ["local"],
  };
  return { entry, attachments: { state: stateNow(), ...(files === undefined ? {} : { files: files.sums }) } };
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

async function backUpFiles(agent: Agent, id: string, proven: boolean, entries: readonly Entry[]) {
  const { configuration: { files: { include, exclude } }, reporter, local } = agent;
  const previous = entries.find(({ files }) => files !== undefined);
  const before = await filesToBackUp(include, previous === undefined ? undefined : await local.catalogue.attachment(previous.id, "files"));
  const stored = await local.restic.storeFolder(id, "files", FOLDERS.storage, include, exclude, { reporter, proven });
  const { sums, changed, count } = settledSums(before, stored.names);
  const manifest = createHash("sha256").update(JSON.stringify(sums)).digest("hex");
  return { sums, entry: { count, bytes: stored.bytes, added: stored.added, manifest, changed } };
}

/** As much again as the last one added, and some air: a full disk fails later and worse. */
function checkSpace(entries: readonly Entry[]): void {
  const last = entries.find(({ type }) => type === "full") ?? entries[0];
  const problem = tooLittle(64 * 2 ** 20 + 1.2 * ((last?.database?.added ?? 0) + (last?.files?.added ?? 0)));
  if (problem !== undefined) throw new AgentError(problem, { remedy: "make room on the Docker host, or keep fewer: ./drydock backup cleanup" });
}

/** Lost connections mend themselves; three times, each after a longer pause. */
export async function tryAgain<T>({ reporter }: Pick<Agent, "reporter">, work: () => Promise<T>, pauses: readonly number[] = [5_000, 20_000]): Promise<T> {
  for (const pause of [...pauses, undefined]) {
    try {
      return await work();
    } catch (error) {
      if (pause === undefined || !(error instanceof AgentError) || !error.transient) throw error;
      reporter.log("warn", `${error.message}; trying again in ${pause / 1000} s`);
      await new Promise((wake) => setTimeout(wake, pause));
    }
  }
  throw new Error("unreachable");
}

