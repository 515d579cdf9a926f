import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What is needed to have a Docker engine of one's own. */
export const canHaveEngine =
  process.platform === "linux" &&
  process.getuid?.() === 0 &&
  ["dockerd", "unshare", "nsenter", "ip"].every((tool) => {
    try {
      execFileSync("sh", ["-c", `command -v ${tool}`], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  });

/** Passes what comes in on a Unix socket on to a port; runs in the engine's own network. */
const FORWARD = `const net = require("node:net");
net.createServer((from) => {
  const to = net.connect(Number(process.argv[2]), "127.0.0.1");
  for (const [one, other] of [[from, to], [to, from]]) one.on("error", () => other.destroy()).pipe(other);
}).listen(process.argv[1]);`;

/**
 * A Docker engine beside the machine's, that may be restarted: with data, sockets, and a network of its own, firewall
 * included.
 */
export class Engine {
  private readonly dir = mkdtempSync(join(tmpdir(), "drydock-engine-"));
  private daemon: ChildProcess | undefined;
  /** Holds the network while the engine is restarted, and lets its ports be reached. */
  private forwarder: ChildProcess | undefined;
  private network: ChildProcess | undefined;

  get host(): string {
    return `unix://${join(this.dir, "docker.sock")}`;
  }

  get log(): string {
    return readFileSync(join(this.dir, "log"), "utf8");
  }

  async start(): Promise<void> {
    if (this.network === undefined) {
      this.network = spawn("unshare", ["--net", "sh", "-c", "ip link set lo up && exec sleep infinity"], {
        stdio: "ignore",
      });
      for (
        const end = Date.now() + 5_000;
        !this.inNetwork("ip", "-o", "link", "show", "up").includes("lo") && Date.now() < end;
      )
        await sleep(50);
    }
    const out = openSync(join(this.dir, "log"), "a");
    const own = (name: string) => join(this.dir, name);
    this.daemon = spawn(
      "nsenter",
      [
        `--net=/proc/${this.network.pid}/ns/net`,
        "dockerd",
        "--host",
        this.host,
        "--data-root",
        own("data"),
        "--exec-root",
        own("exec"),
        "--pidfile",
        own("pid"),
        "--containerd-namespace",
        "drydock-test",
        "--containerd-plugins-namespace",
        "drydock-test-plugins",
      ],
      { stdio: ["ignore", out, out], detached: true },
    );
    closeSync(out);
    for (const end = Date.now() + 60_000; !this.answers(); await sleep(200)) {
      if (this.daemon.exitCode !== null || Date.now() > end)
        throw new Error(`dockerd does not answer: ${this.log.slice(-2000)}`);
    }
  }

  /** Stops the engine, and with it what runs. */
  async stop(): Promise<void> {
    if (this.daemon === undefined || this.daemon.exitCode !== null) return;
    const exited = once(this.daemon, "exit");
    this.daemon.kill("SIGTERM");
    await exited;
  }

  /** A Unix socket that leads to a port that this engine publishes on 127.0.0.1. */
  async reach(port: number): Promise<string> {
    const socket = join(this.dir, `port-${port}.sock`);
    this.forwarder = spawn(
      "nsenter",
      [`--net=/proc/${this.network!.pid}/ns/net`, process.execPath, "-e", FORWARD, socket, String(port)],
      { stdio: "ignore" },
    );
    await sleep(500);
    return socket;
  }

  /** Has images that the machine's engine has. */
  load(images: readonly string[], from: string | undefined): void {
    const env = { ...process.env, ...(from === undefined ? {} : { FROM: from }) };
    execFileSync(
      "bash",
      ["-c", 'set -o pipefail; DOCKER_HOST=${FROM:-} docker save "$@" | docker --host "$TO" load', "load", ...images],
      { env: { ...env, TO: this.host }, stdio: ["ignore", "ignore", "inherit"] },
    );
  }

  async remove(): Promise<void> {
    await this.stop();
    this.forwarder?.kill("SIGKILL");
    this.network?.kill("SIGKILL");
    // Overlays and namespaces may still be mounted.
    for (const point of readFileSync("/proc/self/mounts", "utf8")
      .split("\n")
      .map((line) => line.split(" ")[1] ?? "")
      .filter((path) => path.startsWith(this.dir))
      .reverse()) {
      try {
        execFileSync("umount", ["--lazy", point], { stdio: "ignore" });
      } catch {
        /* gone meanwhile */
      }
    }
    rmSync(this.dir, { recursive: true, force: true });
  }

  private answers(): boolean {
    try {
      execFileSync("docker", ["--host", this.host, "version"], { stdio: "ignore", timeout: 5_000 });
      return true;
    } catch {
      return false;
    }
  }

  private inNetwork(...command: string[]): string {
    try {
      return execFileSync("nsenter", [`--net=/proc/${this.network!.pid}/ns/net`, ...command], { encoding: "utf8" });
    } catch {
      return "";
    }
  }
}
