import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { COMPANION, FOLDERS } from "../../contracts/agent.ts";
import { defined } from "../../lib/defined.ts";
import { quoted } from "../../lib/sql/quoting.ts";
import { stretchesOf } from "../binlog/statements.ts";
import { withDatabase } from "../database/connection.ts";
import { makeDefiners, planDump } from "../database/dumpPlan.ts";
import { tools } from "../database/tools.ts";
import { steadyNow } from "../shared/clock.ts";
import { AgentError, messageOf, refused } from "../shared/errors.ts";
import { execute } from "../shared/process.ts";
import { Flusher, flush, synced } from "./flush.ts";
import { forgetKept, keptAt } from "./kept.ts";

/**
 * Where restores are, each in a folder of its own: thrown away again, or beside the live files, to be put in their
 * place.
 */
export const RESTORES = process.env[COMPANION.restores] ?? FOLDERS.restore;
const STAYS = RESTORES !== FOLDERS.restore;

const USER = "drydock_restore";

export interface ReplayRange {
  /** A position in the first file. */
  readonly from: number;
  /** A position in the last one; all of it without. */
  readonly to?: number;
  /** Up to this moment, as the tool reads it. */
  readonly toTime?: string;
  /** Only what concerns this schema. */
  readonly schema?: string;
}

/**
 * A folder with the data of a throwaway server, and the server while it runs. It has a socket, no port, and is never
 * the live one.
 */
export class Throwaway {
  readonly folder: string;
  readonly #password = randomBytes(24).toString("hex");
  #server: ChildProcess | undefined;
  #flusher: Flusher | undefined;
  #used = steadyNow();
  #busy = 0;

  constructor(readonly id: string) {
    this.folder = join(RESTORES, id);
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
  }

  /** Does what was asked of it; meanwhile it is not forgotten, however long that takes. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    this.#busy++;
    try {
      return await work();
    } finally {
      this.#busy--;
      this.#used = steadyNow();
    }
  }

  /** For how long nothing has been asked of it, in ms. */
  idle(now = steadyNow()): number {
    return this.#busy > 0 ? 0 : now - this.#used;
  }

  get data(): string {
    return join(this.folder, "data");
  }
  get #socket(): string {
    return `/tmp/${this.id}.sock`;
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

  async start(): Promise<void> {
    const log = join(this.folder, "server.log");
    // An account of its own: those in the backup keep their passwords, and go on to be checked.
    const init = join(this.folder, "init.sql");
    writeFileSync(
      init,
      `DROP USER IF EXISTS ${USER}@localhost;\nCREATE USER ${USER}@localhost IDENTIFIED BY '${this.#password}';\n` +
        `GRANT ALL ON *.* TO ${USER}@localhost WITH GRANT OPTION;\n`,
      { mode: 0o600 },
    );
    const [program, ...options] = tools().server;
    const server = spawn(
      program!,
      [
        "--no-defaults",
        `--datadir=${this.data}`,
        `--socket=${this.#socket}`,
        `--pid-file=${this.folder}/pid`,
        `--log-error=${log}`,
        `--init-file=${init}`,
        `--tmpdir=${this.folder}`,
        ...options,
      ],
      { stdio: "ignore", env: { ...process.env, TZ: "UTC" } },
    );
    this.#server = server;
    for (let tries = 0; ; tries++) {
      if (server.exitCode !== null || server.signalCode !== null || tries > 1200)
        throw new AgentError(`the throwaway server did not start: ${tail(log)}`);
      try {
        await this.query((connection) => connection.query("SELECT 1"));
        break;
      } catch {
        await new Promise((wake) => setTimeout(wake, 100));
      }
    }
    rmSync(init);
  }

  async query<T>(work: Parameters<typeof withDatabase<T>>[0]): Promise<T> {
    return await withDatabase(work, { socketPath: this.#socket, user: USER, password: this.#password });
  }

  /** Runs SQL that arrives as a stream. */
  async load(schema: string, sql: Readable): Promise<void> {
    await this.query((connection) =>
      connection.query(`CREATE DATABASE IF NOT EXISTS ${quoted(schema)} CHARACTER SET utf8mb4`),
    );
    await this.#client([tools().client, "--binary-mode", "--max-allowed-packet=1G", schema], { stdin: sql });
  }

  /** Replays the binary log, from a position in its first file to a position in its last, or to a moment. */
  async replay(files: readonly string[], { from, to, toTime, schema }: ReplayRange): Promise<void> {
    const until = toTime === undefined ? [] : [`--stop-datetime=${toTime}`];
    if (schema === undefined) return await this.#replay(files, { from, ...defined({ to }) }, until);
    const paths = files.map((name) => ({ name, path: this.#log(name) }));
    for (const { file, outside, ...range } of stretchesOf(paths, from, schema, to)) {
      if (outside === undefined) await this.#replay([file], range, [...until, `--database=${schema}`]);
      else await this.#replayOutside(file, range, until, outside);
    }
  }

  /** One statement, as it is: what it names of other schemas is not there, and then it can't be run. */
  async #replayOutside(
    file: string,
    range: { from: number; to?: number },
    until: readonly string[],
    schema: string,
  ): Promise<void> {
    try {
      if (schema !== "")
        await this.query((connection) => connection.query(`CREATE DATABASE IF NOT EXISTS ${quoted(schema)}`));
      await this.#replay([file], range, until);
    } catch (error) {
      throw refused(
        `the log has a statement from outside the schema (${file} at ${range.from}) ` +
          `that can't be run without the rest of the server: ${messageOf(error)}`,
        "choose a moment before it, a backup after it, or one of the server's files (MariaDB: drydock:backup.physical)",
      );
    }
  }

  readonly #log = (file: string): string => join(this.folder, "binlogs", file);

  async #replay(
    files: readonly string[],
    { from, to }: { from: number; to?: number },
    more: readonly string[],
  ): Promise<void> {
    const { binlog, client, replay } = tools();
    const args = [
      ...replay,
      `--start-position=${from}`,
      "--disable-log-bin",
      ...(to === undefined ? [] : [`--stop-position=${to}`]),
      ...more,
    ];
    const reader = spawn(binlog, ["--no-defaults", ...args, ...files.map(this.#log)], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, TZ: "UTC" },
    });
    let said = "";
    reader.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-2000);
    });
    const ended = new Promise<number | null>((resolve) => reader.once("close", resolve));
    try {
      await this.#client([client, "--binary-mode", "--max-allowed-packet=1G"], { stdin: reader.stdout });
    } finally {
      reader.kill();
    }
    if ((await ended) !== 0) throw new AgentError(`the binary log could not be read: ${said}`);
  }

  /** @param target the version of the server that takes it */
  async dump(schema: string, target: string, to: Writable): Promise<void> {
    const { options } = await this.query(async (connection) => {
      await makeDefiners(connection, schema);
      return await planDump(connection, schema, target);
    });
    await this.#client([...tools().dump, ...options, schema], { stdout: to });
  }

  /**
   * Ends the server in order, if there was one; the folder then is a database's data without a trace of this, and on
   * the disk. Answers how many tables and views the schema has in it.
   */
  async finish(schema: string): Promise<number> {
    if (this.#server !== undefined) {
      await this.query((connection) => connection.query(`DROP USER ${USER}@localhost`));
      await this.stop("SIGTERM");
    }
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

  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const server = this.#server;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const gone = new Promise((resolve) => server.once("close", resolve));
    server.kill(signal);
    await gone;
  }

  async remove(): Promise<void> {
    await this.stop("SIGKILL");
    await this.#flusher?.stop();
    rmSync(this.folder, { recursive: true, force: true });
    rmSync(this.#socket, { force: true });
  }

  async #client(
    [program, ...args]: readonly string[],
    options: { stdin?: Readable; stdout?: Writable },
  ): Promise<void> {
    const file = join(this.folder, "client.cnf");
    writeFileSync(file, `[client]\nsocket=${this.#socket}\nuser=${USER}\npassword=${this.#password}\n`, {
      mode: 0o600,
    });
    await execute(program!, [`--defaults-file=${file}`, "--default-character-set=utf8mb4", ...args], options);
  }
}

/** The name of a schema's folder: what is no letter, digit or _ is written as its code. */
const folderOf = (schema: string): string =>
  schema.replace(/[^A-Za-z0-9_]/g, (sign) => `@${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);

function tail(file: string): string {
  return existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => /error|abort/i.test(line))
        .slice(-4)
        .join("\n")
    : "it said nothing";
}
