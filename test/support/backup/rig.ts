import assert from "node:assert/strict";
import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createTar } from "nanotar";
import type { Database } from "../../../cli/backup/sql.ts";
import { imageTags } from "../../../cli/setup/images-tags.ts";
import { type Configuration, FOLDERS, folderOf, readerOf, SECRETS } from "../../../contracts/agent.ts";
import type { Entry } from "../../../contracts/entry.ts";
import { docker } from "../clone.ts";
import type { Moto } from "../moto.ts";

const APP = "1000:1000";
const DATABASE = "999:999";
const SERVICE = "998:997";
const FOLDER = "public/uploads";

/** What is in the dump of a schema, as these tests make one. */
export const OF_A_DUMP = [
  /the last one/,
  /TRIGGER `?named`?/,
  /VIEW `?cheap`?/,
  /PROCEDURE `?doing_nothing`?/,
  /-- Dump completed/,
];

export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The last event. */
  readonly last: any;
}

/**
 * A database, the agent and its companion, as a stack has them, without the rest of it. Everything is taken away by
 * name.
 */
export class Rig {
  /** @param images other ones than the project's own, for MySQL */
  constructor(
    readonly engine: Configuration["engine"] = "mariadb",
    readonly images: { readonly database: string; readonly backup: string } = imageTags(),
  ) {
    this.configuration = {
      stack: "rig",
      engine,
      schema: "shop",
      physical: engine === "mariadb",
      keepRestored: true,
      type: "full",
      schedule: { backup: "", health: "", cleanup: "" },
      files: { include: ["."], exclude: ["*.log", "**/cache/**"] },
      hooks: {},
      retention: { localDays: 7, s3Days: 30 },
      maxAge: 26,
      binlogInterval: 1,
    };
  }

  readonly id = `drydock-backup-test-${randomBytes(4).toString("hex")}`;
  readonly secrets = { root: hex(), account: hex(), key: hex(), token: hex() };
  readonly name = (part: string): string => `${this.id}-${part}`;
  configuration: Configuration;
  /** MiB and processors, as a stack's settings have them at first. */
  limits = { agent: { memory: 512, cpus: 1 }, restore: { memory: 768, cpus: 1 } };
  /** More files in /run/drydock of the agent: credentials, an address. */
  outside: Record<string, string> = {};
  /** Has a second copy in S3, from the agent's next start on. */
  async copyTo(moto: Moto): Promise<void> {
    moto.join(this.name("out"));
    assert.equal((await fetch(`${moto.url}/shop-backups`, { method: "PUT" })).status, 200);
    this.outside = { [SECRETS.s3]: "[default]\naws_access_key_id=test\naws_secret_access_key=test-secret-of-s3\n" };
    const s3 = { bucket: "shop-backups", region: "eu-central-1", prefix: "", endpoint: moto.internal };
    this.configuration = { ...this.configuration, s3 };
  }

  /** A volume of backups in memory, of so many MiB: a disk that can be full. */
  disk: number | undefined;
  /** The same of the volume for restores. */
  scratch: number | undefined;

  /** A folder of the application and the volume of a service, whose user is another one, with its reader. */
  addVolumes(): void {
    this.configuration = {
      ...this.configuration,
      volumes: [
        { kind: "folder", name: FOLDER },
        { kind: "service", name: "search" },
      ],
    };
  }

  get #hasVolumes(): boolean {
    return this.configuration.volumes !== undefined;
  }

  async start(): Promise<void> {
    docker("network", "create", "--internal", this.name("data"));
    docker("network", "create", "--internal", this.name("restore"));
    docker("network", "create", this.name("out"));
    for (const [volume, owner] of [
      ["database", DATABASE],
      ["backups", APP],
      ["storage", APP],
      ["scratch", DATABASE],
      ...(this.#hasVolumes
        ? ([
            ["folder", APP],
            ["service", SERVICE],
          ] as const)
        : []),
    ] as const) {
      const size = volume === "backups" ? this.disk : volume === "scratch" ? this.scratch : undefined;
      docker(
        "volume",
        "create",
        ...(size === undefined ? [] : ["--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", `o=size=${size}m`]),
        this.name(volume),
      );
      // A volume in memory lasts as long as somebody uses it.
      if (size !== undefined)
        docker(
          "run",
          "--detach",
          "--init",
          "--name",
          this.name(`holder-${volume}`),
          "--entrypoint",
          "sleep",
          "--mount",
          this.#mount(volume, "/v"),
          this.images.backup,
          "infinity",
        );
      docker(
        "run",
        "--rm",
        "--user",
        "0:0",
        "--entrypoint",
        "chown",
        "--mount",
        this.#mount(volume, "/v"),
        this.images.backup,
        owner,
        "/v",
      );
    }
    this.#create(
      "database",
      this.images.database,
      DATABASE,
      ["data"],
      [
        "--network-alias",
        "database",
        "--env",
        "MYSQL_ROOT_PASSWORD_FILE=/run/drydock/root-password",
        "--env",
        "MYSQL_DATABASE=shop",
        "--mount",
        this.#mount("database", "/var/lib/mysql"),
      ],
      ["--log-bin=binlog", "--server-id=1", "--binlog-format=ROW", "--sync-binlog=1", "--skip-name-resolve"],
      { "root-password": this.secrets.root },
    );
    docker("start", this.name("database"));
    await this.until("the database", () => this.sql("SELECT 1"));
    execFileSync("sh", ["commands/backup-user.sh"], {
      env: { ...process.env, CONTAINER: this.name("database"), ENGINE: this.engine },
      input: `${this.secrets.account}\n`,
      stdio: ["pipe", "ignore", "inherit"],
    });
    const account = {
      [SECRETS.database]:
        `[client]\nhost=database\nport=3306\nuser="drydock_backup"\n` + `password="${this.secrets.account}"\n`,
      [SECRETS.restoreToken]: this.secrets.token,
    };
    this.#create(
      "restore",
      this.images.backup,
      DATABASE,
      ["restore", "data"],
      [
        ...this.#limits("restore"),
        "--network-alias",
        "restore",
        "--mount",
        `${this.#mount("database", "/var/lib/mysql")},readonly`,
        "--mount",
        this.#mount("scratch", "/restore"),
      ],
      ["companion"],
      { "backup.json": JSON.stringify(this.configuration), ...account },
    );
    docker("start", this.name("restore"));
    if (this.#hasVolumes) this.startReader();
    await this.startAgent();
  }

  /** Makes the reader of the service's volume anew. */
  startReader(): void {
    this.remove("reader");
    this.#create(
      "reader",
      this.images.backup,
      SERVICE,
      ["restore"],
      [
        "--memory",
        "128m",
        "--network-alias",
        readerOf({ name: "search" }),
        "--mount",
        `${this.#mount("service", FOLDERS.volume)},readonly`,
      ],
      ["reader"],
      { [SECRETS.restoreToken]: this.secrets.token },
    );
    docker("start", this.name("reader"));
  }

  /** Makes the agent anew, with the configuration as it is now. */
  async startAgent({
    key = this.secrets.key,
    more = [],
  }: {
    key?: string;
    more?: readonly string[];
  } = {}): Promise<void> {
    this.remove("agent");
    const account = {
      [SECRETS.database]:
        `[client]\nhost=database\nport=3306\nuser="drydock_backup"\n` + `password="${this.secrets.account}"\n`,
      [SECRETS.restoreToken]: this.secrets.token,
      [SECRETS.repositoryKey]: key,
    };
    this.#create(
      "agent",
      this.images.backup,
      APP,
      ["data", "restore", "out"],
      [
        ...this.#limits("agent"),
        "--mount",
        this.#mount("backups", "/backups"),
        "--mount",
        `${this.#mount("storage", "/storage")},readonly`,
        ...(this.#hasVolumes ? ["--mount", `${this.#mount("folder", folderOf({ name: FOLDER }))},readonly`] : []),
        ...more,
      ],
      ["serve"],
      { "backup.json": JSON.stringify(this.configuration), ...account, ...this.outside },
    );
    docker("start", this.name("agent"));
    await this.until("the agent", () => docker("exec", this.name("agent"), "healthy", "9180"));
  }

  /** `agent ARGS --json`, to its end. */
  agent(...args: string[]): Promise<Answer> {
    return new Promise((resolve) => {
      execFile(
        "docker",
        ["exec", this.name("agent"), "agent", ...args, "--json"],
        { maxBuffer: 256 << 20 },
        (error, stdout, stderr) => {
          const events = `${stdout}\n${stderr}`.split("\n").filter((line) => line.startsWith('{"event":'));
          resolve({
            code: error === null ? 0 : Number(error.code ?? 1),
            stdout,
            stderr,
            last: JSON.parse(events.findLast((line) => /^\{"event":"(result|error)"/.test(line)) ?? "null"),
          });
        },
      );
    });
  }

  /** A backup that has to be verified. */
  async backup(type: string): Promise<Entry> {
    const { code, last } = await this.agent("run", "--type", type);
    if (code !== 0) throw new Error(`agent run --type ${type}: ${JSON.stringify(last)}`);
    return last.backup as Entry;
  }

  /** Runs SQL as root in the live database; the rows, tabs between their fields. */
  sql(statement: string, schema = "shop"): string {
    return execFileSync(
      "docker",
      [
        "exec",
        "-i",
        this.name("database"),
        "sh",
        "-c",
        'MYSQL_PWD=$(cat /run/drydock/root-password) exec "$1" --no-defaults --protocol=socket -uroot -N ' +
          '--comments "$0"',
        schema,
        this.engine,
      ],
      { input: statement, encoding: "utf8", maxBuffer: 64 << 20, stdio: ["pipe", "pipe", "pipe"] },
    ).trimEnd();
  }

  /** Loads the dump of a backup into a new schema beside the live one. */
  load(schema: string, id: string, ...more: string[]): void {
    this.sql(
      `DROP DATABASE IF EXISTS ${schema}; ` +
        `CREATE DATABASE ${schema} CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_ai_ci`,
    );
    const load =
      "MYSQL_PWD=$(cat /run/drydock/root-password) exec mariadb --no-defaults --protocol=socket -uroot " +
      `--binary-mode --comments ${schema}`;
    const script = 'set -o pipefail; "$0" exec "$1" agent dump "${@:4}" | "$0" exec -i "$2" sh -c "$3"';
    execFileSync("bash", ["-c", script, "docker", this.name("agent"), this.name("database"), load, id, ...more], {
      stdio: ["ignore", "ignore", "pipe"],
    });
  }

  /** A shell in the agent's container. */
  shell(script: string, part = "agent"): string {
    return docker("exec", this.name(part), "bash", "-c", script);
  }

  /** What the last proof has left for restores. */
  kept(): string {
    return this.shell("cd /restore && ls -d kept-* 2>/dev/null || true", "restore");
  }

  /** As the application writes, or a service: into a volume that is only read for a backup. */
  storage(script: string, volume: "storage" | "folder" | "service" = "storage"): string {
    return docker(
      "run",
      "--rm",
      "--user",
      volume === "service" ? SERVICE : APP,
      "--entrypoint",
      "bash",
      "--mount",
      this.#mount(volume, "/storage"),
      this.images.backup,
      "-c",
      `cd /storage; ${script}`,
    );
  }

  /** Changes an entry of the catalogue by statements on `entry`, and seals it again, as nobody should. */
  rewrite(id: string, statements: string): void {
    this.shell(`cat > /tmp/rewrite.cjs <<'END'
const { hkdfSync, createCipheriv, createDecipheriv } = require("node:crypto"), zlib = require("node:zlib"),
  fs = require("node:fs");
const name = "backups/catalogue/${id}.entry", file = "/backups/" + name;
const key = Buffer.from(hkdfSync("sha256", fs.readFileSync("/run/drydock/repository-key", "utf8"), "drydock",
  "binlogs and catalogue", 32));
const data = fs.readFileSync(file), opening = createDecipheriv("aes-256-gcm", key, data.subarray(8, 20));
opening.setAAD(Buffer.from(name)).setAuthTag(data.subarray(-16));
const entry = JSON.parse(zlib.brotliDecompressSync(Buffer.concat([opening.update(data.subarray(20, -16)),
  opening.final()])));
${statements}
const sealing = createCipheriv("aes-256-gcm", key, data.subarray(8, 20)).setAAD(Buffer.from(name));
fs.writeFileSync(file, Buffer.concat([data.subarray(0, 20),
  sealing.update(zlib.brotliCompressSync(JSON.stringify(entry))), sealing.final(), sealing.getAuthTag()]));
END
node /tmp/rewrite.cjs`);
  }

  /** Makes backups older by so many days. */
  age(ids: readonly string[], days: number): void {
    for (const id of ids)
      this.rewrite(
        id,
        'for (const key of ["started", "finished"]) entry[key] = new Date(Date.parse(entry[key]) ' +
          `- ${days} * 86400000).toISOString();`,
      );
  }

  /** Damages what is in the volume of backups, as nobody should. */
  repository(script: string): string {
    return docker(
      "run",
      "--rm",
      "--user",
      APP,
      "--entrypoint",
      "bash",
      "--mount",
      this.#mount("backups", "/backups"),
      this.images.backup,
      "-c",
      `cd /backups; ${script}`,
    );
  }

  /**
   * Rows of a table of their own, one transaction each, until it is stopped; answers the ids that were acknowledged, by
   * time.
   */
  write(): {
    readonly acknowledged: readonly { id: number; at: number }[];
    stop(): Promise<readonly { id: number; at: number }[]>;
  } {
    const acknowledged: { id: number; at: number }[] = [];
    const script =
      'MYSQL_PWD=$(cat /run/drydock/root-password) exec "$0" --no-defaults --protocol=socket -uroot -N ' +
      "--unbuffered -q shop";
    const client = spawn("docker", ["exec", "-i", this.name("database"), "sh", "-c", script, this.engine], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let going = true;
    const send = (): void =>
      void client.stdin.write(`INSERT INTO written (body) VALUES (REPEAT('x', 200)); SELECT LAST_INSERT_ID();\n`);
    client.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      for (const line of chunk.split("\n"))
        if (/^\d+$/.test(line)) {
          acknowledged.push({ id: Number(line), at: Date.now() });
          if (going) send();
          else client.stdin.end();
        }
    });
    send();
    return {
      acknowledged,
      stop: async () => {
        going = false;
        await new Promise((resolve) => client.once("close", resolve));
        return acknowledged;
      },
    };
  }

  /** A server that runs on files of the volume for restores, while `look` asks it. */
  async onFiles<T>(
    folder: string,
    look: (server: Pick<Rig, "sql"> & { readonly database: Database }) => T | Promise<T>,
  ): Promise<T> {
    this.remove("look");
    docker(
      "run",
      "--detach",
      "--name",
      this.name("look"),
      "--network",
      "none",
      "--user",
      DATABASE,
      "--mount",
      this.#mount("scratch", "/restore"),
      "--entrypoint",
      "mariadbd",
      this.images.database,
      "--no-defaults",
      `--datadir=/restore/${folder}`,
      "--socket=/tmp/look.sock",
      "--pid-file=/tmp/look.pid",
      "--skip-networking",
      "--skip-log-bin",
      "--event-scheduler=OFF",
      "--character-set-server=utf8mb4",
    );
    const client = [
      ...["exec", "-i", "--env", "MYSQL_PWD", this.name("look"), "mariadb", "--no-defaults"],
      ...["--socket=/tmp/look.sock", "-uroot", "-N", "--default-character-set=utf8mb4"],
    ];
    const env = { ...process.env, MYSQL_PWD: this.secrets.root };
    const sql = (statement: string, schema = "shop"): string =>
      execFileSync("docker", [...client, schema], {
        ...{ input: statement, encoding: "utf8", maxBuffer: 64 << 20, env },
        stdio: ["pipe", "pipe", "pipe"],
      }).trimEnd();
    // As the command line asks a server that has root's password as a file.
    const run: Database["docker"]["run"] = async (args, { input } = {}) => {
      const words = ["--binary-mode", "--batch", ...(args.includes("--force") ? ["--force"] : [])];
      const { status, stdout, stderr } = spawnSync("docker", [...client, ...words], {
        ...{ input: input as Buffer, encoding: "latin1", maxBuffer: 256 << 20, env },
      });
      return { code: status ?? 1, stdout, stderr };
    };
    const database: Database = { docker: { env, run }, container: this.name("look"), client: "mariadb" };
    try {
      await this.until("the server on the restored files", () => sql("SELECT 1"));
      return await look({ sql, database });
    } finally {
      this.remove("look");
    }
  }

  /** A server of its own beside the agent, a script of Node's; what it prints is in its log. */
  serve(part: string, script: string): void {
    docker(
      "run",
      "--detach",
      "--init",
      "--name",
      this.name(part),
      "--network",
      this.name("out"),
      "--network-alias",
      part,
      "--user",
      APP,
      "--entrypoint",
      "node",
      this.images.backup,
      "-e",
      script,
    );
  }

  /** Whether an alarm of that name is raised. */
  async alarmed(name: string): Promise<boolean> {
    return (await this.agent("status")).last.alarms.some((alarm: { name: string }) => alarm.name === name);
  }

  async until(what: string, look: () => unknown, timeout = 60_000): Promise<void> {
    let last: unknown;
    for (const end = Date.now() + timeout; Date.now() < end; await new Promise((wake) => setTimeout(wake, 300))) {
      try {
        if ((await look()) !== false) return;
      } catch (error) {
        last = error;
      }
    }
    throw new Error(`${what}: not within ${timeout / 1000} s${last === undefined ? "" : `: ${String(last)}`}`);
  }

  remove(part: string): void {
    execFileSync("docker", ["rm", "--force", this.name(part)], { stdio: "ignore" });
  }

  stop(): void {
    for (const part of [
      "agent",
      "restore",
      "reader",
      "database",
      "holder-backups",
      "holder-scratch",
      "look",
      "s3",
      "mail",
    ])
      this.remove(part);
    for (const volume of ["database", "backups", "storage", "scratch", "folder", "service"])
      execFileSync("docker", ["volume", "rm", "--force", this.name(volume)], { stdio: "ignore" });
    for (const network of ["data", "restore", "out"])
      execFileSync("docker", ["network", "rm", this.name(network)], { stdio: "ignore" });
  }

  readonly #limits = (part: "agent" | "restore"): string[] => [
    "--memory",
    `${this.limits[part].memory}m`,
    "--memory-swap",
    `${this.limits[part].memory}m`,
    "--cpus",
    String(this.limits[part].cpus),
    "--tmpfs",
    `/tmp:size=64m,mode=1777`,
  ];

  readonly #mount = (volume: string, target: string): string =>
    `type=volume,source=${this.name(volume)},target=${target},volume-nocopy`;

  #create(
    part: string,
    image: string,
    user: string,
    networks: readonly string[],
    options: readonly string[],
    command: readonly string[],
    files: Readonly<Record<string, string>>,
  ): void {
    docker(
      "create",
      "--name",
      this.name(part),
      "--user",
      user,
      "--init",
      "--cap-drop",
      "ALL",
      "--security-opt",
      "no-new-privileges",
      "--network",
      this.name(networks[0]!),
      ...options,
      image,
      ...command,
    );
    for (const network of networks.slice(1)) docker("network", "connect", this.name(network), this.name(part));
    const [uid, gid] = user.split(":").map(Number);
    const tar = createTar(
      Object.entries(files).map(([file, data]) => ({
        name: `run/drydock/${file}`,
        data,
        attrs: { mode: "400", uid: uid!, gid: gid! },
      })),
    );
    execFileSync("docker", ["cp", "-", `${this.name(part)}:/`], { input: tar });
  }
}

const hex = (): string => randomBytes(24).toString("hex");
