import assert from "node:assert/strict";
import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { userHome } from "../../offline/installed.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const made: string[] = [];
// A suite whose tests were all left out removes nothing. What was used may have a stack, which needs its state.
process.once("exit", () => {
  for (const dir of made) if (!existsSync(join(dir, ".drydock"))) rmSync(dir, { recursive: true, force: true });
});

/** Copies what is in this project, or would be: neither packages nor state. */
export function copyProject(to: string): void {
  const files = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8",
  });
  for (const file of new Set(files.split("\0").filter((name) => name !== "")))
    cpSync(join(root, file), join(to, file), { recursive: true, preserveTimestamps: true });
}

/**
 * A fresh clone of this project in a folder of its own, with its own state, stack and containers; what a newcomer would
 * have.
 */
export class Clone {
  readonly dir: string;

  constructor() {
    this.dir = mkdtempSync(join(tmpdir(), "drydock-clone-"));
    copyProject(this.dir);
    made.push(this.dir);
    symlinkSync(join(root, "node_modules"), join(this.dir, "node_modules"));
  }

  /** The environment of a shell in which nobody has set up Pulumi or Docker for this clone. */
  env(more: Record<string, string> = {}): Record<string, string> {
    const inherited = Object.entries(process.env).filter(
      ([name, value]) => value !== undefined && !/^(PULUMI_|NODE_OPTIONS|DRYDOCK_RELEASE)/.test(name),
    );
    // Where a person's own plugins are; a home that Drydock has filled is nobody's.
    const home = process.env.PULUMI_HOME;
    const own: Record<string, string> = home !== undefined && userHome() === home ? { PULUMI_HOME: home } : {};
    return { ...(Object.fromEntries(inherited) as Record<string, string>), ...own, NO_COLOR: "1", ...more };
  }

  /** Runs `./drydock ARGS` to its end. */
  drydock(args: string[], more: Record<string, string> = {}): Promise<Result> {
    return this.run("./drydock", args, more);
  }

  /** Starts `./drydock ARGS` and does not wait. */
  start(args: string[], more: Record<string, string> = {}): ChildProcess {
    return spawn("./drydock", args, { cwd: this.dir, env: this.env(more), stdio: ["ignore", "pipe", "pipe"] });
  }

  /** Runs Pulumi's own CLI, as after `eval "$(./drydock env)"`. */
  async pulumi(args: string[]): Promise<Result> {
    return this.run("bash", [
      "-c",
      'eval "$(./drydock env 2>/dev/null)" && exec pulumi "$@"',
      "pulumi",
      ...args,
      "--non-interactive",
    ]);
  }

  /** Sets a setting of the stack `local`, by its path below `drydock:`. */
  async set(path: string, value: string, ...flags: string[]): Promise<void> {
    const args = ["config", "set", "--path", `drydock:${path}`, value, "--stack", "local", ...flags];
    const { code, stdout, stderr } = await this.pulumi(args);
    assert.equal(code, 0, stdout + stderr);
  }

  run(file: string, args: string[], more: Record<string, string> = {}): Promise<Result> {
    return new Promise((resolve) => {
      const child = execFile(
        file,
        args,
        { cwd: this.dir, env: this.env(more), maxBuffer: 64 << 20 },
        (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : 1, stdout, stderr });
        },
      );
      child.stdin?.end();
    });
  }

  read(file: string): string {
    return readFileSync(join(this.dir, file), "utf8");
  }

  /** Changes a file of the clone. */
  edit(file: string, change: (text: string) => string): void {
    this.write(file, change(this.read(file)));
  }

  /** Makes a file of the clone. */
  write(file: string, text: string): void {
    writeFileSync(join(this.dir, file), text);
  }

  async status(): Promise<Status> {
    const { stdout } = await this.drydock(["status", "--json"]);
    return JSON.parse(stdout) as Status;
  }

  /** Takes the stack and its data away, and the folder. */
  async remove(more: Record<string, string> = {}): Promise<void> {
    await this.drydock(["destroy", "--yes", "--volumes"], more);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

export interface Status {
  readonly stack: string;
  readonly url: string;
  readonly release: string;
  readonly services: readonly {
    name: string;
    role: string;
    container: string;
    image: string;
    state: string;
    health: string;
  }[];
}

/** `docker ARGS`, its output without the last line break. */
export function docker(...args: string[]): string {
  return execFileSync("docker", args, { encoding: "utf8", maxBuffer: 64 << 20 }).trimEnd();
}
