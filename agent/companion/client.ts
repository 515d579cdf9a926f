import { type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";
import { PassThrough, type Readable, type Writable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { COMPANION, PORTS, readerOf, STAY_EVERY, type Volume } from "../../contracts/agent.ts";
import { defined } from "../../lib/defined.ts";
import type { LogFile } from "../binlog/replaced.ts";
import type { Summed } from "../database/sums.ts";
import type { FileSums } from "../files/sums.ts";
import { requireSecret, secretFile } from "../shared/configuration.ts";
import { AgentError, messageOf } from "../shared/errors.ts";
import { execute } from "../shared/process.ts";
import type { PhysicalInfo } from "./physicalCopy.ts";
import type { ReplayRange } from "./replay.ts";

/** The stack's own; and the one that is asked, which may be that of a single restore. */
const OWN = "restore";
const HOST = process.env[COMPANION.host] ?? OWN;

/** Asks the companion; a broken answer is an error, never a short one. */
async function ask(
  method: string,
  path: string,
  {
    body,
    to,
    value,
    host = HOST,
    signal,
  }: { body?: Readable; to?: Writable; value?: unknown; host?: string; signal?: AbortSignal } = {},
): Promise<unknown> {
  const sending = request({
    host,
    signal,
    port: PORTS.companion,
    method,
    path,
    headers: { authorization: `Bearer ${requireSecret("restoreToken")}` },
  });
  const answered = new Promise<IncomingMessage>((resolve, reject) =>
    sending.once("response", resolve).once("error", reject),
  );
  try {
    if (body !== undefined) await Promise.race([pipeline(body, sending), answered.then(() => undefined)]);
    else sending.end(value === undefined ? undefined : JSON.stringify(value));
    const response = await answered;
    if (to !== undefined && response.statusCode === 200) return await pipeline(response, to);
    return await answerOf(response);
  } catch (error) {
    throw unreachable(host, error);
  }
}

/** What it says. @throws AgentError where that is an error */
async function answerOf(response: IncomingMessage): Promise<object> {
  const answer = JSON.parse((await text(response)) || "{}") as {
    error?: string;
    transient?: boolean;
    code?: number;
    remedy?: string;
  };
  if (response.statusCode === 200) return answer;
  const { error, transient, code, remedy } = answer;
  throw new AgentError(error ?? `the companion answered ${response.statusCode}`, {
    transient: transient === true,
    ...defined({ code, remedy }),
  });
}

/** An error of the connection, with who did not answer; its own errors are as they are. */
function unreachable(host: string, error: unknown): AgentError {
  if (error instanceof AgentError) return error;
  const [who, role] = host.startsWith("volume_") ? [`the reader ${host}`, "reader"] : ["the companion", "restore"];
  return new AgentError(`${who} (container of role ${role}): ${messageOf(error)}`, {
    transient: true,
    remedy: `./drydock status; ./drydock logs ${role}`,
    cause: error,
  });
}

/** A restore in the companion, thrown away at the end. */
export class Restore {
  /** The live tables may take longer to read than the companion remembers a restore that nobody asks about. */
  readonly #staying: NodeJS.Timeout;

  private constructor(readonly id: string) {
    this.#staying = setInterval(() => void ask("POST", this.#at("stay")).catch(() => undefined), STAY_EVERY).unref();
  }

  static async begin(): Promise<Restore> {
    return new Restore(((await ask("POST", "/restores")) as { id: string }).id);
  }

  readonly #at = (rest: string): string => `/restores/${this.id}/${rest}`;

  async empty(): Promise<void> {
    await ask("POST", this.#at("empty"));
  }
  async prepare(increments: number): Promise<void> {
    await ask("POST", this.#at(`prepare?increments=${increments}`));
  }
  async start(): Promise<void> {
    await ask("POST", this.#at("start"));
  }
  async replay(range: ReplayRange & { readonly files: readonly string[] }): Promise<void> {
    await ask("POST", this.#at("replay"), { value: range });
  }
  async sums(schema: string): Promise<Summed> {
    return (await ask("POST", this.#at(`sums?schema=${encodeURIComponent(schema)}`))) as Summed;
  }
  async fileSums(): Promise<FileSums> {
    return (await ask("POST", this.#at("filesums"))) as FileSums;
  }
  async dump({ schema, version }: { readonly schema: string; readonly version: string }, to: Writable): Promise<void> {
    await ask("GET", this.#at(`dump?schema=${encodeURIComponent(schema)}&target=${encodeURIComponent(version)}`), {
      to,
    });
  }
  async finish(schema: string): Promise<{ readonly folder: string; readonly objects: number }> {
    return (await ask("POST", this.#at(`finish?schema=${encodeURIComponent(schema)}`))) as {
      folder: string;
      objects: number;
    };
  }

  /** Ends its server, and leaves its files for restores of this backup. */
  async keep(backup: string, schema: string): Promise<void> {
    await ask("POST", this.#at(`keep?backup=${backup}&schema=${encodeURIComponent(schema)}`));
  }
  /** Takes the files that the proof of a backup has left. Answers false where there are none. */
  async take(backup: string): Promise<boolean> {
    return ((await ask("POST", this.#at(`take?backup=${backup}`))) as { taken: boolean }).taken;
  }

  /** Sends what `source` writes: a file of the log, a tar. */
  async send(rest: string, source: (to: Writable) => Promise<void>): Promise<void> {
    const through = new PassThrough({ highWaterMark: 1 << 20 });
    const asking = ask("PUT", this.#at(rest), { body: through });
    const reading = source(through).then(
      () => through.end(),
      (error: Error) => {
        through.destroy(error);
        throw error;
      },
    );
    const [read, asked] = await Promise.allSettled([reading, asking]);
    // The first cause, not what it did to the other side.
    if (asked.status === "rejected" && !(read.status === "rejected" && (asked.reason as AgentError).transient))
      throw asked.reason;
    if (read.status === "rejected") throw read.reason;
  }

  /**
   * Sends what a command writes, SQL or the files of a server (`unpack/NUMBER`): it is what the program there reads,
   * without passing through here or through the companion.
   */
  async sendOutput(rest: string, command: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
    const path = this.#at(rest);
    const [sent] = await Promise.allSettled([pour(command, env, path)]);
    const [said] = await Promise.allSettled([ask("PUT", path)]);
    // What the companion says is the cause where it hung up first; else who sent broke off by itself.
    if (sent.status === "rejected" && (said.status === "fulfilled" || !HUNG_UP.test(messageOf(sent.reason))))
      throw sent.reason;
    if (said.status === "rejected") throw said.reason;
  }

  async remove(): Promise<void> {
    clearInterval(this.#staying);
    await removeRestore(this.id).catch(() => undefined);
  }
}

/** How a command ends whose reader has gone. */
const HUNG_UP = /broken pipe|connection reset|hang up|ECONNRESET/i;

/** Runs a command whose output is what a program of the companion's reads. */
async function pour(
  [program, ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  path: string,
): Promise<void> {
  const socket = await handedOver(path);
  try {
    await execute(program!, args, { env, stdout: socket });
  } finally {
    socket.destroy();
  }
}

/** A connection to the companion that from now on is what a program there reads. */
async function handedOver(path: string): Promise<Socket> {
  const headers = {
    authorization: `Bearer ${requireSecret("restoreToken")}`,
    connection: "upgrade",
    upgrade: "stream",
  };
  const sending = request({ host: HOST, port: PORTS.companion, method: "PUT", path, headers, agent: false });
  try {
    return await new Promise<Socket>((resolve, reject) => {
      sending
        .once("upgrade", (_, socket) => resolve(socket as Socket))
        .once("response", (response) => answerOf(response).then(() => reject(new Error("no connection")), reject))
        .once("error", reject)
        .end();
    });
  } catch (error) {
    throw unreachable(HOST, error);
  }
}

/**
 * A command that writes what a path answers, and then has a second one answered: a body that broke off looks like a
 * complete one. The token is read from its file, and on no command line.
 */
const fetchCommand = (host: string, path: string, proof: string): readonly string[] => [
  // 1.0: what a program writes to the connection by itself is in no chunks.
  ...["curl", "--http1.0", "--silent", "--show-error", "--fail", "--fail-early", "--noproxy", "*"],
  ...["--variable", `token@${secretFile("restoreToken")}`],
  ...["--expand-header", "authorization: Bearer {{token:trim}}"],
  ...["--output", "-", `http://${host}:${PORTS.companion}${path}`],
  ...["--output", "/dev/null", `http://${host}:${PORTS.companion}${proof}`],
];

/** Has a copy of the live server's files written to standard output, and proves at the end that it is complete. */
export const copyCommand = (key: string, lsn: string | undefined): readonly string[] =>
  fetchCommand(HOST, `/physical/${key}${lsn === undefined ? "" : `?lsn=${lsn}`}`, `/physical/${key}?info`);

/** The same of a service's volume, as tar. */
export const readCommand = (volume: Volume, key: string): readonly string[] =>
  fetchCommand(readerOf(volume), `/volume/${key}`, `/volume/${key}?info`);

/**
 * What came of storing what such a command wrote.
 * @throws the reason that the other side has, where the command says no more than that it got an error
 */
export async function fetched<T>(storing: Promise<T>, reason: () => Promise<unknown>): Promise<T> {
  return await storing.catch(async (error: unknown) => {
    // 23: nobody took any more of it, which is for another reason.
    if (/\bcurl: \((?!23\))\d+\)/.test(messageOf(error))) await reason();
    throw error;
  });
}

/** Asks the container that reads a service's volume. */
export const askReader = async (volume: Volume, path: string, signal?: AbortSignal): Promise<unknown> =>
  await ask("GET", path, { host: readerOf(volume), ...defined({ signal }) });

const removeRestore = async (id: string): Promise<unknown> => await ask("DELETE", `/restores/${id}`);
/**
 * Waits until a companion of a single restore answers, as whoever starts it says in a line on standard input. Its name
 * isn't looked up before: Docker asks the host's resolvers for a name that isn't there yet, and where none answers that
 * takes ten seconds.
 */
export async function companionStarted(): Promise<void> {
  if (HOST === OWN) return;
  for await (const _ of process.stdin) return;
  throw new AgentError("the companion of this restore was not started");
}

/** Throws away whatever is being restored there: whoever did that is gone. */
export const forgetRestores = async (): Promise<unknown> =>
  await ask("DELETE", "/restores", { host: OWN, signal: AbortSignal.timeout(5_000) });

/** The backups whose restored files the stack's own companion has. */
export const keptBackups = async (): Promise<readonly string[]> =>
  ((await ask("GET", "/kept", { host: OWN })) as { kept: string[] }).kept;
export const forgetKept = async (): Promise<void> => void (await ask("DELETE", "/kept", { host: OWN }));
/** The files of the log after which the live data are others: those of a restore. */
export const replacedAfter = async (): Promise<readonly LogFile[]> =>
  ((await ask("GET", "/replaced", { host: OWN })) as { after: LogFile[] }).after;
export const companionSpace = async (): Promise<number> => ((await ask("GET", "/space")) as { free: number }).free;
export const physicalInfo = async (key: string): Promise<PhysicalInfo> =>
  (await ask("GET", `/physical/${key}?info`)) as PhysicalInfo;
