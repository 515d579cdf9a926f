import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { defined } from "../../lib/defined.ts";
import type { EngineLimits } from "../../lib/dockerLimits.ts";
import { hear } from "../shared/child.ts";
import { COMMANDS, isRemote, refusal, socketOf } from "../shared/connection.ts";
import { CliError } from "../shared/errors.ts";
import { ROOT } from "../shared/project.ts";
import { onTerminal } from "../shared/ui.ts";

/** What `docker info` says, as far as it is judged. */
export interface EngineInfo extends EngineLimits {
  readonly ServerVersion?: string;
  readonly Driver?: string;
  readonly Warnings?: readonly string[] | null;
}

/** What a Docker host says of itself; what it could not find out is undefined. */
export interface HostFacts {
  /** As the user says it: `ssh://…`, or HERE. */
  readonly host: string;
  readonly system: {
    readonly id: string;
    readonly like: readonly string[];
    readonly name: string;
    readonly arch: string;
    readonly systemd: boolean;
  };
  readonly user: { readonly name: string; readonly uid: number; readonly sudo: "root" | "free" | "asks" | "none" };
  readonly docker: {
    readonly installed: boolean;
    readonly client?: string;
    readonly socket: "yes" | "denied" | "none";
    /** Where the user's own engine without root is, which is not the one that was looked for. */
    readonly rootless?: string;
    /** What is called docker is Podman. */
    readonly podman?: true;
    readonly info?: EngineInfo;
    readonly api?: string;
    /** What systemd says of its start at boot. */
    readonly boot?: string;
    /** Whether an engine without root goes on when its user logs out. */
    readonly linger?: boolean;
  };
  /** In bytes, where Docker keeps its data. */
  readonly disk?: {
    readonly total: number;
    readonly free: number;
    readonly mount: string;
    /** Whether it is another disk than the system's. */
    readonly own: boolean;
    /** How it is made, such as ext4, and whether it is mounted with quotas of projects. */
    readonly filesystem?: string;
    readonly quota: boolean;
  };
  readonly inodes?: { readonly total: number; readonly free: number };
  /** In bytes. */
  readonly memory?: { readonly total: number; readonly available: number };
  readonly swap?: number;
  /** How far its clock is ahead of this machine's, in seconds, and how far that may be wrong. */
  readonly clock: { readonly ahead: number; readonly within: number; readonly synchronized?: boolean };
  /** Addresses with their ports. */
  readonly listening?: readonly string[];
  /** The container that publishes the wanted port: its name and the stack of its label. */
  readonly published?: { readonly container: string; readonly stack: string };
  /** Ports that Docker publishes on every interface. */
  readonly open: readonly string[];
  readonly firewall?: string;
  /** Whether containers are kept from the metadata of the host's cloud; undefined where none answer. */
  readonly metadata?: "open" | "closed";
  /** What the login shell writes by itself, its first line. */
  readonly noise?: string;
}

/** What of a stack's settings the host has to offer. */
export interface Wanted {
  readonly port: number;
  readonly interface: string;
}

/** The host that is none over ssh. */
export const HERE = "this machine";

/** How long a host may take to answer, in ms. */
const PATIENCE = 60_000;

const SCRIPTS = ["remote.sh", "facts.sh"].map((name) => join(ROOT, "cli", "host", name));

/**
 * Asks a host, by one login; nothing is changed.
 * @param host `ssh://…`; anything else is this machine
 * @throws CliError where ssh does not get in
 */
export async function gatherHost(host: string | undefined, wanted: Wanted): Promise<HostFacts> {
  const script = SCRIPTS.map((file) => readFileSync(file, "utf8")).join("");
  const began = Date.now();
  const args = [socketOf(host), String(wanted.port)];
  const { code, stdout, stderr } = isRemote(host)
    ? await shell(host, `exec sh -s -- ${args.map((word) => `'${word}'`).join(" ")}`, script)
    : await hear(spawn("sh", ["-s", "--", ...args], { stdio: ["pipe", "pipe", "pipe"] }), { input: script });
  if (code === 69) throw refusal(stderr);
  if (!stdout.includes("\nuid=")) {
    throw new CliError({
      what:
        `the shell of ${host ?? HERE} does not run commands: ` +
        `${stderr.trim() || stdout.trim() || `exit code ${code}`}`,
      remedy: "a login shell that does, as root there: usermod -s /bin/bash USER",
    });
  }
  return readFacts(isRemote(host) ? host : HERE, stdout, { began, ended: Date.now() });
}

/**
 * Runs a command of a shell on a host, by a login of its own: Docker need not be there. The exit code 69 says that ssh
 * did not get in.
 */
function shell(host: string, command: string, input: string): ReturnType<typeof hear> {
  const batch = onTerminal() ? "no" : "yes";
  const child = spawn(join(COMMANDS, "drydock-connection"), ["login", host, batch, command], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  return hear(child, { input, timeout: PATIENCE });
}

/** @param asked when the question was sent and its answer was there, in ms since 1970 */
export function readFacts(
  host: string,
  said: string,
  asked: { readonly began: number; readonly ended: number },
): HostFacts {
  const values = new Map(
    said.split("\n").map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );
  const text = (name: string): string => values.get(name) ?? "";
  const words = (name: string): readonly string[] =>
    text(name)
      .split(" ")
      .filter((word) => word !== "");
  const numbers = (name: string): readonly number[] => words(name).map(Number);
  const [total, free] = numbers("disk");
  const [inodes, freeInodes] = numbers("inodes");
  const [memory, available] = numbers("memory");
  const [container, stack = ""] = text("published").split(" ");
  const noise =
    said
      .slice(0, Math.max(0, said.search(/^docker=/m)))
      .trim()
      .split("\n")[0] ?? "";
  const middle = (asked.began + asked.ended) / 2000;
  const [api, boot, client, swap, synchronized] = ["api", "boot", "client", "swap", "synchronized"].map((name) =>
    // remote.sh says yes or no of the client; its version is there if it is.
    name === "client" && /^(yes|no)$/.test(text(name)) ? undefined : values.get(name),
  );
  return {
    host,
    system: {
      id: text("os"),
      like: words("like"),
      name: text("name"),
      arch: text("arch"),
      systemd: values.has("systemd"),
    },
    user: { name: text("user"), uid: Number(text("uid")), sudo: text("sudo") as HostFacts["user"]["sudo"] },
    docker: {
      installed: values.has("dockerd"),
      socket: text("docker") === "ready" ? "yes" : text("docker") === "group" ? "denied" : "none",
      ...(text("docker") === "rootless" ? { rootless: text("socket") } : {}),
      ...(text("docker") === "podman" ? { podman: true as const } : {}),
      ...(values.has("linger") ? { linger: text("linger") === "yes" } : {}),
      ...defined({ client }),
      ...infoOf(text("info")),
      ...defined({ api, boot }),
    },
    ...(total === undefined || free === undefined
      ? {}
      : {
          disk: {
            ...{ total: total * KIB, free: free * KIB, mount: words("disk")[2] ?? "" },
            ...defined({ filesystem: words("filesystem")[0] }),
            ...{ own: values.has("owndisk"), quota: words("filesystem")[1] === "quota" },
          },
        }),
    // Some file systems count none.
    ...(inodes === undefined || freeInodes === undefined || !(inodes > 0)
      ? {}
      : { inodes: { total: inodes, free: freeInodes } }),
    ...(memory === undefined || available === undefined
      ? {}
      : { memory: { total: memory * KIB, available: available * KIB } }),
    ...(swap === undefined ? {} : { swap: Number(swap) * KIB }),
    clock: {
      // It says whole seconds.
      ahead: Math.round((Number(text("clock")) + 0.5 - middle) * 10) / 10,
      within: Math.round(((asked.ended - asked.began) / 2000 + 0.5) * 10) / 10,
      ...(synchronized === undefined ? {} : { synchronized: synchronized === "yes" }),
    },
    ...(values.has("listening") ? { listening: words("listening") } : {}),
    ...(container === undefined || container === "" ? {} : { published: { container, stack } }),
    open: words("open"),
    ...(values.has("firewall") ? { firewall: text("firewall") } : {}),
    ...(values.has("metadata") ? { metadata: text("metadata") === "active" ? "closed" : "open" } : {}),
    ...(noise === "" ? {} : { noise }),
  };
}

const KIB = 1024;

function infoOf(json: string): { readonly info?: EngineInfo } {
  try {
    const info = JSON.parse(json) as EngineInfo;
    // Where the engine does not answer, the client says only what it knows of itself.
    return info.ServerVersion === undefined || info.ServerVersion === "" ? {} : { info };
  } catch {
    return {};
  }
}
