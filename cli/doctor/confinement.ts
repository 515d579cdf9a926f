import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Docker } from "../shared/docker.ts";
import { ROOT } from "../shared/project.ts";

/** What Docker says of how a container is kept in. */
export interface HostConfig {
  readonly Memory?: number;
  readonly PidsLimit?: number | null;
  readonly Privileged?: boolean;
  readonly CapAdd?: readonly string[] | null;
  readonly CapDrop?: readonly string[] | null;
  readonly SecurityOpt?: readonly string[] | null;
  readonly Ulimits?: readonly { readonly Name: string; readonly Hard: number }[] | null;
  readonly Binds?: readonly string[] | null;
  readonly NetworkMode?: string;
  readonly PidMode?: string;
  readonly LogConfig?: { readonly Type: string; readonly Config?: Readonly<Record<string, string>> | null };
}

/** Of a container with any number of processes. */
export const UNLIMITED = "has no limit of processes";
/** A server that may listen on port 80 needs this one (components/app.ts). */
const ADDED = ["NET_BIND_SERVICE", "CAP_NET_BIND_SERVICE"];

/**
 * What a container has that none of a stack ought to have, in words that go behind its name.
 * @param user as Docker has it: uid:gid
 */
export function looseEnds(host: HostConfig, user: string): readonly string[] {
  const options = host.SecurityOpt ?? [];
  const size = host.LogConfig?.Config?.["max-size"];
  return [
    ...(host.Privileged === true ? ["is privileged"] : []),
    ...(/^(0|root)?(:|$)/.test(user) ? ["runs as root"] : []),
    ...((host.CapDrop ?? []).includes("ALL") ? [] : ["keeps Docker's capabilities"]),
    ...((host.CapAdd ?? []).some((one) => !ADDED.includes(one)) ? ["has capabilities that were added"] : []),
    ...(options.some((one) => /^no-new-privileges(:true)?$/.test(one)) ? [] : ["may gain privileges"]),
    ...(options.some((one) => /unconfined/.test(one)) ? ["runs without a profile of the kernel"] : []),
    ...((host.Memory ?? 0) > 0 ? [] : ["has no limit of memory"]),
    ...((host.PidsLimit ?? 0) > 0 ? [] : [UNLIMITED]),
    ...((host.Ulimits ?? []).some(({ Name, Hard }) => Name === "core" && Hard === 0) ? [] : ["may leave core dumps"]),
    ...((host.Binds ?? []).some((one) => one.startsWith("/")) ? ["mounts a folder of the host"] : []),
    ...(host.NetworkMode === "host" || host.PidMode === "host" ? ["shares the host's namespaces"] : []),
    ...(host.LogConfig?.Type === "json-file" && size === undefined ? ["has no limit of its log"] : []),
  ];
}

/** What a Laravel container could reach and use that it ought not to. */
export interface Reach {
  /** Names of what answered: other replicas' PHP-FPM on the database's network, by their names; `metadata`. */
  readonly reached: readonly string[];
  /** Rights of the application's account in the database that go beyond its own schema. */
  readonly grants: readonly string[];
  /** The part of the disk that is free where the application stores files, from 0 to 1. */
  readonly free?: number;
}

/** Where clouds say to every process of a machine who the machine is, and give it their keys. */
const METADATA = ["169.254.169.254:80", "[fd00:ec2::254]:80"];
/** An address for documents, which nobody has: where that answers too, something on the way answers for everybody. */
const NOBODY = "203.0.113.1:80";

/**
 * Asks from inside a replica, with what it has.
 * @param neighbours addresses (HOST:PORT) that must not answer, by name
 */
export async function askReach(
  docker: Docker,
  container: string,
  path: string,
  neighbours: Readonly<Record<string, string>>,
  timeout: number,
): Promise<Reach | { readonly silent: string }> {
  const asked = { path, neighbours, metadata: METADATA, nobody: NOBODY };
  const script = readFileSync(join(ROOT, "runtime", "reach.php"), "utf8");
  const { stdout, stderr } = await docker.run(
    ["exec", "--interactive", container, "php", "--", JSON.stringify(asked)],
    { input: script, timeout },
  );
  const line = stdout.split("\n").findLast((one) => one.startsWith("\u001e{"));
  return line === undefined
    ? { silent: stderr.trim().split("\n").at(-1) || "it said nothing" }
    : (JSON.parse(line.slice(1)) as Reach);
}
