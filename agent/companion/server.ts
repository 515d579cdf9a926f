import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { quoted } from "../../lib/sql/quoting.ts";
import { withDatabase } from "../database/connection.ts";
import { makeDefiners, planDump } from "../database/dumpPlan.ts";
import { tools } from "../database/tools.ts";
import { AgentError } from "../shared/errors.ts";
import { type ExecuteOptions, execute } from "../shared/process.ts";

const USER = "drydock_restore";

/** The server of a throwaway's data: it has a socket, no port, and is never the live one. */
export class ThrowawayServer {
  readonly #password = randomBytes(24).toString("hex");
  #server: ChildProcess | undefined;

  /** @param folder where it may write besides its data */
  constructor(
    readonly id: string,
    readonly folder: string,
    readonly data: string,
  ) {}

  get #socket(): string {
    return `/tmp/${this.id}.sock`;
  }

  /** Starts it, and waits until it answers. @throws AgentError with what it logged */
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

  /** Runs SQL that arrives on a connection, which is its client's own from `onStart` on. */
  async load(schema: string, connection: Socket, onStart: () => void): Promise<void> {
    await this.query((asking) => asking.query(`CREATE DATABASE IF NOT EXISTS ${quoted(schema)} CHARACTER SET utf8mb4`));
    // Comments too: inside of one that a dump has made of a statement, another one would take what stands around it.
    const client = [
      tools().client,
      "--binary-mode",
      "--comments",
      "--local-infile=0",
      "--max-allowed-packet=1G",
      schema,
    ];
    await this.client(client, { connection, onStart });
  }

  /** @param target the version of the server that takes it */
  async dump(schema: string, target: string, to: Writable): Promise<void> {
    const { options } = await this.query(async (connection) => {
      await makeDefiners(connection, schema);
      return await planDump(connection, schema, target);
    });
    await this.client([...tools().dump, ...options, schema], { stdout: to });
  }

  /** Ends it in order, if it was started; its data then are a database's without a trace of this. */
  async finish(): Promise<void> {
    if (this.#server === undefined) return;
    await this.query((connection) => connection.query(`DROP USER ${USER}@localhost`));
    await this.stop("SIGTERM");
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
    rmSync(this.#socket, { force: true });
  }

  /** Runs a client of it. */
  async client([program, ...args]: readonly string[], options: ExecuteOptions): Promise<void> {
    const file = join(this.folder, "client.cnf");
    writeFileSync(file, `[client]\nsocket=${this.#socket}\nuser=${USER}\npassword=${this.#password}\n`, {
      mode: 0o600,
    });
    await execute(program!, [`--defaults-file=${file}`, "--default-character-set=utf8mb4", ...args], options);
  }
}

function tail(file: string): string {
  return existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .filter((line) => /error|abort/i.test(line))
        .slice(-4)
        .join("\n")
    : "it said nothing";
}
