import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import type { Writable } from "node:stream";
import { type Configuration, FOLDERS } from "../../contracts/agent.ts";
import { defined } from "../../lib/defined.ts";
import { secretFile } from "../shared/configuration.ts";
import { AgentError, messageOf } from "../shared/errors.ts";
import type { Reporter } from "../shared/events.ts";
import { ResticCommand, SCRATCH } from "./resticCommand.ts";

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
export class Restic extends ResticCommand {
  /** Makes the repository where it isn't there. @throws AgentError where it is another key's */
  async ensure(): Promise<void> {
    if (await this.#isThere()) return;
    if (this.isHere) this.#forgetHalfMade();
    await this.run(["init"]);
  }

  /**
   * On this disk a look is enough: restic takes half a second of a processor to derive the key, and refuses a wrong one
   * whenever it does something.
   */
  async #isThere(): Promise<boolean> {
    if (this.isHere) return existsSync(`${this.repository}/config`);
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
    await this.execute([...storeArguments(proven), ...args], {
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
    return ["restic", ...this.options, "dump", "latest", `/${file}`, "--tag", `id=${id},part=${part}`];
  }

  /** The content of the one file that was stored as `file`. */
  async read(id: string, part: Part, file: string, to: Writable): Promise<void> {
    await this.execute(this.readCommand(id, part, file).slice(1 + this.options.length), { stdout: to });
  }

  /** A stored folder as tar. */
  async readFolder(id: string, part: Part, to: Writable): Promise<void> {
    await this.execute(["dump", "latest", "/", "--archive", "tar", "--tag", `id=${id},part=${part}`], { stdout: to });
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

  /** Copies backups from another repository. */
  async copyFrom(source: Restic, snapshots: readonly string[]): Promise<void> {
    if (snapshots.length === 0) return;
    const env = {
      ...this.env,
      RESTIC_FROM_REPOSITORY: source.repository,
      RESTIC_FROM_PASSWORD_FILE: secretFile("repositoryKey"),
    };
    await this.execute(["copy", ...snapshots], { env });
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
