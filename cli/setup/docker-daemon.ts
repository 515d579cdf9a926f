import { spawn } from "node:child_process";
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { cacheRoot } from "../../offline/cache.ts";
import { CliError } from "../shared/errors.ts";
import { run, tail } from "./docker-run.ts";

/**
 * Files of a running engine that outlive it when it is killed, and the process that must exist for them to mean
 * anything.
 */
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
    } catch {
      /* it has ended */
    }
  }
  return names;
}

/**
 * Removes what a killed engine left, and answers what was removed. dockerd only asks whether the number in its pid file
 * is in use, and takes the mere existence of containerd's socket for a running containerd: both stop it from starting
 * after a kill.
 */
export function removeLeftovers(running: ReadonlySet<string>, root = "/"): readonly string[] {
  const stale = LEFTOVERS.filter(({ file, process }) => !running.has(process) && existsSync(join(root, file))).map(
    ({ file }) => file,
  );
  for (const file of stale) rmSync(join(root, file), { force: true });
  return stale;
}

/** So much more of the processors than a single process, all containers together have. */
const WEIGHT = 16;
/** Of the engine's own session: nine times the weight of one process. */
const NICENESS = -10;

/**
 * Under systemd every container weighs as much as the engine. Without it, all of them together weigh as much as one
 * process, and each process of the engine's that starts a container takes as much as the whole site: requests wait
 * (docs/benchmarks.md). So their group is made before the engine makes it.
 */
export function weighContainers(root = "/"): void {
  const groups = join(root, "sys/fs/cgroup");
  try {
    if (existsSync(join(groups, "cgroup.controllers"))) {
      writeFileSync(join(groups, "cgroup.subtree_control"), "+cpu");
      mkdirSync(join(groups, "docker"), { recursive: true });
      writeFileSync(join(groups, "docker", "cpu.weight"), String(WEIGHT * 100));
    } else if (existsSync(join(groups, "cpu", "cpu.shares"))) {
      mkdirSync(join(groups, "cpu", "docker"), { recursive: true });
      writeFileSync(join(groups, "cpu", "docker", "cpu.shares"), String(WEIGHT * 1024));
    }
  } catch {
    /* not ours to change, as in a container: it is only slower */
  }
}

/**
 * The engine beside so much weight: it answers names for every request, and passes on what comes to a published port of
 * this machine. containerd, which starts the containers, has a session of its own and stays as it is. Linux weighs the
 * processes of a session together, by its autogroup.
 */
export function weighEngine(pid: number, root = "/"): void {
  try {
    writeFileSync(join(root, "proc", String(pid), "autogroup"), String(NICENESS));
  } catch {
    /* as above */
  }
}

/** Where dockerd's output goes when no service manager collects it. */
function daemonLog(): string {
  try {
    accessSync("/var/log", constants.W_OK);
    return "/var/log/dockerd.log";
  } catch {
    return join(cacheRoot(), "dockerd.log");
  }
}

/** What of this machine is asked and changed; tests give another. */
export interface Machine {
  readonly systemd: boolean;
  readonly root: string;
  readonly dockerd: string;
  readonly log: string;
  readonly running: () => ReadonlySet<string>;
}

const thisMachine = (): Machine => ({
  systemd: existsSync("/run/systemd/system"),
  root: "/",
  dockerd: "dockerd",
  log: daemonLog(),
  running: runningProcesses,
});

export interface StartOptions {
  readonly log: (line: string) => void;
  /** Whether the engine answers now. */
  readonly answers: () => Promise<boolean>;
  /** In milliseconds. @default 60000 */
  readonly timeout?: number;
  /** @default this machine */
  readonly machine?: Machine;
}

/**
 * Starts dockerd and waits until it answers: through systemd where that is the init system, else detached in a session
 * of its own, because it would end with the terminal otherwise.
 * @throws CliError with the end of dockerd's log
 */
export async function startDaemon({
  log,
  answers,
  timeout = 60_000,
  machine = thisMachine(),
}: StartOptions): Promise<void> {
  const daemon = machine.systemd ? await startUnit(log) : startDetached(log, machine);
  const until = Date.now() + timeout;
  while (!(await answers())) {
    // Another process may have started a dockerd at the same moment and ours ended because of it: then that one is
    // waited for.
    const ended = daemon.ended();
    const over = ended !== undefined && !machine.running().has("dockerd");
    if (over || Date.now() > until) {
      throw new CliError({
        what: `dockerd was started but ${ended ?? `doesn't answer after ${timeout / 1000} s`}\n${tail(daemon.said())}`,
        remedy: daemon.seeMore,
      });
    }
    await new Promise((wake) => setTimeout(wake, 300));
  }
}

interface Started {
  /** How it ended, once it has. */
  readonly ended: () => string | undefined;
  /** What it has written since it was started. */
  readonly said: () => string;
  readonly seeMore: string;
}

async function startUnit(log: (line: string) => void): Promise<Started> {
  const seeMore = "see why: journalctl -u docker -n 50";
  log("starting Docker (systemctl start docker)");
  const { code, output } = await run("systemctl", ["start", "docker"]);
  if (code !== 0) throw new CliError({ what: `systemd could not start Docker\n${tail(output)}`, remedy: seeMore });
  return { ended: () => undefined, said: () => "", seeMore };
}

function startDetached(log: (line: string) => void, machine: Machine): Started {
  const seeMore = `see why: less ${machine.log}`;
  const running = machine.running();
  for (const file of removeLeftovers(running, machine.root)) log(`removed ${file}, left by an engine that was killed`);
  if (running.has("dockerd")) {
    log("dockerd runs but doesn't answer yet; waiting for it");
    return { ended: () => undefined, said: () => "", seeMore };
  }
  log(`starting dockerd, its log is ${machine.log}`);
  weighContainers(machine.root);
  mkdirSync(dirname(machine.log), { recursive: true });
  const begin = existsSync(machine.log) ? statSync(machine.log).size : 0;
  const out = openSync(machine.log, "a");
  const daemon = spawn(machine.dockerd, [], { detached: true, stdio: ["ignore", out, out], cwd: "/" });
  closeSync(out);
  if (daemon.pid !== undefined) weighEngine(daemon.pid, machine.root);
  let ended: string | undefined;
  daemon.on("error", (error) => {
    ended = `can't be run: ${error.message}`;
  });
  daemon.on("exit", (code, signal) => {
    ended = `ended with ${signal ?? `exit code ${code}`}`;
  });
  daemon.unref();
  return { ended: () => ended, said: () => readFileSync(machine.log).subarray(begin).toString("utf8"), seeMore };
}
