import { stateFolder } from "../../shared/environment.ts";
import type { EngineEvent } from "../../shared/events.ts";
import { pulumiLocks, readHolder } from "../../shared/locks.ts";
import { type Running, readRunning } from "../../shared/running.ts";
import { servingContainers } from "../../shared/unfinished.ts";
import type { Activity, Change, StepState } from "../page/state.ts";
import type { Changes } from "../release/changes.ts";
import { listContainers, ownOf } from "../release/containers.ts";
import { StepsFromEvents } from "../release/fromEvents.ts";
import { byRelease, stepsFromHost } from "../release/fromHost.ts";
import { Tail } from "../release/tail.ts";
import type { Target } from "../target.ts";
import { type Source, told } from "./source.ts";

/** How often containers are listed and events are read, in ms. */
const EVERY = 2_000;

/** Who changes the stack, and how far a release has come. */
export function activity(target: Target, changes: Changes): Source {
  const log = new EventLog();
  let last: Activity | undefined;
  return {
    name: "activity",
    parts: ["activity"],
    every: EVERY,
    async read() {
      const { paths, stack, env } = target.session;
      const state = stateFolder(env);
      const running = readRunning(paths.root, stack);
      const holders = [readHolder(paths.lock(stack)), ...(state === undefined ? [] : pulumiLocks(state, stack))];
      const change = changes.now(holders, running);
      const steps = log.read(running);
      const { docker, outputs, unfinished } = await target.now();
      const known = [...outputs.services, ...(unfinished?.others ?? [])].map(({ container }) => container);
      const containers = ownOf(await listContainers(docker, stack), known);
      const fromHost = async (): Promise<StepState[]> => {
        const upstreams = await servingContainers(docker, outputs, { resources: [], pending: [] });
        const previous = changes.before(change, outputs.release);
        return stepsFromHost({ containers, previous, upstreams, recorded: changes.isRecorded(change) });
      };
      const releases = byRelease(containers);
      const found = await stepsOf({ change, steps, last, stopped: unfinished !== undefined, fromHost });
      last = { ...found, releases };
      return { activity: told(last) };
    },
  };
}

interface Known {
  readonly change: Change | undefined;
  /** From the events of an update that runs here, or ran here last. */
  readonly steps: readonly StepState[] | undefined;
  readonly last: Activity | undefined;
  /** Whether a release has stopped on its way. */
  readonly stopped: boolean;
  readonly fromHost: () => Promise<StepState[]>;
}

/** What Pulumi writes down is exact; without it the containers are looked at. */
async function stepsOf({ change, steps, last, stopped, fromHost }: Known): Promise<Omit<Activity, "releases">> {
  if (change !== undefined && steps !== undefined) return { change, steps, from: "events" };
  if (change !== undefined) return { change, steps: await fromHost(), from: "host" };
  if (last?.from === "events" && steps !== undefined) {
    const ended = last.ended ?? new Date().toISOString();
    return { steps: withoutLeaving(steps), from: "events", ended };
  }
  return stopped ? { steps: await fromHost(), from: "host" } : { steps: [], from: "nothing" };
}

/** Where a release was recorded and no container was taken away, there was none to take. */
function withoutLeaving(steps: readonly StepState[]): readonly StepState[] {
  const recorded = steps.some(({ id, status }) => id === "record" && ["done", "same"].includes(status));
  return steps.map((one) =>
    recorded && one.id === "old" && one.status === "waiting" ? { ...one, status: "same" } : one,
  );
}

/** The events of the update that runs in this clone, and after its end those of the last one. */
class EventLog {
  #tail: Tail | undefined;
  #steps: StepsFromEvents | undefined;

  /** Undefined where no update was seen, or a preview runs. */
  read(running: Running | undefined): readonly StepState[] | undefined {
    // What was written since the last look, though the file may be gone by now.
    this.#take();
    if (running !== undefined && running.log !== this.#tail?.path) {
      this.#tail?.close();
      this.#tail = new Tail(running.log);
      this.#steps = running.operation === "up" ? new StepsFromEvents() : undefined;
      this.#take();
    } else if (running === undefined) this.#tail?.close();
    return this.#steps?.states();
  }

  #take(): void {
    const events = (this.#tail?.lines() ?? []).flatMap((line) => {
      try {
        return [JSON.parse(line) as EngineEvent];
      } catch {
        return [];
      }
    });
    this.#steps?.add(events);
  }
}
