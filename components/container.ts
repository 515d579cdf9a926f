import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Role } from "../config/roles.ts";
import { defined } from "../lib/defined.ts";
import { processors } from "../lib/processors.ts";
import { type HealthCheck, healthcheck } from "../servers/health.ts";
import { logging } from "./logging.ts";
import type { StackIdentity } from "./stack.ts";

/** A file that is put into a container before it starts. */
export interface ContainerFile {
  /** Absolute path in the container; never below a mount. */
  readonly path: string;
  /** Text; secret content stays secret in the state. */
  readonly content: pulumi.Input<string>;
  /** Octal permissions. @default "0400": the owner reads it */
  readonly mode?: string;
  /** Whose it is: root's where the processes must not be able to change it. @default "user" */
  readonly owner?: "user" | "root";
}

/** What differs from one container of a stack to another; everything else is the same for all of them. */
export interface ContainerSpec {
  readonly role: Role;
  /** Value of the label `drydock.release`. */
  readonly release: string;
  readonly image: pulumi.Input<string>;
  /** Who the processes run as. Never root (incident 9). */
  readonly user: { readonly uid: number; readonly gid: number };
  /** More groups whose files the processes may read. @default none */
  readonly groups?: readonly pulumi.Input<number>[];
  /** Memory in MiB, processors as a fraction. */
  readonly limits: { readonly memory: number; readonly cpus: number };
  readonly networks: readonly {
    readonly network: { readonly name: pulumi.Input<string> };
    readonly aliases?: readonly string[];
    /** Addresses of its own there. @default those that Docker gives it */
    readonly addresses?: readonly string[];
  }[];
  /** More labels than every container has. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, pulumi.Input<string>>>;
  readonly files?: readonly ContainerFile[];
  readonly mounts?: pulumi.Input<docker.types.input.ContainerMount>[];
  /** Writable folders in memory: path to size in MiB, owned by `user`. */
  readonly tmpfs?: Readonly<Record<string, number>>;
  /** The root file system can't be written. Docker then refuses `files` as well. @default false */
  readonly readOnly?: boolean;
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  /** What its processes may do beside what everybody may. @default nothing */
  readonly capabilities?: readonly string[];
  /** A small init process is PID 1: it forwards signals and reaps children. @default false */
  readonly init?: boolean;
  readonly health: HealthCheck;
  /** Signal for a graceful stop. */
  readonly stopSignal: string;
  /** Seconds between the stop signal and the kill. */
  readonly stopTimeout: number;
  /** Seconds until it must be healthy. */
  readonly startTimeout: number;
  readonly ports?: readonly {
    readonly internal: number;
    readonly external: number;
    readonly ip: string;
    readonly protocol?: "udp";
  }[];
}

/** A container goes only after its successor has proven itself, unless this says otherwise. */
export type Succession = "new-before-old" | "old-before-new";

/** The arguments of a container with everything that all containers of a stack have in common. */
export function containerArgs(
  identity: Pick<StackIdentity, "stack" | "logs">,
  spec: ContainerSpec,
): docker.ContainerArgs {
  const { stack } = identity;
  const { uid, gid } = spec.user;
  const labels = {
    "drydock.role": spec.role,
    "drydock.stack": stack,
    "drydock.release": spec.release,
    ...spec.labels,
  };
  return {
    image: spec.image,
    labels: Object.entries(labels).map(([label, value]) => ({ label, value })),
    user: `${uid}:${gid}`,
    ...(spec.groups === undefined
      ? {}
      : {
          groupAdds: spec.groups.map((group) =>
            typeof group === "number" ? String(group) : pulumi.interpolate`${group}`,
          ),
        }),
    envs: Object.entries(spec.env ?? {}).map(([name, value]) =>
      typeof value === "string" ? `${name}=${value}` : pulumi.interpolate`${name}=${value}`,
    ),
    uploads: (spec.files ?? []).map(({ path, content, mode, owner }) => ({
      file: path,
      content,
      owner: owner === "root" ? "0" : String(uid),
      group: owner === "root" ? "0" : String(gid),
      permissions: mode ?? "0400",
    })),
    networksAdvanced: spec.networks.map(({ network, aliases, addresses = [] }) => ({
      name: network.name,
      aliases: [...(aliases ?? [])],
      ...defined({
        ipv4Address: addresses.find((one) => !one.includes(":")),
        ipv6Address: addresses.find((one) => one.includes(":")),
      }),
    })),
    mounts: spec.mounts ?? [],
    tmpfs: Object.fromEntries(
      Object.entries(spec.tmpfs ?? {}).map(([path, size]) => [
        path,
        `rw,noexec,nosuid,uid=${uid},gid=${gid},mode=700,size=${size}m`,
      ]),
    ),
    readOnly: spec.readOnly ?? false,
    ...(spec.entrypoint === undefined ? {} : { entrypoints: [...spec.entrypoint] }),
    ...(spec.command === undefined ? {} : { command: [...spec.command] }),
    init: spec.init ?? false,
    memory: spec.limits.memory,
    // What Docker makes of a limit of memory alone. It is read back, and left out it would be a difference.
    memorySwap: 2 * spec.limits.memory,
    cpus: processors(spec.limits.cpus),
    restart: "unless-stopped",
    capabilities: { drops: ["ALL"], ...(spec.capabilities === undefined ? {} : { adds: [...spec.capabilities] }) },
    securityOpts: ["no-new-privileges:true"],
    // A crash would write APP_KEY and passwords to wherever the host's core_pattern says.
    ulimits: [{ name: "core", soft: 0, hard: 0 }],
    ...logging(identity),
    ports: (spec.ports ?? []).map((port) => ({ protocol: "tcp", ...port })),
    stopSignal: spec.stopSignal,
    stopTimeout: spec.stopTimeout,
    // Without it a container is killed at its end, in the middle of requests and jobs.
    destroyGraceSeconds: spec.stopTimeout,
    wait: true,
    waitTimeout: spec.startTimeout,
    healthcheck: healthcheck(spec.health, spec.startTimeout),
  };
}

/**
 * Makes a container of the stack. The only caller of docker.Container, so that every container has labels, limits, a
 * health check that is waited for, log rotation, a restart policy, no capability and no new privileges.
 */
export function container(
  stack: Pick<StackIdentity, "stack" | "logs">,
  name: string,
  spec: ContainerSpec,
  succession: Succession,
  options: pulumi.CustomResourceOptions,
): docker.Container {
  // Written out even where it is false: the provider's own default for containers is to delete first.
  const deleteBeforeReplace = succession === "old-before-new";
  return new docker.Container(name, containerArgs(stack, spec), {
    ...options,
    deleteBeforeReplace,
    // The provider would call a change of these an update and change nothing. One that has stopped it would start
    // without waiting until it is healthy, and one that never became healthy (Pulumi's own key for it) would pass.
    replaceOnChanges: ["healthcheck", "init", "mounts", "mustRun", "tmpfs", "#initerror"],
  });
}
