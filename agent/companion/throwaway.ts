import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import { COMPANION, FOLDERS } from "../../contracts/agent.ts";
import { tools } from "../database/tools.ts";
import { removeAll } from "../files/remove.ts";
import { AgentError } from "../shared/errors.ts";
import { execute } from "../shared/process.ts";
import { Flusher, flush, synced } from "./flush.ts";
import { forgetKept, keptAt } from "./kept.ts";
import { type ReplayRange, replay } from "./replay.ts";
import { ThrowawayServer } from "./server.ts";
import { Usage } from "./usage.ts";

/**
 * Where restores are, each in a folder of its own: thrown away again, or beside the live files, to be put in their
 * place.
 */
export const RESTORES = process.env[COMPANION.restores] ?? FOLDERS.restore;
const STAYS = RESTORES !== FOLDERS.restore;

/** A folder with the data of a throwaway server, and the server. */
export class Throwaway {
  readonly folder: string;
  readonly server: ThrowawayServer;
  readonly usage = new Usage();
  #flusher: Flusher | undefined;

  constructor(readonly id: string) {
    this.folder = join(RESTORES, id);
    this.server = new ThrowawayServer(id, this.folder, this.data);
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
  }

  get data(): string {
    return join(this.folder, "data");
  }
  /** The files of a log that is to be replayed. */
  get binlogs(): string {
    return join(this.folder, "binlogs");
  }

  /** An empty server's data: made once, then copied. */
  async empty(): Promise<void> {
    const template = join(RESTORES, "template");
    if (!existsSync(template)) {
      const draft = `${template}-${this.id}`;
      const [program, ...options] = tools().install(draft);
      await execute(program, options);
      if (existsSync(template)) rmSync(draft, { recursive: true });
      else renameSync(draft, template);
    }
    cpSync(template, this.data, { recursive: true });
  }

  /**
   * Unpacks a physical backup: 0 is the full one, the others its increments. What it reads from is its own from
   * `onStart` on.
   */
  async unpack(number: number, connection: Socket, onStart: () => void): Promise<void> {
    const folder = number === 0 ? this.data : join(this.folder, `increment-${number}`);
    mkdirSync(folder, { mode: 0o700 });
    if (STAYS) this.#flusher ??= new Flusher(this.folder);
    await execute("mbstream", ["--extract", `--directory=${folder}`], { connection, onStart });
  }

  /** Makes one consistent state of a physical backup and its increments. */
  async prepare(increments: number): Promise<void> {
    const prepare = (more: readonly string[]) =>
      execute("mariadb-backup", [
        "--no-defaults",
        "--prepare",
        `--target-dir=${this.data}`,
        "--use-memory=128M",
        "--innodb-data-file-buffering=ON",
        ...more,
      ]);
    await prepare([]);
    for (let number = 1; number <= increments; number++) {
      const folder = join(this.folder, `increment-${number}`);
      await prepare([`--incremental-dir=${folder}`]);
      rmSync(folder, { recursive: true });
    }
  }

  /** Replays the binary log, from a position in its first file to a position in its last, or to a moment. */
  async replay(files: readonly string[], range: ReplayRange): Promise<void> {
    await replay({ server: this.server, folder: this.binlogs }, files, range);
  }

  /**
   * Ends the server in order, if there was one; the folder then is a database's data without a trace of this, and on
   * the disk. Answers how many tables and views the schema has in it.
   */
  async finish(schema: string): Promise<number> {
    await this.server.finish();
    await this.#flusher?.stop();
    await flush(this.data);
    const folder = join(this.data, folderOf(schema));
    return existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".frm")).length : 0;
  }

  /** Leaves its data for restores of this backup, in the place of what was left before. */
  async keep(backup: string, schema: string): Promise<void> {
    await this.finish(schema);
    forgetKept();
    renameSync(this.data, keptAt(backup));
    await synced(FOLDERS.restore);
  }

  /** Makes its data of what the proof of a backup has left. Answers false where nothing is left of it. */
  async take(backup: string): Promise<boolean> {
    const from = keptAt(backup);
    if (!existsSync(from)) return false;
    this.#flusher ??= new Flusher(this.folder);
    await execute("cp", ["--archive", "--reflink=auto", "--no-target-directory", from, this.data]);
    // It goes by its name first: what is still there now was complete.
    if (!existsSync(from)) throw new AgentError(`what was left of backup ${backup} was removed meanwhile`);
    return true;
  }

  async remove(): Promise<void> {
    await this.server.remove();
    await this.#flusher?.stop();
    removeAll(this.folder);
  }
}

/** The name of a schema's folder: what is no letter, digit or _ is written as its code. */
const folderOf = (schema: string): string =>
  schema.replace(/[^A-Za-z0-9_]/g, (sign) => `@${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
