import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before } from "mocha";
import { Clone, docker, type Result, type Status } from "../clone.ts";
import { containersOf, type Found, resourcesOf } from "../containers.ts";
import { Load, type LoadOptions } from "../load.ts";
import { sqlIn } from "../sql.ts";
import { report } from "./table.ts";

const HOME = "examples/laravel/resources/views/home.blade.php";
const MIGRATIONS = "examples/laravel/database/migrations";

export interface Expected {
  /** Which failed requests the fault can't spare, and why. @default none may fail */
  readonly mayFail?: { readonly match: RegExp; readonly why: string };
}

/** The stack that the faults happen to. */
export class Subject {
  readonly clone = new Clone();
  status!: Status;
  private changes = 0;
  /** What a fault that ends early has to take back, for the next one. */
  private readonly backs: (() => void)[] = [];
  private loading: LoadOptions = { clients: 2 };

  /** Its site is reached through this Unix socket. */
  reachedBy(socketPath: string): void {
    this.loading = { ...this.loading, socketPath };
  }

  async begin(replicas = 2): Promise<void> {
    assert.equal((await this.clone.drydock(["preview"])).code, 0);
    await this.set("app.replicas", String(replicas));
    await this.up();
  }

  said({ stdout, stderr }: Result): string {
    return stdout + stderr;
  }

  async set(path: string, value: string, ...options: string[]): Promise<void> {
    const { code, stderr } = await this.clone.pulumi([
      "config",
      "set",
      "-s",
      "local",
      "--path",
      ...options,
      `drydock:${path}`,
      value,
    ]);
    assert.equal(code, 0, stderr);
  }

  async unset(path: string): Promise<void> {
    assert.equal((await this.clone.pulumi(["config", "rm", "-s", "local", "--path", `drydock:${path}`])).code, 0);
  }

  /** The next plain `up`, which must succeed. */
  async up(): Promise<string> {
    const result = await this.clone.drydock(["up"]);
    assert.equal(result.code, 0, this.said(result));
    this.status = await this.clone.status();
    return this.said(result);
  }

  /** An `up` that must fail, with a message that says what the matter is. */
  async failingUp(message: RegExp, code = 1): Promise<string> {
    const result = await this.clone.drydock(["up"]);
    assert.equal(result.code, code, this.said(result));
    assert.match(this.said(result), message);
    return this.said(result);
  }

  /** An `up` in whose midst something happens: as soon as what runs looks like this. */
  async upWhile(
    when: (found: readonly Found[]) => boolean,
    act: (pid: number, ended: Promise<number>) => Promise<void> | void,
  ): Promise<Result> {
    // A session of its own, so that it can be ended apart from what it has started.
    const child = spawn("./drydock", ["up"], {
      cwd: this.clone.dir,
      env: this.clone.env(),
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    let [stdout, stderr] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += String(chunk);
    });
    child.stderr.on("data", (chunk: Buffer) => {
      stderr += String(chunk);
    });
    let over = false;
    const ended = new Promise<number>((resolve) =>
      child.once("exit", (code) => {
        over = true;
        resolve(code ?? 1);
      }),
    );
    while (!over && !when(await containersOf(this.clone))) await sleep(100);
    if (over) assert.fail(`the moment did not come\n${stdout}${stderr}`);
    await act(child.pid!, ended);
    const code = await ended;
    await sleep(200);
    return { code, stdout, stderr };
  }

  /** Whether a container exists that the last release did not leave. */
  isNew = ({ name }: Found): boolean => !this.status.services.some(({ container }) => container === name);

  /** Puts this in place of what stands in a file of the clone; gives the way back. */
  edit(file: string, change: (text: string) => string): () => void {
    const before = this.clone.read(file);
    this.clone.edit(file, change);
    assert.notEqual(this.clone.read(file), before, `${file} has not changed`);
    const back = () => this.clone.edit(file, () => before);
    this.backs.push(back);
    return back;
  }

  /** Changes the application: the next release has a new image. */
  change(): void {
    const change = ++this.changes;
    this.clone.edit(HOME, (page) => page.replace(/<h1[^>]*>/, `<h1 data-change="${change}">`));
  }

  /** Writes a migration that does this; without a body it adds a table. Returns its file. */
  migration(body?: string): string {
    const name = `2026_06_01_${String(++this.changes).padStart(6, "0")}_fault`;
    const table = `fault_${this.changes}`;
    const file = join(MIGRATIONS, `${name}.php`);
    if (body !== undefined) this.backs.push(() => rmSync(join(this.clone.dir, file), { force: true }));
    mkdirSync(dirname(join(this.clone.dir, file)), { recursive: true });
    writeFileSync(
      join(this.clone.dir, file),
      `<?php

use Illuminate\\Database\\Migrations\\Migration;
use Illuminate\\Database\\Schema\\Blueprint;
use Illuminate\\Support\\Facades\\DB;
use Illuminate\\Support\\Facades\\Schema;

return new class extends Migration
{
    public function up(): void
    {
        ${body ?? `Schema::create('${table}', fn (Blueprint $t) => $t->id());`}
    }
};
`,
    );
    return file;
  }

  container(name: string): string {
    return this.status.services.find((service) => service.name === name)?.container ?? assert.fail(`no ${name}`);
  }

  sql(query: string): string {
    return sqlIn(this.container("database"), query);
  }

  /** Makes a load on the site of this stack. */
  load(): Load {
    return new Load(this.status.url, this.loading);
  }

  /**
   * Lets a fault happen under load, then releases again, plainly, and judges: which requests failed, which rows are
   * missing, whether anything is left over. One line of the table.
   */
  async fault(name: string, inject: () => Promise<void>, { mayFail }: Expected = {}): Promise<void> {
    const settings = this.clone.read("Pulumi.local.yaml");
    this.backs.length = 0;
    const load = this.load();
    let converged = NaN;
    let lost = NaN;
    try {
      await sleep(1000);
      await inject().catch((error: unknown) => {
        for (const back of this.backs.splice(0)) back();
        this.clone.edit("Pulumi.local.yaml", () => settings);
        throw error;
      });
      const began = performance.now();
      await this.up();
      converged = (performance.now() - began) / 1000;
    } finally {
      const { total, failed, reasons, written } = await load.stop();
      if (!Number.isNaN(converged)) lost = this.missing(written).length;
      report({
        fault: name,
        failed,
        total,
        lost,
        converged,
        reasons,
        ...(mayFail === undefined ? {} : { why: mayFail.why }),
      });
    }
    const { reasons, total } = load.count;
    const unexpected = Object.keys(reasons).filter((reason) => mayFail === undefined || !mayFail.match.test(reason));
    assert.deepEqual(unexpected, [], `${name}: ${JSON.stringify(reasons)}`);
    assert.ok(total > 50, `only ${total} requests`);
    assert.equal(lost, 0, `${lost} acknowledged rows are missing`);
    await this.isComplete();
  }

  /** The acknowledged rows that are not in the table. No row may be there twice either: a POST is never repeated. */
  private missing(written: readonly number[]): number[] {
    if (written.length === 0) return [];
    const found = this.sql(`select n from \`rows\` where n between ${Math.min(...written)} and ${Math.max(...written)}`)
      .split("\n")
      .filter((line) => line !== "")
      .map(Number);
    assert.equal(new Set(found).size, found.length, "a POST was done twice");
    return written.filter((n) => !found.includes(n));
  }

  /** Everything runs, the state knows every container, and there is exactly one scheduler. */
  async isComplete(): Promise<void> {
    assert.ok(
      this.status.services.every(({ state, health }) => state === "running" && health === "healthy"),
      JSON.stringify(this.status.services),
    );
    const known = resourcesOf(this.clone).filter(({ type }) => type === "docker:index/container:Container");
    assert.ok(
      known.every((resource) => resource.delete !== true),
      "the state has containers that wait for their deletion",
    );
    let found = await containersOf(this.clone);
    // A one-off container whose script was killed ends by itself.
    for (
      const end = Date.now() + 30_000;
      found.length > known.length && Date.now() < end;
      found = await containersOf(this.clone)
    )
      await sleep(500);
    assert.deepEqual(
      found.map(({ id }) => id).sort(),
      known.map(({ id }) => id).sort(),
      `containers are ${found.map(({ name }) => name).join(", ")}`,
    );
    const running = (role: string) =>
      found.filter((container) => container.role === role && container.state === "running").length;
    assert.equal(running("scheduler"), 1);
    assert.ok(running("horizon") >= 1, "no worker");
    const answers = [];
    for (let asked = 0; asked < 20; asked++) answers.push(await this.answer());
    assert.deepEqual([...new Set(answers.map(({ release }) => release))], [this.status.release]);
    assert.deepEqual(
      [...new Set(answers.map(({ replica }) => replica))].sort(),
      found
        .filter(({ role }) => role === "app")
        .map(({ id }) => id.slice(0, 12))
        .sort(),
      "each replica is asked",
    );
  }

  /**
   * Kills the main process of a container of this stack from outside, and waits until Docker has started it again, as
   * after a crash.
   */
  async crash(name: string): Promise<void> {
    const container = this.container(name);
    process.kill(Number(docker("inspect", "--format", "{{.State.Pid}}", container)), "SIGKILL");
    await this.restarted(name);
  }

  async restarted(name: string): Promise<void> {
    for (
      const end = Date.now() + 20_000;
      docker("inspect", "--format", "{{.RestartCount}}", this.container(name)) === "0";
      await sleep(100)
    )
      assert.ok(Date.now() < end, `${name} has not crashed`);
  }

  /** Which release answers, and which replica: its container's short id. */
  private async answer(): Promise<{ readonly release: string; readonly replica: string }> {
    const { socketPath } = this.loading;
    const [response] = (await once(
      get(new URL("/release", this.status.url), { agent: false, ...(socketPath === undefined ? {} : { socketPath }) }),
      "response",
    )) as [IncomingMessage];
    return { release: (await text(response)).trim(), replica: String(response.headers["x-replica"]) };
  }

  remove(): Promise<void> {
    return this.clone.remove();
  }
}

let started: Promise<void> | undefined;
const one = new Subject();

/** The stack that most faults share, to save its start. */
export function shared(): Subject {
  before(() => (started ??= one.begin()));
  return one;
}

after(() => (started === undefined ? undefined : one.remove()));
