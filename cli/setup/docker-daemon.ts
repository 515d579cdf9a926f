import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, openSync, closeSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { run, tail } from "./docker-run.ts";

/** Files of a running engine that outlive it when it is killed, and the process that must exist for them to mean anything. */
export const LEFTOVERS: readonly { readonly file: string; readonly process: string }[] = [
  { file: "/run/docker.pid", process: "dockerd" },
  { file: "/run/docker/containerd/containerd.pid", process: "containerd" },
  { file: "/run/docker/containerd/containerd.sock", process: "containerd" },
  { file: "/run/docker/containerd/containerd.sock.ttrpc", process: "containerd" },
  { file: "/run/containerd/containerd.sock", process: "containerd" },
  { file: "/run/containerd/containerd.sock.ttrpc", process: "containerd" },
];

/** Names of all running processes (Linux). A process that ends meanwhile, or waits to be reaped, isn't running. */
export function runningProcesses(proc = "/proc"): ReadonlySet<string> {
  const names = new Set<string>();
  for (const pid of readdirSync(proc)) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const stat = readFileSync(join(proc, pid, "stat"), "utf8");
      const end = stat.lastIndexOf(")");
      if (stat[end + 2] !== "Z") names.add(stat.slice(stat.indexOf("(") + 1, end));
    } catch { /* it has ended */ }
  }
  return names;
}

/**
 * Removes what a killed engine left, and answers what was removed. dockerd only asks whether the number in its pid file is in use,
 * and takes the mere existence of containerd's socket for a running containerd: both stop it from starting after a kill.
 */
export function removeLeftovers(running: ReadonlySet<string>, root = "/"): readonly string[] {
  const stale = LEFTOVERS.filter(({ file, process }) => !running.has(process) && existsSync(join(root, file))).map(({ file }) => file);
  for (const file of stale) rmSync(join(root, file), { force: true });
  return stale;
}

/** Where dockerd's output goes when no service manager collects it. */
export function daemonLog(): string {
  try {
    accessSync("/var/log", constants.W_OK);
    return "/var/log/dockerd.log";
  } catch {
    return join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "drydock", "dockerd.log");
  }
}

export interface StartOptions {
  readonly log: (line: string) => void;
  /** Whether the engine answers now. */
  readonly answers: () => Promise<boolean>;
  /** In milliseconds. @default 60000 */
  readonly timeout?: number;
}

/**
 * Starts dockerd and waits until it answers: through systemd where that is the init system, else detached in a session of its own,
 * because it would end with the terminal otherwise.
 * @throws Error with the end of dockerd's log
 */
export async function startDaemon({ log, answers, timeout = 60_000 }: StartOptions): Promise<void> {
  const systemd = existsSync("/run/systemd/system");
  const logFile = daemonLog();
  let exit: string | undefined;
  let start = 0;
  if (systemd) {
    log("starting Docker (systemctl start docker)");
    const started = await run("systemctl", ["start", "docker"]);
    if (started.code !== 0) throw new Error(`Docker: systemd could not start it.\n${tail(started.output)}\n  See why: journalctl -u docker -n 50`);
  } else {
    const running = runningProcesses();
    for (const file of removeLeftovers(running)) log(`removed ${file}, left by an engine that was killed`);
    if (running.has("dockerd")) {
      log("dockerd runs but doesn't answer yet; waiting for it");
    } else {
      log(`starting dockerd, its log is ${logFile}`);
      mkdirSync(dirname(logFile), { recursive: true });
      start = existsSync(logFile) ? readFileSync(logFile).length : 0;
      const out = openSync(logFile, "a");
      const daemon = spawn("dockerd", [], { detached: true, stdio: ["ignore", out, out], cwd: "/" });
      closeSync(out);
      daemon.on("error", (error) => { exit = error.message; });
      daemon.on("exit", (code, signal) => { exit = `it ended with ${signal ?? `exit code ${code}`}`; });
      daemon.unref();
    }
  }
  const until = Date.now() + timeout;
  while (!(await answers())) {
    // A dockerd of someone else may have won the race for the pid file: only its silence counts.
    const lost = exit !== undefined && !runningProcesses().has("dockerd");
    if (lost || Date.now() > until) {
      const said = systemd || !existsSync(logFile) ? "" : tail(readFileSync(logFile).subarray(start).toString("utf8"));
      const seeMore = systemd ? "journalctl -u docker -n 50" : `less ${logFile}`;
      throw new Error(`Docker: dockerd was started but ${exit ?? `doesn't answer after ${timeout / 1000} s`}.\n${said}\n  See why: ${seeMore}`);
    }
    await new Promise((wake) => setTimeout(wake, 300));
  }
}
