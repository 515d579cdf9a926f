import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Link } from "./link.ts";
import { type SshServer, sshServer } from "./sshd.ts";

const has = (tool: string): boolean => {
  try {
    execFileSync("sh", ["-c", `command -v ${tool}`], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
};

/** What is needed to have a machine beside this one. */
export const canHaveMachine =
  process.platform === "linux" &&
  process.getuid?.() === 0 &&
  ["dockerd", "unshare", "nsenter", "ip", "ssh", "ssh-keygen"].every(has);

/** The name of machines of this process: two runs at once are two hosts, with a connection each. */
export const SHIP = `ship-${process.pid}`;
/** As `drydock:docker.host` has it. */
export const HOST = `ssh://deploy@${SHIP}`;

const INIT = new URL("init.sh", import.meta.url).pathname;
const out = (file: string, ...args: string[]): string =>
  execFileSync(file, args, { encoding: "utf8", maxBuffer: 64 << 20 }).trimEnd();
const read = (file: string): string => readFileSync(file, "utf8");

/** Who may log in, all with the same key: `deploy` may use Docker, `guest` may not. */
const USERS = { deploy: 4_001, guest: 4_002 } as const;
const DOCKER_GROUP = 4_000;

interface SshConfig {
  /** Its file; null: none, but what an agent has. */
  readonly key?: string | null;
  readonly knownHosts?: string;
  readonly port?: number;
  /** More of its lines. */
  readonly more?: readonly string[];
}

export interface MachineOptions {
  /** A dockerd, or none. @default the one on PATH */
  readonly dockerd?: string | null;
  /** More options of it. @default none */
  readonly options?: string;
  /** A folder with another Debian, its sshd included, in place of this machine's files. It is changed. */
  readonly root?: string;
}

/**
 * A machine beside this one, as far as Docker and ssh can tell: its own network, mounts, processes and users; Docker at
 * the usual socket, and Debian's sshd with its defaults. It is reached by name, through a link that can be made long or
 * cut.
 */
export class Machine {
  readonly dir = mkdtempSync(join(tmpdir(), "drydock-ship-"));
  readonly link: Link;
  private init: ChildProcess | undefined;
  private readonly options: MachineOptions;
  /** Its number makes its addresses this machine's only ones. */
  private static count = 0;
  private readonly net = `10.213.${process.pid % 250}.${4 * Machine.count}`.split(".").map(Number);
  private readonly device = `dd${process.pid % 100_000}x${Machine.count++}`;

  constructor(options: MachineOptions = {}) {
    this.options = options;
    this.link = new Link({ host: this.address, port: 22 });
  }

  /** Of this machine, from there. */
  get gateway(): string {
    return this.at(1);
  }

  private at(last: number): string {
    const [a, b, c, d = 0] = this.net;
    return `${a}.${b}.${c}.${d + last}`;
  }

  /** From this machine. */
  get address(): string {
    return this.at(2);
  }

  /** Its Docker, past ssh: for who looks from outside. */
  get socket(): string {
    return `unix:///proc/${this.first}/root/run/docker.sock`;
  }

  private own = (...path: string[]): string => join(this.dir, ...path);

  /** The environment in which `ssh` knows this machine by its name, and nothing of the user's own. */
  env(more: Record<string, string> = {}): Record<string, string> {
    return { PATH: `${this.own("bin")}:${process.env.PATH ?? ""}`, SSH_AUTH_SOCK: "", ...more };
  }

  async start(): Promise<this> {
    const server = sshServer();
    if (this.options.root === undefined) this.furnish(server);
    else this.furnishRoot(this.options.root);
    await this.link.start();
    this.configure();
    const log = openSync(this.own("log"), "a");
    const apart = ["--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--propagation", "private"];
    const { dockerd = "dockerd", options = "", root = "" } = this.options;
    this.init = spawn("unshare", [...apart, "sh", INIT], {
      stdio: ["ignore", log, log],
      env: {
        PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        DIR: this.dir,
        NAME: SHIP,
        SSHD: server.sshd,
        PAM: server.pam,
        LD_LIBRARY_PATH: server.libraries,
        DOCKERD: dockerd ?? "",
        DOCKERD_OPTIONS: options,
        ROOT: root,
      },
    });
    closeSync(log);
    const pid = await this.pid();
    out("ip", "link", "add", this.device, "type", "veth", "peer", "name", "eth0", "netns", String(pid));
    out("ip", "addr", "add", `${this.at(1)}/30`, "dev", this.device);
    out("ip", "link", "set", this.device, "up");
    this.inside("ip", "addr", "add", `${this.address}/30`, "dev", "eth0");
    this.inside("ip", "link", "set", "eth0", "up");
    this.inside("ip", "route", "add", "default", "via", this.at(1));
    for (const end = Date.now() + 60_000; !this.answers(); await sleep(200)) {
      if (this.init.exitCode !== null || Date.now() > end) {
        const logs = ["log", "sshd.log", "dockerd.log"].map((name) => this.log(name));
        throw new Error(`the machine does not come up: ${logs.join("")}`);
      }
    }
    return this;
  }

  log(name: string): string {
    return existsSync(this.own(name)) ? read(this.own(name)).slice(-3000) : "";
  }

  /** Runs a command on the machine, as root. */
  inside(...command: string[]): string {
    const into = ["--target", String(this.first), "--root", "--net", "--mount", "--pid", "--uts", "--ipc"];
    return out("nsenter", ...into, ...command);
  }

  docker(...args: string[]): string {
    // A test may have another way to this machine's engine in its environment, which leads nowhere from in here.
    return this.inside("env", "--unset=DOCKER_HOST", "docker", ...args);
  }

  /** Gives it images that an engine of this machine has. */
  load(images: readonly string[]): void {
    const pipe = `set -o pipefail; docker save "$@" | nsenter --target ${this.first} --root --net --mount docker load`;
    execFileSync("bash", ["-c", pipe, "load", ...images], { stdio: ["ignore", "ignore", "inherit"] });
  }

  async remove(): Promise<void> {
    this.link.stop();
    if (this.init !== undefined && this.init.exitCode === null) {
      // Containers end with the first process; dockerd is asked before, so that it unmounts what it has mounted.
      try {
        this.inside("sh", "-c", "[ ! -e /run/docker.pid ] || { kill $(cat /run/docker.pid) && sleep 2; }");
      } catch {
        /* it has ended */
      }
      const gone = new Promise((resolve) => this.init?.once("exit", resolve));
      this.init.kill("SIGKILL");
      await gone;
    }
    try {
      out("ip", "link", "delete", this.device);
    } catch {
      /* gone with the other end */
    }
    for (let tries = 0; tries < 20; tries++) {
      try {
        return rmSync(this.dir, { recursive: true, force: true });
      } catch {
        await sleep(250);
      }
    }
  }

  /** The process that all others of the machine come from, by this machine's count. */
  private get first(): number {
    return Number(read(`/proc/${this.init!.pid}/task/${this.init!.pid}/children`).trim());
  }

  private async pid(): Promise<number> {
    for (const end = Date.now() + 5_000; Date.now() < end; await sleep(20)) if (this.first > 0) return this.first;
    throw new Error(`the machine does not begin: ${this.log("log")}`);
  }

  private answers(): boolean {
    try {
      this.inside("sh", "-c", this.options.dockerd === null ? "true" : "docker version");
      return this.log("sshd.log").includes("Server listening");
    } catch {
      return false;
    }
  }

  /** Users, keys and folders. */
  private furnish(server: SshServer): void {
    this.makeKeys();
    for (const file of ["passwd", "group", "shadow"]) cpSync(`/etc/${file}`, this.own("etc", file));
    const groups = read("/etc/group").replace(/^docker:.*\n/m, "");
    const own = Object.entries(USERS)
      .map(([name, id]) => `${name}:x:${id}:\n`)
      .join("");
    writeFileSync(this.own("etc/group"), `${groups}docker:x:${DOCKER_GROUP}:deploy\n${own}`);
    if (!/^sshd:/m.test(read("/etc/passwd"))) {
      appendFileSync(this.own("etc/passwd"), "sshd:x:4003:65534::/run/sshd:/usr/sbin/nologin\n");
    }
    for (const [name, id] of Object.entries(USERS)) {
      appendFileSync(this.own("etc/passwd"), `${name}:x:${id}:${id}::/home/${name}:/bin/bash\n`);
      appendFileSync(this.own("etc/shadow"), `${name}:*:20000:0:99999:7:::\n`);
      mkdirSync(this.own("home", name, ".ssh"), { recursive: true, mode: 0o700 });
      cpSync(this.own("client/key.pub"), this.own("home", name, ".ssh/authorized_keys"));
      out("chown", "-R", `${id}:${id}`, this.own("home", name));
    }
    cpSync(server.configuration, this.own("etc/ssh/sshd_config"));
  }

  private makeKeys(): void {
    for (const folder of ["etc/ssh/sshd_config.d", "home", "docker", "client", "bin"]) {
      mkdirSync(this.own(folder), { recursive: true });
    }
    chmodSync(this.dir, 0o755);
    for (const key of ["etc/ssh/ssh_host_ed25519_key", "client/key", "client/stranger"]) {
      out("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", this.own(key));
    }
    cpSync(this.own("etc/ssh/ssh_host_ed25519_key.pub"), this.own("client/host.pub"));
  }

  /**
   * A system of its own has its users itself: `deploy` may become root by sudo, and there is no group of Docker's yet.
   */
  private furnishRoot(root: string): void {
    this.makeKeys();
    rmSync(this.own("etc/ssh/sshd_config.d"), { recursive: true });
    cpSync(this.own("etc/ssh"), join(root, "etc/ssh"), { recursive: true });
    rmSync(this.own("etc/ssh"), { recursive: true });
    const commands = `grep -q ^docker: /etc/group && groups=docker || groups=users
id deploy >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --groups "$groups" deploy
echo 'deploy ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/deploy
for home in /root /home/deploy; do mkdir -p "$home/.ssh"; cat > "$home/.ssh/authorized_keys" < /tmp/key.pub; done
chown -R deploy:deploy /home/deploy`;
    cpSync(this.own("client/key.pub"), join(root, "tmp/key.pub"));
    out("chroot", root, "sh", "-ec", commands);
    writeFileSync(join(root, "etc/hosts"), `127.0.0.1 localhost ${SHIP}\n`);
  }

  /** What the user of this machine has in his ~/.ssh. */
  private configure(): void {
    writeFileSync(this.own("client/known_hosts"), this.hostLine(this.own("client/host.pub")));
    // Another machine's key under this one's name.
    writeFileSync(this.own("client/known_hosts.changed"), this.hostLine(this.own("client/stranger.pub")));
    writeFileSync(this.own("client/known_hosts.empty"), "");
    this.sshConfig("config", {});
    // OpenSSH looks into the home folder of the password database, whatever HOME is. Not Drydock's own, which looks for
    // this one.
    const ssh = out("sh", "-c", "PATH=/usr/local/bin:/usr/bin:/bin; command -v ssh");
    const config = `\${SHIP_CONFIG:-${this.own("client/config")}}`;
    writeFileSync(this.own("bin/ssh"), `#!/bin/sh\nexec ${ssh} -F "${config}" "$@"\n`, { mode: 0o755 });
  }

  private hostLine(key: string): string {
    return `${SHIP} ${read(key).split(" ").slice(0, 2).join(" ")}\n`;
  }

  /** A configuration of ssh that differs in this; the environment in which it holds. */
  sshConfig(name: string, config: SshConfig): Record<string, string> {
    const { key = "key", knownHosts = "known_hosts", port = this.link.port, more = [] } = config;
    const file = this.own("client", name);
    writeFileSync(
      file,
      `Host ${SHIP}
  HostName 127.0.0.1
  Port ${port}
  HostKeyAlias ${SHIP}
  UserKnownHostsFile ${this.own("client", knownHosts)}
${key === null ? "" : `  IdentityFile ${this.own("client", key)}\n  IdentitiesOnly yes\n`}` +
        more.map((line) => `  ${line}\n`).join(""),
    );
    return this.env({ SHIP_CONFIG: file });
  }
}
