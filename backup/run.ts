import { createHash, randomBytes } from "node:crypto";
import { statfsSync } from "node:fs";
import type { Agent } from "./context.ts";
import { AgentError, messageOf } from "./errors.ts";
import { backUpDatabase } from "./databaseBackup.ts";
import { filesToBackUp, settledSums } from "./filesBackup.ts";
import { runHook } from "./hooks.ts";
import { withLock } from "./lock.ts";
import { EXIT, FOLDERS, type BackupType, type Entry } from "./protocol.ts";
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
    await agent.local.restic.ensure();
    await agent.local.restic.unlock();
    const made = await tryAgain(agent, () => makeBackup(agent, options));
    const entry = options.verify ? await tryAgain(agent, () => verifyBackup(agent, made)) : made;
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

async function makeBackup(agent: Agent, { type, reason }: RunOptions): Promise<Entry> {
  const { configuration, reporter, local } = agent;
  const started = new Date();
  const id = newId(started);
  const { entries } = await local.catalogue.list();
  checkSpace(entries);
  reporter.log("info", `backup ${id} (${type}, ${reason}) begins`);
  await runHook(agent, "pre", { BACKUP_ID: id, BACKUP_TYPE: type });
  const database = type === "files" ? undefined : await backUpDatabase(agent, id, type, entries);
  const files = type === "db" ? undefined : await backUpFiles(agent, id, entries);
  const finished = new Date();
  const entry: Entry = {
    id, type, reason, stack: configuration.stack,
    started: started.toISOString(), finished: finished.toISOString(), seconds: (finished.getTime() - started.getTime()) / 1000,
    verified: false,
    ...(database === undefined ? {} : { database }),
    ...(files === undefined ? {} : { files: files.entry }),
    copies: ["local"],
  };
  await local.catalogue.write(entry, { state: stateNow(), ...(files === undefined ? {} : { files: files.sums }) });
  return entry;
}

async function backUpFiles(agent: Agent, id: string, entries: readonly Entry[]) {
  const { configuration: { files: { include, exclude } }, reporter, local } = agent;
  const previous = entries.find(({ files }) => files !== undefined);
  const before = await filesToBackUp(include, previous === undefined ? undefined : await local.catalogue.attachment(previous.id, "files"));
  const stored = await local.restic.storeFolder(id, "files", FOLDERS.storage, include, exclude, reporter);
  const { sums, changed, count } = settledSums(before, await local.restic.names(id, "files"));
  const manifest = createHash("sha256").update(JSON.stringify(sums)).digest("hex");
  return { sums, entry: { count, bytes: stored.bytes, added: stored.added, manifest, changed } };
}

/** As much again as the last one added, and some air: a full disk fails later and worse. */
function checkSpace(entries: readonly Entry[]): void {
  const { bavail, bsize } = statfsSync(FOLDERS.backups);
  const last = entries.find(({ type }) => type === "full") ?? entries[0];
  const needed = 64 * 2 ** 20 + 1.2 * ((last?.database?.added ?? 0) + (last?.files?.added ?? 0));
  const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;
  if (bavail * bsize < needed) throw new AgentError(`the disk of the volume for backups has ${mib(bavail * bsize)} left, and a backup may need ${mib(needed)}`, { remedy: "make room on the Docker host, or keep fewer: ./drydock backup cleanup" });
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

