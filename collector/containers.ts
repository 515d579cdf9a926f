import { hostname } from "node:os";
import { z } from "zod";
import { NETWORK as EDGE } from "../contracts/edge.ts";
import { type CollectorSettings, HOSTS, PORTS } from "../contracts/monitoring.ts";
import { type Gauges, say } from "./gauges.ts";
import { get } from "./get.ts";

/** What is read of Docker's answers, as all versions of its API since 1.41 have it. */
const info = z.object({ CgroupDriver: z.string() });
const listed = z.array(
  z.object({
    Id: z.string(),
    State: z.string(),
    Status: z.string(),
    Created: z.number(),
    Labels: z.record(z.string(), z.string()),
    NetworkSettings: z.object({ Networks: z.record(z.string(), z.unknown()) }),
  }),
);
const inspected = z.object({
  RestartCount: z.number(),
  State: z.object({ OOMKilled: z.boolean(), StartedAt: z.string(), FinishedAt: z.string() }),
});
const measured = z.object({
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: z.number() }) }),
  memory_stats: z.object({
    usage: z.number().optional(),
    limit: z.number().optional(),
    stats: z.record(z.string(), z.number()).optional(),
  }),
});

type Listed = z.infer<typeof listed>[number];

/** What is remembered of a container, to see what has become of it. */
interface Seen {
  readonly restarts: number;
  /** When it was last killed for want of memory, as Docker writes it; "" where it never was. */
  readonly killed: string;
  /** Nanoseconds of processor time. */
  readonly cpu: number | undefined;
}

/** What Docker says of the stack's containers, by role: numbers that don't grow with each release. */
export class Containers {
  readonly #settings: CollectorSettings;
  readonly #ask: (path: string) => Promise<unknown>;
  readonly #gauges;
  /** By id; undefined before the first round. */
  #seen: ReadonlyMap<string, Seen> | undefined;
  /**
   * Whether each container is measured by itself; undefined before the first round. An engine without root may have no
   * control groups, and says of each container what the machine uses.
   */
  #measures: boolean | undefined;
  /** What was logged last of it. */
  #said = "";

  /** @param own begins the id of the collector's own container, as its host name does by itself */
  constructor(
    gauges: Gauges,
    settings: CollectorSettings,
    ask: (path: string) => Promise<unknown> = askGate,
    readonly own = hostname(),
    /** Told once why Docker does not say how the containers are. */
    readonly log: (line: string) => void = () => undefined,
  ) {
    this.#settings = settings;
    this.#ask = ask;
    this.#gauges = {
      up: gauges.gauge("docker_up", "Whether Docker says how the containers are"),
      running: gauges.gauge("containers", "Containers that run", "role"),
      unhealthy: gauges.gauge("containers_unhealthy", "Containers that run and are not healthy", "role"),
      stopped: gauges.gauge("containers_stopped", "Containers that do not run", "role"),
      memory: gauges.gauge("container_memory_bytes", "Memory that all of a role use", "role"),
      ratio: gauges.gauge("container_memory_ratio", "Memory of its limit, of the one that uses most", "role"),
      restarts: gauges.counter("container_restarts_total", "Starts of containers that had ended", "role"),
      killed: gauges.counter("container_oom_total", "Containers killed for want of memory", "role"),
      cpu: gauges.counter("container_cpu_seconds_total", "Processor time that all of a role use", "role"),
      releases: gauges.gauge("app_releases", "Releases that have replicas"),
      released: gauges.gauge("release_timestamp_seconds", "When the newest replica was made"),
    };
    for (const role of settings.roles)
      for (const one of ["restarts", "killed"] as const) this.#gauges[one].inc({ role }, 0);
  }

  async round(): Promise<void> {
    const filters = encodeURIComponent(JSON.stringify({ label: [`drydock.stack=${this.#settings.stack}`] }));
    try {
      this.#measures ??= info.parse(await this.#ask("/info")).CgroupDriver !== "none";
      const labelled = listed.parse(await this.#ask(`/containers/json?all=true&filters=${filters}`));
      const all = connected(labelled, this.own);
      await this.#say(all.filter(({ Labels }) => this.#settings.roles.includes(roleOf(Labels))));
      this.#gauges.up.set(1);
      this.#said = "";
    } catch (error) {
      this.#gauges.up.set(0);
      const why = error instanceof Error ? error.message : String(error);
      if (why !== this.#said) this.log(`Docker does not say how the containers are: ${why}`);
      this.#said = why;
      for (const one of ["running", "unhealthy", "stopped", "memory", "ratio", "releases", "released"] as const)
        this.#gauges[one].reset();
    }
  }

  async #say(all: readonly Listed[]): Promise<void> {
    const { running, unhealthy, stopped, releases, released } = this.#gauges;
    for (const role of this.#settings.roles) {
      const ofRole = all.filter(({ Labels }) => roleOf(Labels) === role);
      const alive = ofRole.filter(({ State }) => State === "running");
      running.set({ role }, alive.length);
      unhealthy.set({ role }, alive.filter(({ Status }) => Status.includes("(unhealthy)")).length);
      // One that is made and not started yet is a release's.
      stopped.set({ role }, ofRole.filter(({ State }) => !["running", "created"].includes(State)).length);
    }
    const replicas = all.filter(({ Labels, State }) => roleOf(Labels) === "app" && State === "running");
    releases.set(new Set(replicas.map(({ Labels }) => Labels["drydock.release"])).size);
    say(released, replicas.length === 0 ? undefined : Math.max(...replicas.map(({ Created }) => Created)));

    const memory = new Map<string, { bytes: number; ratio: number }>();
    const seen = new Map<string, Seen>();
    // One after the other: the engine has better things to do.
    for (const one of all) {
      const now = await this.#look(one, memory).catch(() => this.#seen?.get(one.Id));
      if (now !== undefined) seen.set(one.Id, now);
    }
    this.#seen = seen;
    for (const [role, { bytes, ratio }] of memory) {
      this.#gauges.memory.set({ role }, bytes);
      this.#gauges.ratio.set({ role }, ratio);
    }
  }

  async #look({ Id, State, Labels }: Listed, memory: Map<string, { bytes: number; ratio: number }>): Promise<Seen> {
    const role = roleOf(Labels);
    const { RestartCount, State: state } = inspected.parse(await this.#ask(`/containers/${Id}/json`));
    const killed = state.OOMKilled ? `${state.StartedAt} ${state.FinishedAt}` : "";
    // Of what was there before this began nobody knows when it happened.
    const before = this.#seen === undefined ? { restarts: RestartCount, killed, cpu: undefined } : this.#seen.get(Id);
    this.#gauges.restarts.inc({ role }, Math.max(0, RestartCount - (before?.restarts ?? 0)));
    if (killed !== "" && killed !== before?.killed) this.#gauges.killed.inc({ role });
    if (State !== "running" || this.#measures !== true)
      return { restarts: RestartCount, killed: killed || (before?.killed ?? ""), cpu: undefined };

    const { cpu_stats, memory_stats } = measured.parse(
      await this.#ask(`/containers/${Id}/stats?stream=false&one-shot=true`),
    );
    const cpu = cpu_stats.cpu_usage.total_usage;
    // What it had used when it was first seen belongs to earlier, unless it is new.
    const since = before?.cpu ?? (this.#seen === undefined || before !== undefined ? cpu : 0);
    this.#gauges.cpu.inc({ role }, Math.max(0, cpu - since) / 1e9);
    const bytes = workingSet(memory_stats);
    const sum = memory.get(role) ?? { bytes: 0, ratio: 0 };
    memory.set(role, {
      bytes: sum.bytes + bytes,
      ratio: Math.max(sum.ratio, bytes / (memory_stats.limit || Number.POSITIVE_INFINITY)),
    });
    return { restarts: RestartCount, killed: killed || (before?.killed ?? ""), cpu };
  }
}

/**
 * Those that share a network with one's own container, or with one that does: another clone's stack may have the same
 * label. The edge's network is many stacks'.
 */
function connected(all: readonly Listed[], own: string): readonly Listed[] {
  const networksOf = ({ NetworkSettings }: Listed) =>
    Object.keys(NetworkSettings.Networks).filter((name) => name !== EDGE);
  const known = new Set(all.filter(({ Id }) => Id.startsWith(own)).flatMap(networksOf));
  for (let before = -1; before !== known.size; ) {
    before = known.size;
    for (const names of all.map(networksOf))
      if (names.some((name) => known.has(name))) names.forEach((name) => void known.add(name));
  }
  return all.filter((one) => networksOf(one).some((name) => known.has(name)));
}

const roleOf = (labels: Readonly<Record<string, string>>): string => labels["drydock.role"] ?? "";

/** What can't be given back: the kernel's cache of files is, before anything is killed. */
function workingSet({ usage = 0, stats = {} }: z.infer<typeof measured>["memory_stats"]): number {
  // The first of the two has control groups v1, the other one v2.
  return Math.max(0, usage - (stats["total_inactive_file"] ?? stats["inactive_file"] ?? 0));
}

async function askGate(path: string): Promise<unknown> {
  // An engine that builds images at the moment takes its time.
  const { status, body } = await get(`http://${HOSTS.gate}:${PORTS.gate}${path}`, { timeout: 20_000 });
  if (status !== 200) throw new Error(`the gate answers ${status} for ${path}`);
  return JSON.parse(body) as unknown;
}
