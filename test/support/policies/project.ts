import { execFile } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { resolveEngine } from "../../../offline/install.ts";
import { copyProject } from "../clone.ts";
import { YesProvider } from "./provider.ts";

export const ROOT = resolve(import.meta.dirname, "../../..");
export const PACK = join(ROOT, "policies");

export interface Violation {
  readonly policy: string;
  readonly level: string;
  readonly resource: string;
  readonly message: string;
}

export interface Result {
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
  readonly violations: readonly Violation[];
}

/**
 * A Pulumi project in a folder of its own, with a state of its own, under the real engine; nothing that it deploys
 * exists.
 */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), "drydock-policies-"));
  readonly #provider = new YesProvider();
  #env: NodeJS.ProcessEnv = {};
  #bin = "pulumi";

  /** A program of one file; `docker`, `command`, `pulumi` and `any` (a resource of any type) are there. */
  static async ofProgram(source: string, stack = "dev"): Promise<Project> {
    const project = new Project();
    writeFileSync(join(project.folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
    writeFileSync(join(project.folder, "package.json"), '{ "name": "shop", "main": "index.js" }');
    project.program(source);
    return project.#start(stack);
  }

  /** A copy of this clone, whose state and files stay untouched. */
  static async ofClone(stack: string): Promise<Project> {
    const project = new Project();
    copyProject(project.folder);
    return project.#start(stack);
  }

  async #start(stack: string): Promise<this> {
    const engine = await resolveEngine();
    await this.#provider.start();
    symlinkSync(join(ROOT, "node_modules"), join(this.folder, "node_modules"));
    mkdirSync(join(this.folder, "state"));
    this.#bin = engine.bin;
    this.#env = {
      ...process.env,
      ...engine.env,
      ...this.#provider.env("docker", "command", "aws"),
      PULUMI_BACKEND_URL: `file://${this.folder}/state`,
      PULUMI_CONFIG_PASSPHRASE: "test",
      PULUMI_DEBUG_COMMANDS: "true",
      PULUMI_STACK: stack,
      XDG_STATE_HOME: join(this.folder, "xdg"),
    };
    const { code, output } = await this.pulumi("stack", "init", stack);
    if (code !== 0) throw new Error(output);
    return this;
  }

  program(source: string): void {
    writeFileSync(
      join(this.folder, "index.js"),
      `
      const pulumi = require("@pulumi/pulumi"); const docker = require("@pulumi/docker");
      const command = require("@pulumi/command");
      class Any extends pulumi.CustomResource { constructor(type, name, props, opts) { super(type, name,
        { id: undefined, bucket: undefined, ...props }, opts); } }
      const any = (type, name, props, opts) => new Any(type, name, props, opts);
      ${source}`,
    );
  }

  async config(values: Readonly<Record<string, string>>, ...flags: readonly string[]): Promise<void> {
    const pairs = Object.entries(values).flatMap(([key, value]) => [
      flags.includes("--secret") ? "--secret" : "--plaintext",
      `${key}=${value}`,
    ]);
    const { code, output } = await this.pulumi("config", "set-all", "--path", ...pairs);
    if (code !== 0) throw new Error(output);
  }

  /** A preview with the pack, or whatever operation is named. */
  async check(
    options: { readonly operation?: readonly string[]; readonly config?: string; readonly pack?: boolean } = {},
  ): Promise<Result> {
    const log = join(this.folder, `events-${Date.now()}.json`);
    const pack =
      options.pack === false
        ? []
        : ["--policy-pack", PACK, ...(options.config === undefined ? [] : ["--policy-pack-config", options.config])];
    const result = await this.pulumi(...(options.operation ?? ["preview"]), ...pack, "--event-log", log);
    const events = existsSync(log)
      ? readFileSync(log, "utf8")
          .trim()
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => JSON.parse(line) as { policyEvent?: Record<string, string> })
      : [];
    return { ...result, violations: violationsOf(events) };
  }

  pulumi(...args: readonly string[]): Promise<Result> {
    const started = performance.now();
    return new Promise((done) => {
      execFile(
        this.#bin,
        [...args, "--non-interactive"],
        { cwd: this.folder, env: this.#env, maxBuffer: 1 << 28 },
        (error, stdout, stderr) =>
          done({
            code: error ? Number(error.code ?? 1) : 0,
            output: stdout + stderr,
            seconds: (performance.now() - started) / 1000,
            violations: [],
          }),
      );
    });
  }

  remove(): void {
    this.#provider.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export function violationsOf(
  events: readonly { readonly policyEvent?: Readonly<Record<string, string>> }[],
): Violation[] {
  return events.flatMap(({ policyEvent: event }) =>
    event === undefined
      ? []
      : [
          {
            policy: event["policyName"] ?? "",
            level: event["enforcementLevel"] ?? "",
            resource: event["resourceUrn"]?.split("::").pop() ?? "",
            message: event["message"] ?? "",
          },
        ],
  );
}
