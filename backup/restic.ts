import type { Writable } from "node:stream";
import { secretFile } from "./configuration.ts";
import { AgentError, messageOf, refused } from "./errors.ts";
import { execute } from "./execute.ts";
import type { Reporter } from "./events.ts";
import { FOLDERS, type Configuration } from "./protocol.ts";

/** What a part of a backup put into the repository. */
export interface Stored {
  readonly files: number;
  readonly bytes: number;
  readonly added: number;
}

export type Part = "database" | "files";

/** One restic repository. Snapshots are found by their tags, because a copy has another id than the original. */
export class Restic {
  readonly repository: string;
  readonly #env: Readonly<Record<string, string>>;

  constructor(repository: string, env: Readonly<Record<string, string>> = {}) {
    this.repository = repository;
    this.#env = { RESTIC_REPOSITORY: repository, RESTIC_PASSWORD_FILE: secretFile("repositoryKey"), RESTIC_PROGRESS_FPS: "2", GOGC: "50", ...env };
  }

  /** Makes the repository where it isn't there. @throws AgentError where it is another key's */
  async ensure(): Promise<void> {
    try {
      await this.run(["cat", "config"]);
    } catch (error) {
      const message = messageOf(error);
      if (/wrong password|no key found/.test(message)) throw refused(`the repository ${this.repository} has another key than drydock:backup.key`, "pulumi config set --secret --path drydock:backup.key (the key that it was made with)");
      if (!/does not exist|unable to open config|Is there a repository/i.test(message)) throw error;
      await this.run(["init"]);
    }
  }

  /** A command's output as one file. Where the command fails, there is no snapshot. */
  async storeOutput(id: string, part: Part, file: string, command: readonly string[], reporter: Reporter): Promise<Stored> {
    return await this.#store(["--stdin-from-command", "--stdin-filename", file, "--tag", `id=${id},part=${part}`, "--", ...command], reporter, part);
  }

  /** A folder's content, from its own root. */
  async storeFolder(id: string, part: Part, folder: string, include: readonly string[], exclude: readonly string[], reporter: Reporter): Promise<Stored> {
    return await this.#store(["--tag", `id=${id},part=${part}`, ...exclude.map((pattern) => `--exclude=${pattern}`), "--", ...include], reporter, part, folder);
  }

  async #store(args: readonly string[], reporter: Reporter, step: string, cwd?: string): Promise<Stored> {
    let stored: Stored | undefined;
    await execute("restic", ["backup", "--json", "--no-scan", "--host", "drydock", "--compression", "auto", ...args], {
      env: this.#env,
      ...(cwd === undefined ? {} : { cwd }),
      onLine: (line) => {
        const message = parse(line);
        if (message?.message_type === "status") reporter.progress(step, message.bytes_done ?? 0, 0, "bytes");
        if (message?.message_type === "summary") stored = { files: (message.files_new ?? 0) + (message.files_changed ?? 0) + (message.files_unmodified ?? 0), bytes: message.total_bytes_processed ?? 0, added: message.data_added_packed ?? message.data_added ?? 0 };
      },
    });
    if (stored === undefined) throw new AgentError("restic made no snapshot");
    return stored;
  }

  /** The content of the one file that was stored as `file`. */
  async read(id: string, part: Part, file: string, to: Writable): Promise<void> {
    await execute("restic", ["dump", "latest", `/${file}`, "--tag", `id=${id},part=${part}`], { env: this.#env, stdout: to });
  }

  /** A stored folder as tar. */
  async readFolder(id: string, part: Part, to: Writable): Promise<void> {
    await execute("restic", ["dump", "latest", "/", "--archive", "tar", "--tag", `id=${id},part=${part}`], { env: this.#env, stdout: to });
  }

  /** The files that a stored folder has, from its root. */
  async names(id: string, part: Part): Promise<readonly string[]> {
    const names: string[] = [];
    await execute("restic", ["ls", "latest", "--json", "--tag", `id=${id},part=${part}`], {
      env: this.#env,
      onLine: (line) => {
        const node = JSON.parse(line) as { type?: string; path?: string };
        if (node.type === "file") names.push(node.path!.slice(1));
      },
    });
    return names;
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
    const env = { ...this.#env, RESTIC_FROM_REPOSITORY: source.repository, RESTIC_FROM_PASSWORD_FILE: secretFile("repositoryKey") };
    await execute("restic", ["copy", ...snapshots], { env });
  }

  /** Locks of processes that are gone. */
  async unlock(): Promise<void> {
    await this.run(["unlock"]);
  }

  async run(args: readonly string[]): Promise<string> {
    return await execute("restic", [...args, "--quiet"], { env: this.#env });
  }
}

function parse(line: string): { message_type?: string; bytes_done?: number; files_new?: number; files_changed?: number; files_unmodified?: number; total_bytes_processed?: number; data_added?: number; data_added_packed?: number } | undefined {
  try {
    return JSON.parse(line) as ReturnType<typeof parse>;
  } catch {
    return undefined;
  }
}

export const localRepository = (): Restic => new Restic(`${FOLDERS.backups}/repository`, { RESTIC_CACHE_DIR: "/tmp/restic" });

/** The copy in S3; undefined where none is configured. The credentials are in a file, or the machine's own. */
export function s3Repository({ s3 }: Configuration): Restic | undefined {
  if (s3 === undefined) return undefined;
  const host = s3.endpoint ?? `https://s3.${s3.region}.amazonaws.com`;
  return new Restic(`s3:${host}/${s3.bucket}/${s3.prefix}backups/repository`, { RESTIC_CACHE_DIR: `${FOLDERS.backups}/cache`, AWS_DEFAULT_REGION: s3.region, AWS_SHARED_CREDENTIALS_FILE: secretFile("s3") });
}

