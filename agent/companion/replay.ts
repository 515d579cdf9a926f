import { spawn } from "node:child_process";
import { join } from "node:path";
import { defined } from "../../lib/defined.ts";
import { quoted } from "../../lib/sql/quoting.ts";
import { brokenComments, WholeComments } from "../binlog/comments.ts";
import { stretchesOf } from "../binlog/statements.ts";
import { tools } from "../database/tools.ts";
import { AgentError, messageOf, refused } from "../shared/errors.ts";
import type { ThrowawayServer } from "./server.ts";

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

/** What a log is replayed on, and the folder with its files. */
interface Replayed {
  readonly server: ThrowawayServer;
  readonly folder: string;
}

const pathOf = ({ folder }: Replayed, file: string): string => join(folder, file);

/** Replays the binary log, from a position in its first file to a position in its last, or to a moment. */
export async function replay(
  on: Replayed,
  files: readonly string[],
  { from, to, toTime, schema }: ReplayRange,
): Promise<void> {
  const until = toTime === undefined ? [] : [`--stop-datetime=${toTime}`];
  if (schema === undefined) return await pass(on, files, { from, ...defined({ to }) }, until);
  const paths = files.map((name) => ({ name, path: pathOf(on, name) }));
  for (const { file, outside, ...range } of stretchesOf(paths, from, schema, to)) {
    if (outside === undefined) await pass(on, [file], range, [...until, `--database=${schema}`]);
    else await replayOutside(on, file, range, until, outside);
  }
}

/** One statement, as it is: what it names of other schemas is not there, and then it can't be run. */
async function replayOutside(
  on: Replayed,
  file: string,
  range: { from: number; to?: number },
  until: readonly string[],
  schema: string,
): Promise<void> {
  try {
    if (schema !== "")
      await on.server.query((connection) => connection.query(`CREATE DATABASE IF NOT EXISTS ${quoted(schema)}`));
    await pass(on, [file], range, until);
  } catch (error) {
    throw refused(
      `the log has a statement from outside the schema (${file} at ${range.from}) ` +
        `that can't be run without the rest of the server: ${messageOf(error)}`,
      "choose a moment before it, a backup after it, or one of the server's files (MariaDB: drydock:backup.physical)",
    );
  }
}

/** Has the server run what the tool makes of these files. */
async function pass(
  on: Replayed,
  files: readonly string[],
  { from, to }: { from: number; to?: number },
  more: readonly string[],
): Promise<void> {
  const { binlog, client, replay: options } = tools();
  const args = [
    ...options,
    `--start-position=${from}`,
    "--disable-log-bin",
    ...(to === undefined ? [] : [`--stop-position=${to}`]),
    ...more,
  ];
  const reader = spawn(binlog, ["--no-defaults", ...args, ...files.map((file) => pathOf(on, file))], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TZ: "UTC" },
  });
  // A table's name may go on in the next line of a comment, and there be a statement of whoever has chosen it.
  const broken = files.flatMap((file) => brokenComments(pathOf(on, file)));
  const sql = broken.length === 0 ? reader.stdout : reader.stdout.pipe(new WholeComments(broken));
  let said = "";
  reader.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-2000);
  });
  const ended = new Promise<number | null>((resolve) => reader.once("close", resolve));
  try {
    await on.server.client([client, "--binary-mode", "--comments", "--max-allowed-packet=1G"], { stdin: sql });
  } finally {
    reader.kill();
  }
  if ((await ended) !== 0) throw new AgentError(`the binary log could not be read: ${said}`);
}
