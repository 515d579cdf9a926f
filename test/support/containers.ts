import { readFileSync } from "node:fs";
import { join } from "node:path";
import Docker from "dockerode";
import type { Clone } from "./clone.ts";

interface StateResource {
  readonly type: string;
  readonly id?: string;
  readonly delete?: boolean;
  readonly outputs?: { readonly name?: string };
}

/** The stack's resources as the state has them. */
export function resourcesOf(clone: Clone): readonly StateResource[] {
  const file = join(clone.dir, ".drydock", "state", ".pulumi", "stacks", "drydock", "local.json");
  const { checkpoint } = JSON.parse(readFileSync(file, "utf8")) as {
    checkpoint: { latest?: { resources?: StateResource[] } };
  };
  return checkpoint.latest?.resources ?? [];
}

const namesOf = (clone: Clone, type: string) =>
  resourcesOf(clone)
    .filter((resource) => resource.type === type)
    .map(({ outputs, id }) => outputs?.name ?? id ?? "");

export interface Found {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly state: string;
}

/** What the containers of a clone's stack are found by; the same from its first deployment on. */
const belongings = new WeakMap<Clone, { readonly network: string[]; readonly volume: string[] }>();

/**
 * The containers that belong to a clone's stack, known to its state or not: what is on one of its networks, or uses one
 * of its volumes. (The label `drydock.stack` is the same in all clones.)
 */
export async function containersOf(clone: Clone): Promise<readonly Found[]> {
  const { network, volume } = belongings.get(clone) ?? {
    network: namesOf(clone, "docker:index/network:Network"),
    volume: namesOf(clone, "docker:index/volume:Volume"),
  };
  if (volume.length > 0) belongings.set(clone, { network, volume });
  // The client reads DOCKER_HOST anew each time: a test may have an engine of its own. All of the filters of one kind
  // are alternatives.
  const docker = new Docker();
  const listed = await Promise.all([
    docker.listContainers({ all: true, filters: { network } }),
    docker.listContainers({ all: true, filters: { volume } }),
  ]);
  const found = new Map(
    listed
      .flat()
      .map(({ Id, Names, Labels, State }) => [
        Id,
        { id: Id, name: (Names[0] ?? "").slice(1), role: Labels["drydock.role"] ?? "", state: State },
      ]),
  );
  return [...found.values()];
}

/** How many workers and schedulers there were, looked at several times a second. */
export interface Seen {
  looks: number;
  fewestWorkers: number;
  mostSchedulers: number;
}

/** Counts the running workers and schedulers of a clone's stack until it is stopped. */
export class RoleWatch {
  private readonly seen: Seen = { looks: 0, fewestWorkers: Infinity, mostSchedulers: 0 };
  private running = true;
  private readonly watching: Promise<void>;

  constructor(clone: Clone) {
    this.watching = this.watch(clone);
  }

  async stop(): Promise<Seen> {
    this.running = false;
    await this.watching;
    return this.seen;
  }

  private async watch(clone: Clone): Promise<void> {
    while (this.running) {
      const running = (await containersOf(clone)).filter(({ state }) => state === "running");
      const count = (role: string) => running.filter((container) => container.role === role).length;
      this.seen.looks++;
      this.seen.fewestWorkers = Math.min(this.seen.fewestWorkers, count("horizon"));
      this.seen.mostSchedulers = Math.max(this.seen.mostSchedulers, count("scheduler"));
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
  }
}
