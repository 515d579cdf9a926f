import type { ChildProcess } from "node:child_process";
import { execFile, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { installOffline } from "../../../offline/install.ts";

const ROOT = resolve(import.meta.dirname, "../../..");
/** Label of everything that these tests create; one value a process, so that two runs don't meet. */
export const LABEL = "drydock.test.offline";
export const RUN = `${process.pid}-${Date.now()}`;

export interface Result {
  readonly code: number | null;
  readonly output: string;
}

/** A small program with a state of its own, under the real offline engine. */
export class Stack {
  readonly folder = mkdtempSync(join(tmpdir(), "drydock-offline-"));
  private constructor(private readonly home: string) {}

  /** @param program JavaScript; `docker`, `command`, `pulumi` and `labels` are there */
  static async create(program: string): Promise<Stack> {
    const stack = new Stack((await installOffline({ log: console.error })).home);
    mkdirSync(join(stack.folder, "state"));
    symlinkSync(join(ROOT, "node_modules"), join(stack.folder, "node_modules"));
    writeFileSync(join(stack.folder, "Pulumi.yaml"), "name: tiny\nruntime: nodejs\n");
    writeFileSync(join(stack.folder, "package.json"), "{}");
    stack.program(program);
    const { code, output } = await stack.pulumi("stack", "init", "test");
    if (code !== 0) throw new Error(output);
    return stack;
  }

  program(source: string): void {
    writeFileSync(
      join(this.folder, "index.js"),
      `
      const pulumi = require("@pulumi/pulumi"); const docker = require("@pulumi/docker");
      const command = require("@pulumi/command");
      const labels = [{ label: "${LABEL}", value: "${RUN}" }];
      ${source}`,
    );
  }

  get env(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      PATH: `${this.home}/bin:${process.env.PATH}`,
      PULUMI_HOME: this.home,
      PULUMI_BACKEND_URL: `file://${this.folder}/state`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
      XDG_STATE_HOME: join(this.folder, "xdg"),
    };
  }

  start(...args: string[]): ChildProcess {
    return spawn("pulumi", [...args, "--non-interactive"], {
      cwd: this.folder,
      env: this.env,
      stdio: ["ignore", "pipe", "pipe"],
    });
  }

  pulumi(...args: string[]): Promise<Result> {
    return this.with({}, ...args);
  }

  with(env: NodeJS.ProcessEnv, ...args: string[]): Promise<Result> {
    return new Promise((done) => {
      execFile(
        join(this.home, "bin", "pulumi"),
        [...args, "--non-interactive"],
        { cwd: this.folder, env: { ...this.env, ...env }, maxBuffer: 1 << 26 },
        (error, stdout, stderr) => done({ code: error ? Number(error.code ?? 1) : 0, output: stdout + stderr }),
      );
    });
  }

  up(...args: string[]): Promise<Result> {
    return this.pulumi("up", "--yes", "--skip-preview", ...args);
  }

  preview(): Promise<Result> {
    return this.pulumi("preview", "--diff");
  }

  async outputs(): Promise<Record<string, any>> {
    return JSON.parse((await this.pulumi("stack", "output", "--json", "--show-secrets")).output);
  }

  /** The state file, as it is on disk. */
  state(): string {
    return readFileSync(join(this.folder, "state", ".pulumi", "stacks", "tiny", "test.json"), "utf8");
  }

  async remove(): Promise<void> {
    await this.pulumi("cancel", "--yes");
    await this.pulumi("destroy", "--yes", "--skip-preview");
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export const docker = (...args: string[]): string =>
  execFileSync("docker", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();

/** Names of the containers of this run, with how they are: `box-1234567 Up 3 seconds (healthy)`. */
export const containers = (): string[] =>
  docker("ps", "-a", "--filter", `label=${LABEL}=${RUN}`, "--format", "{{.Names}} {{.Status}}")
    .split("\n")
    .filter((line) => line !== "");

/** Removes whatever a failed test has left. */
export function sweep(): void {
  const ids = (...list: string[]): string[] =>
    docker(...list, "-q", "--filter", `label=${LABEL}=${RUN}`)
      .split("\n")
      .filter((id) => id !== "");
  for (const id of ids("ps", "-a")) docker("rm", "-f", "-v", id);
  for (const id of ids("network", "ls")) docker("network", "rm", id);
  for (const id of ids("volume", "ls")) docker("volume", "rm", id);
}

/** An image with a shell: one made for this run from Debian's static busybox. No registry is asked. */
export function shellImage(): string {
  const name = "drydock/offline-test:busybox";
  if (docker("images", "-q", name) !== "") return name;
  const folder = mkdtempSync(join(tmpdir(), "drydock-busybox-"));
  try {
    const script = `set -e; apt-get download busybox-static; dpkg -x busybox-static*.deb deb;
    mkdir -p root/bin root/tmp root/etc
      cp "$(find deb -type f -perm -100 -name busybox)" root/bin/busybox
      for applet in $(root/bin/busybox --list); do [ "$applet" = busybox ] || ln -s busybox "root/bin/$applet"; done
      tar -C root -c . | docker import --change 'ENV PATH=/bin' - ${name}`;
    execFileSync("sh", ["-c", script], { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return name;
}

export async function until(what: string, condition: () => boolean, seconds = 60): Promise<void> {
  for (const end = Date.now() + seconds * 1000; !condition(); ) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain until ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
}

/** Asserts that the texts occur, in this order. */
export function inOrder(output: string, ...texts: string[]): void {
  let at = 0;
  for (const text of texts) {
    const found = output.indexOf(text, at);
    if (found < 0)
      throw new Error(`"${text}" ${output.includes(text) ? "is out of order" : "is missing"} in:\n${output}`);
    at = found + text.length;
  }
}
