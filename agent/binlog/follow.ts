import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, fstatSync, mkdirSync, openSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { FOLDERS } from "../../contracts/agent.ts";
import type { BinlogPosition } from "../../contracts/entry.ts";
import { logPosition, rowsOf, withDatabase } from "../database/connection.ts";
import { tlsOptions, tools } from "../database/tools.ts";
import { steadyNow } from "../shared/clock.ts";
import { secretFile } from "../shared/configuration.ts";
import { AgentError, messageOf } from "../shared/errors.ts";
import type { Ownership } from "../store/ownership.ts";
import { type Archived, type BinlogArchive, successor } from "./archive.ts";
import { piecesOf, readAt, startedAt } from "./format.ts";
import { isFile, type LogFile } from "./replaced.ts";

const SPOOL = join(FOLDERS.backups, "spool");
/** So much at a time: one segment is in memory whole. */
const LARGEST = 4 * 2 ** 20;
/** Another one than any server has. */
const SERVER_ID = 990_001;

/** How far the log is in the repository. */
export interface Reached {
  /** Everything that was committed by then is there. Milliseconds since 1970. */
  readonly at: number;
  /** The same moment, whatever the clock is set to: see `steadyNow`. */
  readonly steady: number;
  readonly position: BinlogPosition;
}

export interface SecondArchive {
  readonly binlogs: BinlogArchive;
  readonly ownership: Pick<Ownership, "hold">;
}

/** Follows the server's binary log and puts what is new into the repository, piece by piece. */
export class Follower {
  #child: ChildProcess | undefined;
  #said = "";
  #stopped = false;
  #working: Promise<void> | undefined;
  /** How far each spooled file is in the repository. */
  readonly #ends = new Map<string, { started: number; end: number }>();
  reached: Reached | undefined;
  problem: string | undefined;
  /** A hole that was noticed since somebody took note of one, in words. */
  hole: string | undefined;

  /** Since when the second place lacks something. */
  #s3Since: number | undefined;
  s3Problem: string | undefined;

  /** The files after which the live data are others; undefined where they have to be asked for. */
  #replaced: readonly LogFile[] | undefined;
  #askAfter = 0;

  /**
   * @param second a second place, which may be away for some time, or another's
   * @param replacedAfter answers the files after which the server's files were replaced. @default none
   */
  constructor(
    readonly archive: BinlogArchive,
    readonly second: SecondArchive | undefined,
    readonly replacedAfter = async (): Promise<readonly LogFile[]> => [],
  ) {}

  /** Seconds. */
  s3Lag(): number {
    return this.#s3Since === undefined ? 0 : (steadyNow() - this.#s3Since) / 1000;
  }

  get streaming(): boolean {
    return this.#child !== undefined;
  }

  /** One round: make sure that the log is followed, then store what has come. Never two at a time. */
  async round(): Promise<void> {
    this.#working ??= this.#round().finally(() => {
      this.#working = undefined;
    });
    await this.#working;
  }

  /** Rounds until this position is stored. @throws AgentError where that takes too long */
  async flush(position: BinlogPosition, timeout = 45_000): Promise<void> {
    for (const until = steadyNow() + timeout; steadyNow() < until; await new Promise((wake) => setTimeout(wake, 100))) {
      await this.round();
      const stored = this.#ends.get(position.file);
      if (stored !== undefined && stored.end >= position.position) return;
    }
    throw new AgentError(
      `the binary log is not followed as far as ${position.file} at ${position.position}` +
        `${this.problem === undefined ? "" : `: ${this.problem}`}`,
      { transient: true },
    );
  }

  /** Has the next round ask after which files the server's files were replaced. */
  async lookForReplacement(): Promise<void> {
    await this.#working;
    this.#replaced = undefined;
    this.#askAfter = 0;
    await this.round();
  }

  /** From the first file that is not stored as a whole, as after a start: what was stored may be gone. */
  again(): void {
    this.#child?.kill();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#again);
    this.#child?.kill();
    await this.#working;
  }

  async #round(): Promise<void> {
    if (this.#stopped) return;
    try {
      // Asked before anything is stored: what is stored afterwards is at least that.
      const [asked, steady] = [Date.now(), steadyNow()];
      const position = await withDatabase(logPosition);
      if (position === undefined)
        throw new AgentError("the server writes no binary log: set drydock:database (log-bin is on by default)");
      if (this.#child === undefined) await this.#begin();
      await this.#askForReplaced();
      await this.#store();
      const stored = this.#ends.get(position.file);
      if (stored !== undefined && stored.end >= position.position) this.reached = { at: asked, steady, position };
      else this.#soon();
      this.problem = this.#child === undefined ? `${tools().binlog} ended: ${this.#said.slice(-300)}` : undefined;
    } catch (error) {
      this.problem = messageOf(error);
      // A server that is restarted is soon there again; one that is away for longer is asked at the usual times.
      if (this.reached !== undefined && steadyNow() - this.reached.steady < 60_000) this.#soon();
    }
  }

  /**
   * From the first file that is not stored as a whole; what is stored of it already comes once more and is left out.
   */
  async #begin(): Promise<void> {
    rmSync(SPOOL, { recursive: true, force: true });
    mkdirSync(SPOOL, { recursive: true, mode: 0o700 });
    this.#ends.clear();
    this.#replaced = undefined;
    this.#askAfter = 0;
    const { logs, tls } = await withDatabase(async (connection) => ({
      logs: await rowsOf(connection, "SHOW BINARY LOGS"),
      tls: await tlsOptions(connection),
    }));
    const files = logs.map((row) => ({ file: String(row["Log_name"]), size: Number(row["File_size"]) }));
    const archived = await this.archive.files();
    await this.#lookForHole(
      archived.at(-1),
      files.map(({ file }) => file),
    );
    const first =
      files.find(
        ({ file, size }, index) =>
          index === files.length - 1 || (archived.findLast((one) => one.file === file)?.end ?? 0) < size,
      ) ?? files.at(-1);
    if (first === undefined) return;
    for (const { file, started, end } of archived) this.#ends.set(file, { started, end });
    const { binlog, binlogServerId } = tools();
    const child = spawn(
      binlog,
      [
        `--defaults-file=${secretFile("database")}`,
        ...tls,
        "--read-from-remote-server",
        "--raw",
        "--stop-never",
        `${binlogServerId}=${SERVER_ID}`,
        `--result-file=${SPOOL}/`,
        first.file,
      ],
      { stdio: ["ignore", "ignore", "pipe"] },
    );
    this.#child = child;
    this.#said = "";
    child.stderr!.on("data", (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString()).slice(-1000);
    });
    for (const end of ["close", "error"] as const)
      child.once(end, () => {
        if (this.#child !== child) return;
        this.#child = undefined;
        this.#soon();
      });
  }

  /** What is stored must lead into what the server still has. */
  async #lookForHole(last: Archived | undefined, files: readonly string[]): Promise<void> {
    if (last === undefined || last.mark === "hole" || files.includes(last.file)) return;
    if (!files.includes(successor(last.file)) || !(await this.archive.isComplete(last))) await this.#lost(last);
  }

  /** What is stored of such a file as a whole is marked; what isn't yet is when it is. */
  async #askForReplaced(): Promise<void> {
    if (this.#replaced !== undefined || steadyNow() < this.#askAfter) return;
    // A companion that isn't there takes its time to say so.
    this.#askAfter = steadyNow() + 60_000;
    const after = await this.replacedAfter().catch(() => undefined);
    for (const one of after ?? []) {
      const found = (await this.archive.files()).findLast(({ file, started }) => isFile(one, file, started));
      if (found !== undefined && found.mark !== "replaced" && (await this.archive.isComplete(found)))
        await this.archive.mark(found, "replaced");
    }
    this.#replaced = after;
  }

  /** Nobody will ever have what followed: no moment after it can be reached from a backup before it. */
  async #lost(last: Pick<Archived, "file" | "started" | "end">): Promise<void> {
    await this.archive.mark(last, "hole");
    this.hole =
      `the binary log has a hole behind ${last.file} at ${last.end}: the server has removed what followed, ` +
      "or started its log anew";
  }

  #again: NodeJS.Timeout | undefined;

  /** Another round before its time: the log has just started to come, or the server was restarted. */
  #soon(): void {
    if (!this.#stopped)
      this.#again ??= setTimeout(() => {
        this.#again = undefined;
        void this.round();
      }, 1_000).unref();
  }

  /**
   * Puts what is new in the spool into the repository, a piece of whole events at a time: no more of it is in memory.
   */
  async #store(): Promise<void> {
    const files = readdirSync(SPOOL).sort();
    for (const [index, file] of files.entries()) {
      const handle = openSync(join(SPOOL, file), "r");
      try {
        const size = fstatSync(handle).size;
        const started = startedAt(readAt(handle, 0, 64));
        if (started === undefined) continue;
        const known = this.#ends.get(file);
        let from = known?.started === started ? known.end : 0;
        // Another server's log with the same names: it was started anew.
        if (known !== undefined && known.started !== started) await this.#lost({ file, ...known });
        for (const { from: at, content, more } of piecesOf(handle, from, size, LARGEST)) {
          await this.archive.put(file, started, at, content, more);
          // Half of an event is stored again if this ends now.
          if (!more) this.#ends.set(file, { started, end: (from = at + content.length) });
        }
        // All but the last file are complete; what is stored of them needs no second copy here.
        if (index < files.length - 1 && from >= size) {
          const replaced = this.#replaced?.some((one) => isFile(one, file, started)) === true;
          await this.archive.mark({ file, started, end: from }, replaced ? "replaced" : "complete");
          rmSync(join(SPOOL, file));
        }
      } finally {
        closeSync(handle);
      }
    }
    if (this.second !== undefined) void this.#send(this.second);
  }

  #sending = false;

  /**
   * What the second place lacks is found by comparing names: nothing is lost by a restart, nor by a time without a
   * connection.
   */
  async #send({ binlogs: second, ownership }: SecondArchive): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      await ownership.hold();
      const sent = (this.#sent ??= new Set((await second.store.list("binlogs/")).map(({ name }) => name)));
      const missing = (await this.archive.store.list("binlogs/")).filter(({ name }) => !sent.has(name));
      if (missing.length > 0) this.#s3Since ??= steadyNow();
      for (const { name } of missing) {
        await second.store.put(name, (await this.archive.store.get(name))!);
        sent.add(name);
      }
      this.#s3Since = undefined;
      this.s3Problem = undefined;
    } catch (error) {
      this.#s3Since ??= steadyNow();
      this.s3Problem = messageOf(error);
    } finally {
      this.#sending = false;
    }
  }

  #sent: Set<string> | undefined;
}
