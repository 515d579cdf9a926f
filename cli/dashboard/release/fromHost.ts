import { isLasting } from "../../../config/roles.ts";
import { defined } from "../../../lib/defined.ts";
import type { Activity, StepState, StepStatus } from "../page/state.ts";
import { before, STEPS } from "../page/steps.ts";
import type { Seen } from "./containers.ts";

export interface HostFacts {
  /** The stack's containers, one-off ones too. */
  readonly containers: readonly Seen[];
  /** The release of the last deployment that was complete; empty before the first. */
  readonly previous: string;
  /** The containers that the proxy sends visitors to; undefined where it was not asked or does not answer. */
  readonly upstreams?: readonly string[] | undefined;
  /** Whether the release is in the records already. @default false */
  readonly recorded?: boolean;
}

/** What is seen of a step. */
interface Trace {
  readonly status: StepStatus;
  readonly since?: string | undefined;
  readonly says: string;
}

/**
 * The steps of a release as far as its containers show them. A step that left no trace is over where one that waits for
 * it has started: that is what the graph says. Where nothing is seen, nothing is claimed.
 */
export function stepsFromHost({ containers, previous, upstreams, recorded = false }: HostFacts): StepState[] {
  const fresh = newestRelease(containers, previous);
  const traces: Readonly<Record<string, Trace>> = {
    ...tracesOf(containers, previous, fresh, upstreams ?? []),
    ...(recorded ? { record: { status: "done", says: "it is in the records" } } : {}),
  };
  const over = new Set(Object.keys(traces).flatMap((id) => [...before(id)]));
  return STEPS.map(({ id }) => {
    const trace = traces[id];
    if (trace !== undefined) return { id, status: trace.status, ...defined({ since: trace.since }), says: trace.says };
    return over.has(id) ? { id, status: "done", says: "a step behind it has started" } : { id, status: "waiting" };
  });
}

/** The release, other than the last complete one, that has the youngest container. */
function newestRelease(containers: readonly Seen[], previous: string): string | undefined {
  const others = containers.filter(({ role, release }) => isLasting(role) && release !== "" && release !== previous);
  return others.toSorted((a, b) => b.created.localeCompare(a.created))[0]?.release;
}

function tracesOf(
  containers: readonly Seen[],
  previous: string,
  fresh: string | undefined,
  upstreams: readonly string[],
): Readonly<Record<string, Trace>> {
  const traces: Record<string, Trace> = {};
  for (const [ending, id] of [
    ["preflight", "image"],
    ["pending", "backup"],
    ["migrate", "migrate"],
  ] as const) {
    const one = containers.find(({ name, role }) => role === "migrate" && name.endsWith(`-${ending}`));
    if (one !== undefined)
      traces[id] = { status: "running", since: one.created, says: `container ${one.name} is ${one.status}` };
  }
  const of = (release: string | undefined, ...roles: readonly string[]): readonly Seen[] =>
    containers.filter((one) => one.release === release && roles.includes(one.role));
  const replicas = fresh === undefined ? [] : of(fresh, "app");
  if (replicas.length === 0) return traces;
  const serving = replicas.filter(({ name }) => upstreams.includes(name));
  traces["replicas"] = progress(replicas, serving.length > 0);
  if (serving.length === 0) return traces;
  traces["switch"] = { status: "done", says: `visitors come to ${serving.map(({ name }) => name).join(", ")}` };
  for (const [id, ...roles] of [
    ["workers", "horizon", "worker"],
    ["scheduler", "scheduler"],
  ] as const) {
    const some = of(fresh, ...roles);
    if (some.length > 0) traces[id] = progress(some, false);
  }
  const old = of(previous, "app");
  const leaving = old.filter(({ state }) => state !== "running");
  if (leaving.length > 0)
    traces["old"] = { status: "running", says: `${old.length - leaving.length} of ${old.length} still run` };
  return traces;
}

/** Of containers that are started: how many of them are healthy. */
function progress(some: readonly Seen[], over: boolean): Trace {
  const well = some.filter(({ healthy }) => healthy).length;
  const ended = some.find(({ state, unhealthy }) => unhealthy || ["exited", "dead"].includes(state));
  const but = ended === undefined ? "" : `; ${ended.name} is ${ended.status}`;
  const says = `${well} of ${some.length} are healthy${but}`;
  const since = some.map(({ created }) => created).toSorted()[0];
  return { status: over || well === some.length ? "done" : "running", since, says };
}

/** Containers of the application by release, the newest release first. */
export function byRelease(containers: readonly Seen[]): Activity["releases"] {
  const lasting = containers.filter(({ role, release }) => isLasting(role) && release !== "");
  const names = [
    ...new Set(lasting.toSorted((a, b) => b.created.localeCompare(a.created)).map(({ release }) => release)),
  ];
  return names.map((release) => {
    const own = lasting.filter((one) => one.release === release && one.state === "running");
    return { release, running: own.length, healthy: own.filter(({ healthy }) => healthy).length };
  });
}
