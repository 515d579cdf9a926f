import { NETWORK as EDGE } from "../../../contracts/edge.ts";
import type { Docker } from "../../shared/docker.ts";

/** A container as Docker lists it. */
export interface Seen {
  readonly name: string;
  /** Docker's word: running, exited, … */
  readonly state: string;
  /** What Docker says of it to people: Up 3 seconds (healthy). */
  readonly status: string;
  readonly role: string;
  readonly release: string;
  /** ISO 8601. */
  readonly created: string;
  readonly networks: readonly string[];
  readonly healthy: boolean;
  readonly unhealthy: boolean;
}

const FIELDS = [
  "{{.Names}}",
  "{{.State}}",
  "{{.Status}}",
  '{{.Label "drydock.role"}}',
  '{{.Label "drydock.release"}}',
  "{{.CreatedAt}}",
  "{{.Networks}}",
];

/** All containers with the stack's label, as one call lists them; empty where Docker does not answer. */
export async function listContainers(docker: Docker, stack: string): Promise<readonly Seen[]> {
  const format = FIELDS.join("\t");
  const args = ["ps", "--all", "--no-trunc", "--filter", `label=drydock.stack=${stack}`, "--format", format];
  const { code, stdout } = await docker.run(args, { timeout: 15_000 });
  return code === 0 ? parseContainers(stdout) : [];
}

export function parseContainers(text: string): readonly Seen[] {
  return text.split("\n").flatMap((line) => {
    const [name = "", state = "", status = "", role = "", release = "", created = "", networks = ""] = line.split("\t");
    if (name === "") return [];
    return [
      {
        ...{ name, state, status, role, release, created: timeOf(created), networks: networks.split(",") },
        healthy: state === "running" && !/\((unhealthy|health: starting)\)/.test(status),
        unhealthy: status.includes("(unhealthy)"),
      },
    ];
  });
}

/** Docker's client writes 2026-01-31 12:00:00 +0000 UTC. */
function timeOf(text: string): string {
  const [, day, time, zone] = /^(\S+) (\S+) ([+-]\d{4})/.exec(text) ?? [];
  const at = new Date(`${day}T${time}${zone?.slice(0, 3)}:${zone?.slice(3)}`);
  return Number.isNaN(at.getTime()) ? "" : at.toISOString();
}

/**
 * Those of this very stack: another clone's stack of the same name has the same label, and networks of its own.
 * @param known names of containers that are certainly its own; without any, all are taken
 */
export function ownOf(all: readonly Seen[], known: readonly string[]): readonly Seen[] {
  const networks = new Set(all.filter(({ name }) => known.includes(name)).flatMap((one) => one.networks));
  // The edge's is all stacks'.
  networks.delete(EDGE);
  return networks.size === 0 ? all : all.filter((one) => one.networks.some((network) => networks.has(network)));
}
