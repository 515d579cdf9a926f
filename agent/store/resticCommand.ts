import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { FOLDERS } from "../../contracts/agent.ts";
import { readIfThere } from "../../lib/stateFiles.ts";
import { secretFile } from "../shared/configuration.ts";
import { AgentError, messageOf, wrongKey } from "../shared/errors.ts";
import { type ExecuteOptions, execute } from "../shared/process.ts";
import { isDamage, plain } from "./resticMessages.ts";

/**
 * Where restic writes what is not yet a whole pack: on the disk, for a folder in memory counts as memory and is small.
 */
export const SCRATCH = `${FOLDERS.backups}/tmp`;

/** What restic tries to keep below: two of them, the agent and a verb share the container's memory. */
function memoryLimit(): string {
  const limit = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
    .map((file) => Number(readIfThere(file)?.toString()))
    .find((bytes) => bytes > 0 && bytes < 2 ** 40);
  return `${Math.max(64, Math.round(((limit ?? 2 ** 30) * 0.22) / 2 ** 20))}MiB`;
}

/** How restic is called on one repository: its variables, its locks, and what its failures mean. */
export class ResticCommand {
  readonly repository: string;
  readonly env: Readonly<Record<string, string>>;
  protected readonly options: readonly string[];
  readonly #running = new Set<ChildProcess>();

  constructor(repository: string, env: Readonly<Record<string, string>> = {}, options: readonly string[] = []) {
    this.repository = repository;
    this.options = options;
    this.env = {
      RESTIC_REPOSITORY: repository,
      RESTIC_PASSWORD_FILE: secretFile("repositoryKey"),
      RESTIC_PROGRESS_FPS: "2",
      GOMEMLIMIT: memoryLimit(),
      TMPDIR: SCRATCH,
      ...env,
    };
  }

  /** On this disk. */
  protected get isHere(): boolean {
    return this.repository.startsWith("/");
  }

  /** Ends what is at work on this repository. */
  end(): void {
    for (const child of this.#running) child.kill("SIGKILL");
  }

  /** Runs a command without its progress. @returns what it said */
  async run(args: readonly string[], options: ExecuteOptions = {}): Promise<string> {
    return await this.execute([...args, "--quiet"], options);
  }

  protected async execute(args: readonly string[], options: ExecuteOptions = {}): Promise<string> {
    const onStart = (child: ChildProcess): void => {
      this.#running.add(child);
      child.once("close", () => this.#running.delete(child));
    };
    const run = async (): Promise<string> =>
      await execute("restic", [...this.options, ...args], { env: this.env, onStart, ...options });
    try {
      return await run();
    } catch (error) {
      const message = messageOf(error);
      if (/wrong password|no key found/.test(message)) throw wrongKey(`the repository ${this.repository}`, this.isHere);
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

  #damaged(message: string, cause: unknown): AgentError {
    return new AgentError(`the repository ${this.repository} is damaged: ${plain(message)}`, {
      remedy: `each backup that shares what is damaged is affected: ./drydock backup verify ID says which; ${
        this.isHere
          ? "keep a copy of the volume of backups, then make a full backup: ./drydock backup run --type full; " +
            "what S3 has is not affected"
          : "what is on the Docker host is not affected"
      }`,
      cause,
    });
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
}
