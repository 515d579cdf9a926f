import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach } from "mocha";

/** What functions/one-off.sh is told of a container of the new image. */
export const ONE_OFF = {
  IMAGE: "shop:1",
  NETWORK: "net",
  APP_PATH: "/app",
  RUN_AS: "1000:1000",
  MEMORY: "256",
  LABELS: "--label a=b",
} as const;

/** Scripts of commands/ with a docker of the test's own, first on PATH; each case has a folder of its own. */
export class ScriptRig {
  #folder = "";

  /** Inside a `describe`. */
  constructor() {
    beforeEach(() => {
      this.#folder = mkdtempSync(join(tmpdir(), "drydock-script-"));
    });
    afterEach(() => rmSync(this.#folder, { recursive: true }));
  }

  get folder(): string {
    return this.#folder;
  }

  /** Each call of docker with its arguments, a line each. */
  get calls(): string {
    return this.read("calls");
  }

  /** What a file in the folder holds; nothing where it isn't there. */
  read(name: string): string {
    const path = join(this.#folder, name);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.#folder, name), text);
  }

  /** A program of this name is this shell script. */
  program(name: string, body: string): void {
    writeFileSync(join(this.#folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  }

  /** Docker is this shell script, and its calls are kept. */
  docker(body: string): void {
    this.program("docker", `echo "$*" >> ${this.#folder}/calls\n${body}`);
  }

  /**
   * Runs a script of commands/.
   * @param script its path from there, without the ending
   */
  run(script: string, env: Readonly<Record<string, string>>, input = "") {
    return this.shell([`commands/${script}.sh`], env, input);
  }

  /** Runs a shell with these arguments. */
  shell(args: readonly string[], env: Readonly<Record<string, string>> = {}, input = "") {
    const { status, stdout, stderr } = spawnSync("sh", args, {
      input,
      encoding: "utf8",
      env: { PATH: `${this.#folder}:${process.env.PATH}`, ...env },
    });
    return { status, stdout, stderr };
  }
}
