import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import type { Writable } from "node:stream";
import { type Configuration, FOLDERS } from "../../contracts/agent.ts";
import { defined } from "../../lib/defined.ts";
import { readIfThere } from "../../lib/stateFiles.ts";
import { secretFile } from "../shared/configuration.ts";
import { AgentError, messageOf, wrongKey } from "../shared/errors.ts";
import type { Reporter } from "../shared/events.ts";
import { type ExecuteOptions, execute } from "../shared/process.ts";
import { isDamage, plain } from "./resticMessages.ts";

/** What a part of a backup put into the repository. */
export interface Stored {
  readonly files: number;
  readonly bytes: number;
  readonly added: number;
}

export interface StoredFolder extends Stored {
  readonly names: readonly string[];
  /** Only where something could not be read. */
  readonly unread?: string;
}

interface FolderOptions {
  readonly cwd?: string;
  readonly onName?: (path: string) => void;
  readonly onUnread?: (said: string) => void;
}

/** How restic ends where some files could not be read. */
const INCOMPLETE = 3;

/** "database", "files", or the title of a volume. */
export type Part = string;

export interface StoreOptions {
  readonly reporter: Reporter;
  /** It is restored and compared as soon as it is stored. */
  readonly proven: boolean;
}

/** One restic repository. Snapshots are found by their tags, because a copy has another id than the original. */
export class Restic {
  readonly repository: string;
  readonly env: Readonly<Record<string, string>>;
  readonly #options: readonly string[];
  readonly #running = new Set<ChildProcess>();

  constructor(repository: string, env: Readonly<Record<string, string>> = {}, options: readonly string[] = []) {
    this.repository = repository;
    this.#options = options;
    this.env = {
      RESTIC_REPOSITORY: repository,
      RESTIC_PASSWORD_FILE: secretFile("repositoryKey"),
      RESTIC_PROGRESS_FPS: "2",
      GOMEMLIMIT: memoryLimit(),
      TMPDIR: SCRATCH,
      ...env,
    };
  }

  /** Makes the repository where it isn't there. @throws AgentError where it is another key's */
  async ensure(): Promise<void> {
    if (await this.#isThere()) return;
    if (this.#isHere) this.#forgetHalfMade();
    await this.run(["init"]);
  }

  get #isHere(): boolean {
    return this.repository.startsWith("/");
  }

  /**
   * On this disk a look is enough: restic takes half a second of a processor to derive the key, and refuses a wrong one
   * whenever it does something.
   */
  async #isThere(): Promise<boolean> {
    if (this.#isHere) return existsSync(`${this.repository}/config`);
    try {
      await this.run(["cat", "config"]);
      return true;
    } catch (error) {
      if (/does not exist|unable to open config|Is there a repository/i.test(messageOf(error))) return false;
      throw error;
    }
  }

  /**
   * What was killed while it made a repository has left a key, with which restic makes none any more. Where there is a
   * snapshot it may be needed.
   */
  #forgetHalfMade(): void {
    const snapshots = `${this.repository}/snapshots`;
    if (!existsSync(snapshots) || readdirSync(snapshots).length === 0)
      rmSync(`${this.repository}/keys`, { recursive: true, force: true });
  }

  /** A command's output as one file. Where the command fails, there is no snapshot. */
  async storeOutput(
    id: string,
    part: Part,
    file: string,
    command: readonly string[],
    options: StoreOptions,
  ): Promise<Stored> {
    return await this.#store(
      ["--stdin-from-command", "--stdin-filename", file, "--tag", `id=${id},part=${part}`, "--", ...command],
      part,
      options,
    );
  }

  /**
   * A folder's content, from its own root; with the names of all that it stored, and what restic says of files that it
   * could not read. Those are left out, and the rest is stored.
   */
  async storeFolder(
    id: string,
    part: Part,
    folder: string,
    include: readonly string[],
    exclude: readonly string[],
    options: StoreOptions,
  ): Promise<StoredFolder> {
    const names: string[] = [];
    let unread: string | undefined;
    const stored = await this.#store(
      [
        "--verbose=2",
        "--tag",
        `id=${id},part=${part}`,
        ...exclude.map((pattern) => `--exclude=${pattern}`),
        "--",
        ...include,
      ],
      part,
      options,
      {
        cwd: folder,
        onName: (path) => names.push(path),
        onUnread: (said) => {
          unread = said;
        },
      },
    );
    return { ...stored, names, ...defined({ unread }) };
  }

  async #store(
    args: readonly string[],
    step: string,
    { reporter, proven }: StoreOptions,
    { cwd, onName, onUnread }: FolderOptions = {},
  ): Promise<Stored> {
    let stored: Stored | undefined;
    mkdirSync(SCRATCH, { recursive: true, mode: 0o700 });
    await this.#execute([...storeArguments(proven), ...args], {
      ...defined({ cwd }),
      ...(onUnread === undefined
        ? {}
        : {
            // There is a snapshot, of what could be read.
            accept: [INCOMPLETE],
            onEnd: (code: number, said: string) => {
              if (code === INCOMPLETE) onUnread(said);
            },
          }),
      onLine: (line) => {
        const message = parse(line);
        if (message?.message_type === "verbose_status" && message.item !== undefined && !message.item.endsWith("/"))
          onName?.(message.item.slice(1));
        if (message?.message_type === "status") reporter.progress(step, message.bytes_done ?? 0, 0, "bytes");
        if (message?.message_type === "summary")
          stored = {
            files: (message.files_new ?? 0) + (message.files_changed ?? 0) + (message.files_unmodified ?? 0),
            bytes: message.total_bytes_processed ?? 0,
            added: message.data_added_packed ?? message.data_added ?? 0,
          };
      },
    });
    if (stored === undefined) throw new AgentError("restic made no snapshot");
    return stored;
  }

  /** The command that writes the content of the one file that was stored as `file`; with `env`. */
  readCommand(id: string, part: Part, file: string): readonly string[] {
    return ["restic", ...this.#options, "dump", "latest", `/${file}`, "--tag", `id=${id},part=${part}`];
  }

  /** The content of the one file that was stored as `file`. */
  async read(id: string, part: Part, file: string, to: Writable): Promise<void> {
    await this.#execute(this.readCommand(id, part, file).slice(1 + this.#options.length), { stdout: to });
  }

  /** A stored folder as tar. */
  async readFolder(id: string, part: Part, to: Writable): Promise<void> {
    await this.#execute(["dump", "latest", "/", "--archive", "tar", "--tag", `id=${id},part=${part}`], { stdout: to });
  }

  /** Ids of the backups of which the repository has something. */
  async ids(): Promise<ReadonlyMap<string, readonly string[]>> {
    const snapshots = JSON.parse(await this.run(["snapshots", "--json"])) as { id: string; tags?: string[] }[];
    const found = new Map<string, string[]>();
    for (const { id, tags = [] } of snapshots) {
      const name = tags.find((tag) => tag.startsWith("id="))?.slice(3);
      if (name !== undefined) found.set(name, [...(found.get(name) ?? []), id]);
    }
    return found;
  }

  /** Takes snapshots away; their data goes with `prune`. */
  async forget(snapshots: readonly string[]): Promise<void> {
    if (snapshots.length > 0) await this.run(["forget", ...snapshots]);
  }

  async prune(): Promise<void> {
    await this.run(["prune"]);
  }

  /** @param part of the data that is read and compared with its sums, such as "5%"; nothing is read without it */
  async check(part?: string): Promise<void> {
    await this.run(["check", ...(part === undefined ? [] : [`--read-data-subset=${part}`])]);
  }

  /**
   * The ids of the backups of which a snapshot needs one of these packs, which are damaged, of a repository on this
   * disk.
   */
  async needing(packs: readonly string[]): Promise<ReadonlySet<string>> {
    const said = await this.#without(packs, () => this.run(["find", "--pack", ...packs]));
    const short = new Set([...said.matchAll(/in snapshot ([0-9a-f]+)/g)].map(([, id]) => id!));
    const named = [...(await this.ids())].filter(([, snapshots]) =>
      snapshots.some((id) => [...short].some((begin) => id.startsWith(begin))),
    );
    return new Set(named.map(([id]) => id));
  }

  readonly #pack = (pack: string): string => `${this.repository}/data/${pack.slice(0, 2)}/${pack}`;

  /** A damaged pack can't say what is in it; of one that is missing, the index says it. */
  async #without<T>(packs: readonly string[], work: () => Promise<T>): Promise<T> {
    const aside = `${FOLDERS.backups}/damaged`;
    mkdirSync(aside, { recursive: true, mode: 0o700 });
    const there = packs.filter((pack) => existsSync(this.#pack(pack)));
    for (const pack of there) renameSync(this.#pack(pack), `${aside}/${pack}`);
    try {
      return await work();
    } finally {
      for (const pack of there) renameSync(`${aside}/${pack}`, this.#pack(pack));
    }
  }

  /**
   * Takes damaged packs out of the repository, of its index, and what was in them out of the snapshots; what of them
   * can be read is stored once more.
   */
  async takeOut(packs: readonly string[]): Promise<void> {
    // It puts copies of them where it runs.
    const aside = `${FOLDERS.backups}/damaged`;
    mkdirSync(aside, { recursive: true, mode: 0o700 });
    const there = packs.filter((pack) => existsSync(this.#pack(pack)));
    // What is missing can't be read: the index is made of what is there.
    if (there.length < packs.length) await this.run(["repair", "index"]);
    if (there.length > 0) await this.#execute(["repair", "packs", ...there, "--quiet"], { cwd: aside });
    await this.run(["repair", "snapshots", "--forget"]);
  }

  /** Copies backups from another repository. */
  async copyFrom(source: Restic, snapshots: readonly string[]): Promise<void> {
    if (snapshots.length === 0) return;
    const env = {
      ...this.env,
      RESTIC_FROM_REPOSITORY: source.repository,
      RESTIC_FROM_PASSWORD_FILE: secretFile("repositoryKey"),
    };
    await this.#execute(["copy", ...snapshots], { env });
  }

  /** All locks of a repository on this disk. */
  forgetLocks(): void {
    rmSync(`${this.repository}/locks`, { recursive: true, force: true });
    if (existsSync(`${this.repository}/config`)) mkdirSync(`${this.repository}/locks`, { mode: 0o700 });
  }

  /**
   * Locks of processes that are gone. Only one agent writes to a repository (in S3: see Ownership, which whoever writes
   * holds), so those of another host are of a container that was replaced.
   */
  async unlock(): Promise<void> {
    const locks = (await this.run(["list", "locks", "--no-lock"])).split("\n").filter((id) => id !== "");
    const alive = await Promise.all(
      locks.map(async (id) => {
        const { hostname: host, pid } = JSON.parse(await this.run(["cat", "lock", id, "--no-lock"])) as {
          hostname: string;
          pid: number;
        };
        return host === hostname() && existsSync(`/proc/${pid}`);
      }),
    );
    await this.run(["unlock", ...(alive.includes(true) ? [] : ["--remove-all"])]);
  }

  #damaged(message: string, cause: unknown): AgentError {
    return new AgentError(`the repository ${this.repository} is damaged: ${plain(message)}`, {
      remedy: `each backup that shares what is damaged is affected: ./drydock backup verify ID says which; ${
        this.#isHere
          ? "keep a copy of the volume of backups, then make a full backup: ./drydock backup run --type full; " +
            "what S3 has is not affected"
          : "what is on the Docker host is not affected"
      }`,
      cause,
    });
  }

  /** Ends what is at work on this repository. */
  end(): void {
    for (const child of this.#running) child.kill("SIGKILL");
  }

  async run(args: readonly string[]): Promise<string> {
    return await this.#execute([...args, "--quiet"]);
  }

  async #execute(args: readonly string[], options: ExecuteOptions = {}): Promise<string> {
    const onStart = (child: ChildProcess): void => {
      this.#running.add(child);
      child.once("close", () => this.#running.delete(child));
    };
    const run = async (): Promise<string> =>
      await execute("restic", [...this.#options, ...args], { env: this.env, onStart, ...options });
    try {
      return await run();
    } catch (error) {
      const message = messageOf(error);
      if (/wrong password|no key found/.test(message))
        throw wrongKey(`the repository ${this.repository}`, this.#isHere);
      // One of a process that was killed; a lock of one that lives stays.
      if (isDamage(message)) throw this.#damaged(message, error);
      if (
        !/already locked/.test(message) ||
        options.stdout !== undefined ||
        ["unlock", "list", "cat"].includes(args[0]!)
      )
        throw error;
      await this.unlock();
      return await run();
    }
  }
}

/**
 * It is the processor that a backup waits for. Compressed at its quickest, it gives away little in size. And restic
 * opens and compares each piece right after sealing it, in memory, which is a quarter of its work: the proof does that
 * with all of it, as it came to lie on the disk.
 */
export const storeArguments = (proven: boolean): readonly string[] => [
  "backup",
  "--json",
  "--no-scan",
  "--host",
  "drydock",
  "--compression",
  "fastest",
  ...(proven ? ["--no-extra-verify"] : []),
];

/**
 * Where restic writes what is not yet a whole pack: on the disk, for a folder in memory counts as memory and is small.
 */
const SCRATCH = `${FOLDERS.backups}/tmp`;

/** What restic tries to keep below: two of them, the agent and a verb share the container's memory. */
function memoryLimit(): string {
  const limit = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
    .map((file) => Number(readIfThere(file)?.toString()))
    .find((bytes) => bytes > 0 && bytes < 2 ** 40);
  return `${Math.max(64, Math.round(((limit ?? 2 ** 30) * 0.22) / 2 ** 20))}MiB`;
}

function parse(line: string):
  | {
      message_type?: string;
      item?: string;
      bytes_done?: number;
      files_new?: number;
      files_changed?: number;
      files_unmodified?: number;
      total_bytes_processed?: number;
      data_added?: number;
      data_added_packed?: number;
    }
  | undefined {
  try {
    return JSON.parse(line) as ReturnType<typeof parse>;
  } catch {
    return undefined;
  }
}

export const localRepository = (): Restic => new Restic(`${FOLDERS.backups}/repository`, {}, ["--no-cache"]);

/** The copy in S3; undefined where none is configured. The credentials are in a file, or the machine's own. */
export function s3Repository({ s3 }: Configuration): Restic | undefined {
  if (s3 === undefined) return undefined;
  const host = s3.endpoint ?? `https://s3.${s3.region}.amazonaws.com`;
  return new Restic(`s3:${host}/${s3.bucket}/${s3.prefix}backups/repository`, {
    RESTIC_CACHE_DIR: `${FOLDERS.backups}/cache`,
    AWS_DEFAULT_REGION: s3.region,
    AWS_SHARED_CREDENTIALS_FILE: secretFile("s3"),
  });
}
